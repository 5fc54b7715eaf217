"""Addresses of the resources of orders, below /api/v1/."""

from rest_framework.routers import SimpleRouter

from orders.api import views

router = SimpleRouter()
router.register("orders", views.OrderViewSet, basename="order")
router.register("customers", views.CustomerViewSet, basename="customer")
router.register("prices", views.PriceViewSet, basename="price")
router.register("price-lists", views.PriceListViewSet, basename="price-list")
router.register("customer-groups", views.CustomerGroupViewSet, basename="customer-group")
router.register("promotions", views.PromotionViewSet, basename="promotion")
router.register("quotes", views.QuoteViewSet, basename="quote")
router.register("blanket-orders", views.BlanketViewSet, basename="blanket-order")
router.register("segments", views.SegmentViewSet, basename="segment")
router.register("protections", views.ProtectionViewSet, basename="protection")
router.register("set-asides", views.SetAsideViewSet, basename="set-aside")
router.register("commitments", views.CommitmentViewSet, basename="commitment")
router.register("milestone-subscriptions", views.SubscriptionViewSet, basename="subscription")
router.register("kits", views.KitViewSet, basename="kit")
router.register("export-restrictions", views.RestrictionViewSet, basename="export-restriction")
router.register("export-exceptions", views.ExceptionViewSet, basename="export-exception")
router.register("export-licences", views.LicenceViewSet, basename="export-licence")
router.register("certificates", views.CertificateViewSet, basename="certificate")
router.register("denied-parties", views.DeniedPartyViewSet, basename="denied-party")
router.register("party-matches", views.PartyMatchViewSet, basename="party-match")
router.register("allocation-runs", views.AllocationRunViewSet, basename="allocation-run")
router.register("substitutions", views.SubstitutionViewSet, basename="substitution")
router.register("overrides", views.OverrideViewSet, basename="override")

urlpatterns = router.urls
