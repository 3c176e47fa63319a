from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from todos.models import Todo


@admin.register(Todo)
class TodoAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Todos to look at."""

    list_display = ("title", "owner_id", "completed", "due_at", "list")
    list_filter = ("completed", "priority")
    search_fields = ("title",)

    def get_urls(self) -> list[Any]:
        return [path("open/", self.open), *super().get_urls()]

    def open(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("A view that forgot admin_view().")

    def has_add_permission(self, request: Any, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: Any, *args: Any) -> bool:
        return False

    def has_delete_permission(self, request: Any, *args: Any) -> bool:
        return False


urlpatterns = [path("admin/", admin.site.urls), path("", include("config.urls"))]
