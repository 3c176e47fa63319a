from __future__ import annotations

from rest_framework.routers import SimpleRouter

from lists.views import ListViewSet

router = SimpleRouter(use_regex_path=False)
router.register("api/lists", ListViewSet, basename="list")

urlpatterns = router.urls
