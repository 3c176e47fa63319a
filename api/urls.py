from __future__ import annotations

from django.urls import path

from api.views import MeView, RootView

urlpatterns = [
    path("", RootView.as_view(), name="root"),
    path("me/", MeView.as_view(), name="me"),
]
