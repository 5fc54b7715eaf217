"""Addresses of the pages of orders and customers."""

from django.urls import path, re_path

from orders import views

app_name = "orders"

urlpatterns = [
    path("", views.board, name="board"),
    path("submit/", views.submit_many, name="submit_many"),
    path("holds/lift/", views.lift_many, name="lift_many"),
    path("holds/reevaluate/", views.reevaluate_many, name="reevaluate_many"),
    path("new/", views.new, name="new"),
    path("new/customers/", views.customer_hits, name="customer_hits"),
    path("new/products/", views.product_hits, name="product_hits"),
    path("new/lines/", views.read_pasted, name="read_pasted"),
    path("new/preview/", views.preview, name="preview"),
    path("allocation/", views.allocation, name="allocation"),
    path("allocation/run/", views.allocate_now, name="allocate_now"),
    path("waiting/<str:code>/", views.waiting_of_product, name="waiting_of_product"),
    path("quotes/", views.quotes, name="quotes"),
    path("quotes/new/", views.new_quote, name="new_quote"),
    path("quotes/<str:number>/", views.quote, name="quote"),
    path("quotes/<str:number>/edit/", views.edit_quote, name="edit_quote"),
    path("quotes/<str:number>/send/", views.send_quote, name="send_quote"),
    path("quotes/<str:number>/accept/", views.accept_quote, name="accept_quote"),
    path("quotes/<str:number>/decline/", views.decline_quote, name="decline_quote"),
    path("quotes/<str:number>/order/", views.order_it, name="order_quote"),
    path("quotes/<str:number>/pdf/", views.quote_paper, name="quote_pdf"),
    path("prices/", views.prices, name="prices"),
    path("prices/new/", views.new_price, name="new_price"),
    path("prices/change/", views.change_many, name="change_prices"),
    path("prices/export/", views.export_prices, name="export_prices"),
    path("holds/", views.holds, name="holds"),
    path("holds/queue/lift/", views.lift_queued, name="lift_queued"),
    path("holds/ask/", views.ask_many, name="ask_many"),
    path("holds/force/", views.force_many, name="force_many"),
    path("compliance/", views.compliance, name="compliance"),
    path("compliance/matches/", views.matches, name="matches"),
    re_path(
        r"^compliance/matches/(?P<match_id>[0-9]{1,18})/(?P<verdict>confirm|reject)/$",
        views.review,
        name="review",
    ),
    path("customers/", views.customers, name="customers"),
    path("customers/new/", views.new_customer, name="new_customer"),
    path("customers/<str:code>/", views.customer, name="customer"),
    path("customers/<str:code>/hold/", views.hold_customer, name="hold_customer"),
    path("<str:number>/", views.order, name="page"),
    path("<str:number>/", views.order, name="order"),
    path("<str:number>/edit/", views.edit, name="edit"),
    path("<str:number>/amend/", views.amend, name="amend"),
    path("<str:number>/submit/", views.submit, name="submit"),
    path("<str:number>/allocate/", views.allocate, name="allocate"),
    path("<str:number>/cancel/", views.cancel, name="cancel"),
    path("<str:number>/hold/", views.hold, name="hold"),
    path("<str:number>/holds/<int:hold_id>/lift/", views.lift, name="lift"),
]
