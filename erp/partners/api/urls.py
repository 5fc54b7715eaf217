"""Addresses of the edge's resources, below /api/v1/."""

from rest_framework.routers import SimpleRouter

from erp.partners.api.views import ImportViewSet

router = SimpleRouter()
router.register("imports", ImportViewSet, basename="import")
urlpatterns = router.urls
