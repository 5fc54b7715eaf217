"""Addresses of procurement's resources, below /api/v1/."""

from rest_framework.routers import SimpleRouter

from procurement.api import views

router = SimpleRouter()
router.register("suppliers", views.SupplierViewSet, basename="supplier")
router.register("supplier-products", views.OfferViewSet, basename="supplier-product")
router.register("purchase-proposals", views.ProposalViewSet, basename="purchase-proposal")
router.register("purchase-orders", views.OrderViewSet, basename="purchase-order")

urlpatterns = router.urls
