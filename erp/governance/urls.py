"""Addresses of governance's pages."""

from django.urls import path

from erp.governance import views

app_name = "governance"

urlpatterns = [
    path("approvals/", views.approvals, name="approvals"),
    path("approvals/<int:approval_id>/approve/", views.agree, name="approve"),
    path("approvals/<int:approval_id>/reject/", views.refuse, name="reject"),
    path("policies/", views.policy_list, name="policies"),
    path("policies/<str:code>/", views.policy, name="policy"),
    path("policies/<str:code>/<int:number>/activate/", views.activate, name="activate"),
    path("audit/", views.audit, name="audit"),
]
