from __future__ import annotations

from django.urls import include, path

from api.health import HealthView, ReadinessView

urlpatterns = [
    path("healthz", HealthView.as_view()),
    path("readyz", ReadinessView.as_view()),
    path("api/", include("api.urls")),
    path("api/", include("todos.urls")),
]
