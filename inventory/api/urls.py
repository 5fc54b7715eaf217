"""Addresses of inventory's resources, below /api/v1/."""

from rest_framework.routers import SimpleRouter

from inventory.api import views

router = SimpleRouter()
router.register("products", views.ProductViewSet, basename="product")
router.register("nodes", views.NodeViewSet, basename="node")
router.register("carriers", views.CarrierViewSet, basename="carrier")
router.register("calendars", views.CalendarViewSet, basename="calendar")
router.register("lanes", views.LaneViewSet, basename="lane")
router.register("substitutes", views.SubstituteViewSet, basename="substitute")
router.register("stock", views.StockViewSet, basename="stock")
router.register("stock-moves", views.StockMoveViewSet, basename="stock-move")
router.register("lots", views.LotViewSet, basename="lot")
router.register("bins", views.BinViewSet, basename="bin")
router.register("bin-moves", views.BinMoveViewSet, basename="bin-move")
router.register("put-aways", views.PutAwayViewSet, basename="put-away")
router.register("replenishments", views.ReplenishmentViewSet, basename="replenishment")
router.register("serials", views.SerialViewSet, basename="serial")
router.register("availability", views.AvailabilityViewSet, basename="availability")
router.register("allocation-passes", views.AllocationRunViewSet, basename="allocation-pass")

urlpatterns = router.urls
