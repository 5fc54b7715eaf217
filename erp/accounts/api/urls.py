"""Addresses of accounts under `/api/v1/`."""

from rest_framework.routers import SimpleRouter

from erp.accounts.api.views import EntityViewSet

router = SimpleRouter()
router.register("entities", EntityViewSet, basename="entity")
urlpatterns = router.urls
