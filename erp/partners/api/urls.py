"""Addresses of the edge's resources, below /api/v1/."""

from rest_framework.routers import SimpleRouter

from erp.partners.api.views import ImportViewSet, WebhookViewSet

router = SimpleRouter()
router.register("imports", ImportViewSet, basename="import")
router.register("webhooks", WebhookViewSet, basename="webhook")
urlpatterns = router.urls
