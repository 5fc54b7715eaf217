"""Customers, their terms, credit and addresses."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import ChoiceFilter, Filter, FlagFilter, TextFilter
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.requests import actor_of
from orders import permissions
from orders.api import serializers
from orders.api.views._drafts import split
from orders.api.views._prices import change_shown, id_of
from orders.api.views._terms import INPUTS, OUTPUTS, PERMISSIONS, TermsActions
from orders.models import Customer
from orders.rules import completeness
from orders.selectors import (
    CustomerPage,
    Exposure,
    account_terms,
    customer_page,
    customers_within,
    ids_by_code,
    lookalikes,
    part_numbers_of,
    serving_terms,
)
from orders.services import (
    AccountRow,
    CustomerRow,
    PartNumberRow,
    ShipToRow,
    hold_account,
    request_customer_changes,
    save_customer,
    save_price_masters,
    upsert_ship_tos,
)
from orders.services.insisting import insist_customer

TERMS = ("credit_limit", "terms_days", "penalty_rate")
SENSITIVE = (*TERMS, "tax_id")
PLAIN = (
    "name", "tier", "country", "address", "city", "region", "postal_code", "contact", "email",
    "phone", "tax_id", "is_blocked", "ship_complete", "no_split", "no_substitutes",
)  # fmt: skip


class CustomerViewSet(TermsActions):
    """Customers, addressed by code."""

    lookup_field = "code"
    ordering = "code"
    required_permissions: ClassVar = {
        "list": permissions.VIEW_CUSTOMER,
        "retrieve": permissions.VIEW_CUSTOMER,
        "exposure": permissions.VIEW_CUSTOMER,
        "ship_tos": permissions.VIEW_CUSTOMER,
        "create": permissions.CHANGE_CUSTOMER,
        "partial_update": permissions.CHANGE_CUSTOMER,
        "add_ship_to": permissions.CHANGE_CUSTOMER,
        "part_numbers": permissions.VIEW_CUSTOMER,
        "add_part_number": permissions.CHANGE_CUSTOMER,
        "hold": permissions.CHANGE_LIMIT,
        "unhold": permissions.CHANGE_LIMIT,
        **PERMISSIONS,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "tier": ChoiceFilter("tier", choices=tuple(Customer.Tier.values)),
        "country": TextFilter("country"),
        "name": TextFilter("name__icontains"),
        "is_blocked": FlagFilter("is_blocked"),
    }
    ordering_fields = ("code", "name", "id")
    inputs: ClassVar = {
        "create": serializers.CustomerInput,
        "partial_update": serializers.CustomerChangeInput,
        "add_ship_to": serializers.AddressInput,
        "add_part_number": serializers.PartNumberInput,
        "hold": serializers.AccountHoldInput,
        "unhold": serializers.AccountHoldInput,
        **INPUTS,
    }
    outputs: ClassVar = {
        "list": serializers.CustomerOutput,
        "retrieve": serializers.CustomerOutput,
        "create": serializers.CustomerOutput,
        "partial_update": serializers.CustomerOutput,
        "exposure": serializers.ExposureOutput,
        **OUTPUTS,
    }

    def list(self, request: Request) -> Response:
        return self.page(
            customers_within(entity_ids=self.scope()),
            lambda found: [{n: v for n, v in row.items() if n != "id"} for row in found],
        )

    def retrieve(self, request: Request, code: str) -> Response:
        return Response(shown(self._customer(code)))

    def create(self, request: Request) -> Response:
        """Add a customer with an account in one entity."""
        body = self.body()
        entity_id = self.entity_id(body["entity"])
        if ids_by_code("customer", [body["code"]]):
            message = "There is a customer of that code."
            raise ValidationError({"code": [ErrorDetail(message, "taken")]})
        fields = {name: body[name] for name in PLAIN if name in body}
        constraints = split(body.get("constraints", {}))
        serving = constraints.pop("serving", {})
        row = CustomerRow(code=body["code"], **fields, **constraints)
        terms = self._terms(0, entity_id, body)
        alike = lookalikes(
            entity_ids=self.scope(), name=row.name, tax_id=row.tax_id, email=row.email
        )
        actor, now = actor_of(request), timezone.now()
        with transaction.atomic():
            made = save_customer(row=row, terms=terms, actor=actor, now=now)
            insist_customer(customer_id=made, said=serving, actor=actor, now=now)
        page = customer_page(code=body["code"], entity_ids=self.scope())
        assert page is not None
        return Response(shown(page) | {"lookalikes": [asdict(each) for each in alike]}, status=201)

    def partial_update(self, request: Request, code: str) -> Response:
        """Change a customer. Sensitive fields wait for somebody else's agreement: then 202."""
        page, body = self._customer(code), self.body()
        self.check_version(shown(page))
        wanted = {name: body.pop(name) for name in SENSITIVE if name in body}
        reason = body.pop("reason", "")
        if any(name in wanted for name in TERMS) and "entity" not in body:
            said = [ErrorDetail("Say in which entity the terms change.", "required")]
            raise ValidationError({"entity": said})
        kept = {name: getattr(page, name) for name in PLAIN}
        changed = {name: body[name] for name in PLAIN if name in body}
        constraints = split(body.get("constraints", {}))
        serving = constraints.pop("serving", {})
        row = CustomerRow(code=code, **kept | changed | constraints)
        actor, now = actor_of(request), timezone.now()
        waiting = []
        with transaction.atomic():
            save_customer(row=row, actor=actor, now=now)
            insist_customer(customer_id=page.id, said=serving, actor=actor, now=now)
            if wanted:
                waiting = request_customer_changes(
                    customer_id=page.id,
                    entity_id=self._account_entity(page, body.get("entity")),
                    wanted=wanted,
                    reason=reason,
                    actor=actor,
                    now=now,
                )
        answer = shown(self._customer(code))
        if waiting:
            answer["change_requests"] = [change_shown(each) for each in waiting]
        return Response(answer, status=202 if waiting else 200)

    def _account_entity(self, page: CustomerPage, code: str | None) -> int:
        """Return the entity whose account is meant, else the customer's first in view.

        Raises:
            NotFound: the customer has no account there.
        """
        wanted = self.entity_id(code) if code else page.accounts[0].entity_id
        if wanted not in {account.entity_id for account in page.accounts}:
            raise NotFound("The customer has no account there.")
        return wanted

    @action(detail=True, methods=["get"])
    def exposure(self, request: Request, code: str) -> Response:
        """Answer what the customer owes and may owe, by entity."""
        accounts = self._customer(code).accounts
        return Response({"results": [credit(account.exposure) for account in accounts]})

    @action(detail=True, methods=["get"], url_path="ship-tos")
    def ship_tos(self, request: Request, code: str) -> Response:
        """Answer the customer's addresses."""
        return Response({"results": [asdict(each) for each in self._customer(code).ship_tos]})

    @ship_tos.mapping.post
    def add_ship_to(self, request: Request, code: str) -> Response:
        """Add an address, or change the one of that code."""
        page, body = self._customer(code), self.body()
        row = ShipToRow(customer_id=page.id, **body)
        upsert_ship_tos(rows=[row], actor=actor_of(request), now=timezone.now())
        return Response(asdict(row) | {"customer": code}, status=201)

    @action(detail=True, methods=["get"], url_path="part-numbers")
    def part_numbers(self, request: Request, code: str) -> Response:
        """Answer the customer's own numbers of our products."""
        return Response({"results": part_numbers_of(customer_id=self._customer(code).id)})

    @part_numbers.mapping.post
    def add_part_number(self, request: Request, code: str) -> Response:
        """Keep one of the customer's numbers; without a product it is forgotten."""
        page, body = self._customer(code), self.body()
        product = body.get("product")
        row = PartNumberRow(
            customer_id=page.id,
            code=body["code"],
            product_id=id_of("product", product) if product else None,
        )
        save_price_masters(rows=[row], actor=actor_of(request), now=timezone.now())
        kept = {"customer": code, "code": row.code.strip().upper(), "product": product or None}
        return Response(kept, status=201)

    @action(detail=True, methods=["post"])
    def hold(self, request: Request, code: str) -> Response:
        """Stop the customer's credit in one entity."""
        return self._hold(request, code, on_hold=True)

    @action(detail=True, methods=["post"])
    def unhold(self, request: Request, code: str) -> Response:
        """Let the customer's credit go on; held orders are asked again."""
        return self._hold(request, code, on_hold=False)

    def _hold(self, request: Request, code: str, *, on_hold: bool) -> Response:
        page, body = self._customer(code), self.body()
        entity_id = self.entity_id(body["entity"])
        found = [a.exposure.account_id for a in page.accounts if a.entity_id == entity_id]
        if not found:
            raise NotFound("The customer has no account there.")
        hold_account(
            account_id=found[0],
            on_hold=on_hold,
            actor=actor_of(request),
            reason=body["reason"],
            now=timezone.now(),
        )
        return self.retrieve(request, code)

    def _terms(self, customer_id: int, entity_id: int, body: Mapping[str, Any]) -> AccountRow:
        """Return the account as the body says, and as it stands where the body says nothing.

        Raises:
            PermissionDenied: the terms may be changed by credit only.
        """
        asked = {name: body[name] for name in TERMS if name in body}
        if asked and entity_id not in self.scope(permissions.CHANGE_LIMIT):
            raise PermissionDenied
        kept = account_terms(entity_id=entity_id, customer_id=customer_id)
        return AccountRow(entity_id=entity_id, customer_id=customer_id, **kept | asked)

    def _customer(self, code: str) -> CustomerPage:
        page = customer_page(code=code, entity_ids=self.scope())
        if page is None:
            raise NotFound(f"There is no customer {code[:40]!r}.")
        return page


def shown(page: CustomerPage) -> dict[str, Any]:
    """Return one customer as the API shows it."""
    score, missing = completeness({name: str(getattr(page, name)) for name in PLAIN})
    return {
        "code": page.code,
        **{name: getattr(page, name) for name in PLAIN},
        "constraints": serving_terms(customer_id=page.id),
        "completeness": score,
        "missing": missing,
        "accounts": [
            {
                **credit(each.exposure),
                "terms_days": each.exposure.terms_days,
                "penalty_rate": each.penalty_rate,
            }
            for each in page.accounts
        ],
    }


def credit(found: Exposure) -> dict[str, Any]:
    names = (
        "entity", "currency", "credit_limit", "exposure", "available", "used", "receivable",
        "unbilled", "committed", "unapplied", "overdue_amount", "overdue_since", "on_hold",
    )  # fmt: skip
    return {name: getattr(found, name) for name in names}
