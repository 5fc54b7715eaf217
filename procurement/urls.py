"""Addresses of purchasing's pages."""

from django.urls import path

from procurement import views

app_name = "procurement"

urlpatterns = [
    path("", views.board, name="board"),
    path("proposals/", views.board, name="proposals"),
    path("proposals/accept/", views.accept_many, name="accept_many"),
    path("proposals/<int:proposal_id>/accept/", views.accept_one, name="accept"),
    path("proposals/<int:proposal_id>/reject/", views.reject_one, name="reject_proposal"),
    path("orders/", views.orders, name="orders"),
    path("orders/new/", views.new, name="new"),
    path("orders/<str:number>/", views.order, name="order"),
    path("orders/<str:number>/impact/", views.impact, name="impact"),
    path("orders/<str:number>/edit/", views.edit, name="edit"),
    path("orders/<str:number>/submit/", views.submit, name="submit"),
    path("orders/<str:number>/approve/", views.approve, name="approve"),
    path("orders/<str:number>/reject/", views.reject, name="reject"),
    path("orders/<str:number>/send/", views.send, name="send"),
    path("orders/<str:number>/acknowledge/", views.acknowledge, name="acknowledge"),
    path("orders/<str:number>/close/", views.close, name="close"),
    path("orders/<str:number>/cancel/", views.cancel, name="cancel"),
    path("suppliers/", views.suppliers, name="suppliers"),
    path("suppliers/<str:code>/", views.supplier, name="supplier"),
]
