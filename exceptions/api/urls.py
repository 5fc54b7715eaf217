"""Addresses of the resource of exceptions, below /api/v1/."""

from rest_framework.routers import SimpleRouter

from exceptions.api.views import ExceptionViewSet

router = SimpleRouter()
router.register("exceptions", ExceptionViewSet, basename="exception")

urlpatterns = router.urls
