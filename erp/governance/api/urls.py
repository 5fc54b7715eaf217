"""Addresses of governance's resources, below /api/v1/."""

from rest_framework.routers import SimpleRouter

from erp.governance.api import audit, duties, erasures, policies, views

router = SimpleRouter()
router.register("approvals", views.ApprovalViewSet, basename="approval")
router.register("delegations", views.DelegationViewSet, basename="delegation")
router.register("absences", views.AbsenceViewSet, basename="absence")
router.register("policies", policies.PolicyViewSet, basename="policy")
router.register("duties", duties.DutyViewSet, basename="duty")
router.register("erasures", erasures.ErasureViewSet, basename="erasure")
router.register("audit", audit.AuditViewSet, basename="audit")

urlpatterns = router.urls
