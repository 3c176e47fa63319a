from __future__ import annotations

from django.conf import settings
from django.urls import include, path
from rest_framework.routers import SimpleRouter

from api.views import IndexView, ProtectedResourceView
from lists.views import ListViewSet
from todos.views import TodoViewSet

router = SimpleRouter(use_regex_path=False)
router.register("api/todos", TodoViewSet, basename="todo")  # asked for most, so found first
router.register("api/lists", ListViewSet, basename="list")

pages = [path("api/", include("browsable.urls"))] if settings.BROWSABLE_API else []

METADATA = ".well-known/oauth-protected-resource"

urlpatterns = [
    *router.urls,
    path("", IndexView.as_view()),
    path(METADATA, ProtectedResourceView.as_view()),
    path(f"{METADATA}/<path:path>", ProtectedResourceView.as_view()),
    path("api/", include("api.urls")),
    *pages,
]
