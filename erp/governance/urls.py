"""Addresses of governance's pages."""

from django.urls import path, re_path

from erp.governance import views, views_duties, views_policies

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
    path("policies/", views_policies.policy_list, name="policies"),
    path("policies/drift/", views_policies.drift_report, name="policy_drift"),
    path("policies/<str:code>/", views_policies.policy, name="policy"),
    path("policies/<str:code>/new/", views_policies.new_draft, name="policy_new"),
    path("policies/<str:code>/import/", views_policies.import_draft, name="policy_import"),
    path("policies/<str:code>/<int:number>/edit/", views_policies.edit, name="policy_edit"),
    path("policies/<str:code>/<int:number>/save/", views_policies.save, name="policy_save"),
    path("policies/<str:code>/<int:number>/rows/", views_policies.rows, name="policy_rows"),
    path("policies/<str:code>/<int:number>/lint/", views_policies.lint, name="policy_lint"),
    path("policies/<str:code>/<int:number>/submit/", views_policies.submit, name="policy_submit"),
    path("policies/<str:code>/<int:number>/activate/", views_policies.activate, name="activate"),
    path("policies/<str:code>/<int:number>/retire/", views_policies.retire, name="policy_retire"),
    path("policies/<str:code>/<int:number>/replay/", views_policies.replay, name="policy_replay"),
    path(
        "policies/<str:code>/<int:number>/results/", views_policies.results, name="policy_results"
    ),
    path("policies/<str:code>/<int:number>/export/", views_policies.export, name="policy_export"),
    path("audit/", views.audit, name="audit"),
    path("audit/verify/", views_duties.verify, name="verify"),
    re_path(r"^audit/audit\.(?P<form>csv|jsonl)$", views_duties.export, name="export"),
    path("story/<str:kind>/<int:subject>/", views_duties.story, name="story"),
    path("duties/", views_duties.duties, name="duties"),
    path("duties/rings/", views_duties.rings, name="rings"),
    path("duties/mitigate/", views_duties.mitigate, name="mitigate"),
    path("duties/mitigations/<int:mitigation_id>/revoke/", views_duties.revoke, name="revoke"),
]
