from __future__ import annotations

from rest_framework.routers import SimpleRouter

from plain_drf.views import TodoViewSet

router = SimpleRouter()
router.register("todos", TodoViewSet)
urlpatterns = router.urls
