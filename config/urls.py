from __future__ import annotations

from django.conf import settings
from django.urls import include, path
from rest_framework.routers import SimpleRouter

from api.views import IndexView, ProtectedResourceView
from authn.conf import METADATA_PATH
from lists.views import ListViewSet
from todos.views import TodoViewSet

router = SimpleRouter(use_regex_path=False)
router.register("api/todos", TodoViewSet, basename="todo")  # asked for most, so found first
router.register("api/lists", ListViewSet, basename="list")

pages = [path("api/", include("browsable.urls"))] if settings.BROWSABLE_API else []

urlpatterns = [
    *router.urls,
    path("", IndexView.as_view()),
    path(METADATA_PATH[1:], ProtectedResourceView.as_view()),
    path(f"{METADATA_PATH[1:]}/<path:path>", ProtectedResourceView.as_view()),
    path("api/", include("api.urls")),
    *pages,
]
