"""The pages that are not of an endpoint. They are here only where the API is browsable."""

from __future__ import annotations

from django.urls import include, path

from browsable.docs import DocsView
from browsable.login import ForgetView, LoginView, LogoutView

# The framework's own names, which its "Log in" and "Log out" links look for.
signing_in = [
    path("login/", LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
urlpatterns = [
    path("login/forget.css", ForgetView.as_view(), name="forget"),
    path("docs/", DocsView.as_view(), name="docs"),
    path("", include((signing_in, "rest_framework"))),
]
