"""Addresses of KPIs, below /api/v1/."""

from rest_framework.routers import SimpleRouter

from erp.insight.api.views import KpiViewSet

router = SimpleRouter()
router.register("kpis", KpiViewSet, basename="kpi")

urlpatterns = router.urls
