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

urlpatterns = router.urls
