from __future__ import annotations

from rest_framework.routers import SimpleRouter

from todos.views import TodoViewSet

router = SimpleRouter(use_regex_path=False)
router.register("api/todos", TodoViewSet, basename="todo")

urlpatterns = router.urls
