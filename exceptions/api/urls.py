"""Addresses of the resource of exceptions, below /api/v1/."""

from rest_framework.routers import SimpleRouter

from exceptions.api.views import ExceptionFilterViewSet, ExceptionViewSet, ShiftViewSet

router = SimpleRouter()
router.register("exceptions", ExceptionViewSet, basename="exception")

router.register("exception-filters", ExceptionFilterViewSet, basename="exception-filter")
router.register("exception-shifts", ShiftViewSet, basename="exception-shift")
urlpatterns = router.urls
