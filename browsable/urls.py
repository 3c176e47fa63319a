"""The pages beside those of the API's own endpoints."""

from __future__ import annotations

from django.urls import include, path

from browsable.login import ForgetView, LoginView, LogoutView
from browsable.pages import DocsView

# DRF's template tags reverse these names.
login_urls = [
    path("login/", LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
urlpatterns = [
    path("login/forget.css", ForgetView.as_view(), name="forget"),
    path("docs/", DocsView.as_view(), name="docs"),
    path("", include((login_urls, "rest_framework"))),
]
