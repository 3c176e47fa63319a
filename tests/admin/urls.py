from __future__ import annotations

from admin_urls import urlpatterns as documented  # type: ignore[import-not-found]
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from todos.models import Todo


def named_like_the_admin(request: HttpRequest) -> HttpResponse:
    return HttpResponse("secret")


named_like_the_admin.admin_site = named_like_the_admin.model_admin = True  # type: ignore[attr-defined]

urlpatterns = [
    *documented,
    path("without-admin-view/", admin.site.get_model_admin(Todo).changelist_view),
    path("named-like-the-admin/", named_like_the_admin),
    path("", include("config.urls")),
]
