"""Addresses of the floor's and of money's pages."""

from django.urls import path

from finance import views

app_name = "finance"

urlpatterns = [
    path("shipments/", views.shipments, name="shipments"),
    path("shipments/pick/", views.pick_many, name="pick_many"),
    path("shipments/pack/", views.pack_many, name="pack_many"),
    path("shipments/ship/", views.ship_many, name="ship_many"),
    path("shipments/<str:number>/", views.shipment, name="shipment"),
    path("shipments/<str:number>/pick/", views.pick, name="pick"),
    path("shipments/<str:number>/pack/", views.pack, name="pack"),
    path("shipments/<str:number>/ship/", views.confirm_ship, name="ship"),
    path("shipments/<str:number>/deliver/", views.deliver, name="deliver"),
    path("shipments/<str:number>/fail/", views.fail, name="fail"),
    path("shipments/<str:number>/void/", views.void, name="void"),
    path("shipments/<str:number>/packing-slip/", views.packing_slip, name="packing_slip"),
    path("shipments/<str:number>/labels/", views.labels, name="labels"),
    path("picking/", views.picking, name="picking"),
    path("receiving/", views.receiving, name="receiving"),
    path("receiving/<str:number>/", views.receive, name="receive"),
    path("transfers/", views.transfers, name="transfers"),
    path("transfers/ask/", views.ask, name="ask_transfer"),
    path("transfers/<str:number>/", views.transfer, name="transfer"),
    path("transfers/<str:number>/approve/", views.agree, name="approve_transfer"),
    path("transfers/<str:number>/cancel/", views.call_off, name="cancel_transfer"),
    path("transfers/<str:number>/pick/", views.pick_transfer, name="pick_transfer"),
    path("transfers/<str:number>/ship/", views.send_transfer, name="ship_transfer"),
    path("transfers/<str:number>/receive/", views.take_in, name="receive_transfer"),
    path("transfers/<str:number>/settle/", views.settle, name="settle_transfer"),
    path("invoices/", views.invoices, name="invoices"),
    path("invoices/<str:number>/", views.invoice, name="invoice"),
    path("invoices/<str:number>/pdf/", views.invoice_paper, name="invoice_pdf"),
    path("of-order/<int:order_id>/", views.of_order, name="of_order"),
    path("payments/", views.payments, name="payments"),
    path("payments/post/", views.post, name="post_payment"),
    path("payments/open/", views.open_of_customer, name="open_invoices"),
    path("payments/<str:number>/", views.payment, name="payment"),
    path("payments/<str:number>/allocate/", views.allocate, name="allocate"),
    path("ledger/", views.ledger, name="ledger"),
    path("ledger/entries/", views.entries, name="entries"),
    path("periods/", views.months, name="periods"),
    path("periods/<int:period_id>/soft-close/", views.soft_close_month, name="soft_close"),
    path("periods/<int:period_id>/close/", views.close_month, name="close"),
    path("periods/<int:period_id>/reopen/", views.reopen_month, name="reopen"),
]
