from __future__ import annotations

from django.urls import path

from api.views import MeView, RootView, SchemaView

urlpatterns = [
    path("", RootView.as_view(), name="root"),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("me/", MeView.as_view(), name="me"),
]
