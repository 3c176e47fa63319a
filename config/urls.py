from __future__ import annotations

from django.conf import settings
from django.urls import include, path

import lists.urls
import todos.urls
from api.views import IndexView

pages = [path("api/", include("browsable.urls"))] if settings.BROWSABLE_API else []

urlpatterns = [
    *todos.urls.urlpatterns,  # what is asked for most is found first
    *lists.urls.urlpatterns,
    path("", IndexView.as_view()),
    path("api/", include("api.urls")),
    *pages,
]
