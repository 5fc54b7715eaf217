"""Addresses of finance's resources, below /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from finance.api import views

router = SimpleRouter()
router.register("shipments", views.ShipmentViewSet, basename="shipment")
router.register("late-costs", views.LateCostViewSet, basename="late-cost")
router.register("adjustments", views.AdjustmentViewSet, basename="adjustment")
router.register("counts", views.CountViewSet, basename="count")
router.register("transfers", views.TransferViewSet, basename="transfer")
router.register("invoices", views.InvoiceViewSet, basename="invoice")
router.register("payments", views.PaymentViewSet, basename="payment")
router.register("accounts", views.AccountViewSet, basename="account")
router.register("journal-entries", views.JournalEntryViewSet, basename="journal-entry")
router.register("periods", views.PeriodViewSet, basename="period")
router.register("trial-balance", views.TrialBalanceViewSet, basename="trial-balance")

urlpatterns = [
    path(
        "purchase-orders/<str:number>/receive/",
        views.ReceivingViewSet.as_view({"post": "receive"}),
        name="purchase-order-receive",
    ),
    *router.urls,
]
