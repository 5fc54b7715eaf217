"""Addresses of governance's pages."""

from django.urls import path, re_path

from erp.governance import views, views_duties

app_name = "governance"

urlpatterns = [
    path("approvals/", views.approvals, name="approvals"),
    path("approvals/bulk/", views.decide_many, name="decide-many"),
    path("approvals/standing-in/", views.standing_in, name="standing-in"),
    path("approvals/standing-in/add/", views.hand_over, name="hand-over"),
    path(
        "approvals/standing-in/<int:delegation_id>/end/",
        views.stop_standing_in,
        name="stop-standing-in",
    ),
    path("approvals/absence/add/", views.go_away, name="go-away"),
    path("approvals/absence/<int:absence_id>/end/", views.be_back, name="be-back"),
    path("approvals/<int:approval_id>/", views.beside, name="approval"),
    path("approvals/<int:approval_id>/pass-on/", views.pass_on, name="pass-on"),
    path("approvals/<int:approval_id>/approve/", views.agree, name="approve"),
    path("approvals/<int:approval_id>/reject/", views.refuse, name="reject"),
    path("policies/", views.policy_list, name="policies"),
    path("policies/<str:code>/", views.policy, name="policy"),
    path("policies/<str:code>/<int:number>/activate/", views.activate, name="activate"),
    path("audit/", views.audit, name="audit"),
    path("audit/verify/", views_duties.verify, name="verify"),
    re_path(r"^audit/audit\.(?P<form>csv|jsonl)$", views_duties.export, name="export"),
    path("story/<str:kind>/<int:subject>/", views_duties.story, name="story"),
    path("duties/", views_duties.duties, name="duties"),
    path("duties/rings/", views_duties.rings, name="rings"),
    path("duties/mitigate/", views_duties.mitigate, name="mitigate"),
    path("duties/mitigations/<int:mitigation_id>/revoke/", views_duties.revoke, name="revoke"),
]
