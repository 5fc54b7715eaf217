"""Terms of a customer's account: what stands, and asking for other ones."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.problems import NotFound
from erp.api.requests import actor_of
from erp.api.views import ResourceViewSet
from orders import permissions
from orders.api.terms_serializers import TermsInput, TermsOutput
from orders.api.views._prices import change_shown
from orders.selectors import AccountRow, asked_terms, customer_page
from orders.services import CreditTerms, request_customer_changes
from orders.services.crediting import request_credit_terms

PLAIN = ("credit_limit", "terms_days", "penalty_rate", "tax_id", "bank_account")
AGREED = (
    "temporary_limit", "temporary_from", "temporary_until", "limit_until", "order_limit",
    "insured_amount", "insured_until", "agreed_terms_days",
)  # fmt: skip
PERMISSIONS = {"terms": permissions.ASK_TERMS, "ask_for_terms": permissions.ASK_TERMS}
INPUTS = {"ask_for_terms": TermsInput}
OUTPUTS = {"terms": TermsOutput, "ask_for_terms": TermsOutput}


class TermsActions(ResourceViewSet):
    """`GET` and `POST .../customers/{code}/terms/`."""

    @action(detail=True, methods=["get"], url_path="terms")
    def terms(self, request: Request, code: str) -> Response:
        """Answer what stands of the account with `?entity=`, else of the first in view."""
        _customer_id, account = self._terms_account(code, request.query_params.get("entity", ""))
        return Response(standing(account, []))

    @terms.mapping.post
    def ask_for_terms(self, request: Request, code: str) -> Response:
        """Ask for other terms, insurance, a bank account; 202 while somebody must agree."""
        body = self.body()
        customer_id, account = self._terms_account(code, body["entity"])
        account_id, now = account.exposure.account_id, timezone.now()
        wanted = {name: body[name] for name in PLAIN if name in body}
        kept = asked_terms(account_id=account_id) or {}
        agreed = {name: body.get(name, kept[name]) for name in AGREED}
        with transaction.atomic():
            waiting = request_customer_changes(
                customer_id=customer_id,
                entity_id=account.entity_id,
                wanted=wanted,
                reason=body["reason"],
                actor=actor_of(request),
                now=now,
            )
            asked = request_credit_terms(
                account_id=account_id,
                terms=CreditTerms(**agreed),
                reason=body["reason"],
                actor=actor_of(request),
                now=now,
            )
        shown = [change_shown(each) for each in (*waiting, *([asked] if asked else []))]
        answer = standing(account, shown)
        return Response(answer, status=202 if shown else 200)

    def _terms_account(self, code: str, entity: str) -> tuple[int, AccountRow]:
        page = customer_page(code=code, entity_ids=self.scope())
        for each in page.accounts if page else ():
            if entity in {"", each.exposure.entity}:
                assert page is not None
                return page.id, each
        raise NotFound("The customer has no account there.")


def standing(account: AccountRow, changes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what stands of an account as the API shows it."""
    found = asked_terms(account_id=account.exposure.account_id) or {}
    kept = str(found["bank_account"])
    return {
        "entity": account.exposure.entity,
        "currency": account.exposure.currency,
        **found,
        "bank_account": kept and f"…{kept[-4:]}",
        "change_requests": changes,
    }
