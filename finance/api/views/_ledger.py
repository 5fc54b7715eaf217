"""The ledger: read, reverse, close."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.accounts.models import User
from erp.api.filters import ChoiceFilter, DateFilter, Filter, IdFilter, TextFilter, query_values
from erp.api.problems import NotFound
from erp.api.requests import actor_of
from erp.api.views import ResourceViewSet
from finance import permissions
from finance.api import serializers
from finance.models import Account, JournalEntry, Period
from finance.selectors import journal_entry, tie_outs, trial_balance
from finance.services import close_period, reopen_period, reverse_entry, soft_close_period


def with_entity(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"entity": row.pop("entity__code"), **row} for row in rows]


class AccountViewSet(ResourceViewSet):
    """Each entity's chart of accounts."""

    required_permissions: ClassVar = {"list": permissions.VIEW_LEDGER}
    filters: ClassVar[dict[str, Filter]] = {
        "code": TextFilter("code"),
        "kind": ChoiceFilter("kind", choices=tuple(Account.Kind.values)),
        "purpose": ChoiceFilter("purpose", choices=tuple(Account.Purpose.values)),
    }
    ordering = "id"
    ordering_fields = ("id", "code")
    outputs: ClassVar = {"list": serializers.AccountOutput}

    def list(self, request: Request) -> Response:
        rows = Account.objects.filter(entity_id__in=self.scope()).values(
            "id", "entity__code", "code", "name", "kind", "purpose"
        )
        return self.page(rows, with_entity)


class JournalEntryViewSet(ResourceViewSet):
    """Entries are never changed; one by hand is undone by its reversal."""

    lookup_field = "pk"
    lookup_value_regex = "[0-9]{1,18}"
    required_permissions: ClassVar = {
        "list": permissions.VIEW_LEDGER,
        "retrieve": permissions.VIEW_LEDGER,
        "reverse": permissions.WRITE_ENTRY,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "kind": ChoiceFilter("kind", choices=tuple(JournalEntry.Kind.values)),
        "cause_kind": TextFilter("cause_kind"),
        "cause_id": IdFilter("cause_id"),
        "from": DateFilter("date__gte"),
        "to": DateFilter("date__lte"),
    }
    ordering_fields = ("id", "date")
    inputs: ClassVar = {"reverse": serializers.ReasonInput}
    outputs: ClassVar = {"list": serializers.EntryOutput}

    def list(self, request: Request) -> Response:
        rows = JournalEntry.objects.filter(entity_id__in=self.scope()).values(
            "id", "entity__code", "kind", "cause_kind", "cause_id", "date", "posted_at", "memo"
        )
        return self.page(rows, self._rows)

    def retrieve(self, request: Request, pk: str) -> Response:
        entry = journal_entry(entry_id=int(pk), entity_ids=self.scope())
        if entry is None:
            raise NotFound(f"There is no journal entry {pk}.")
        return Response(entry)

    @action(detail=True, methods=["post"])
    def reverse(self, request: Request, pk: str) -> Response:
        """Write its opposite."""
        if journal_entry(entry_id=int(pk), entity_ids=self.scope()) is None:
            raise NotFound(f"There is no journal entry {pk}.")
        new = reverse_entry(
            entry_id=int(pk),
            actor=actor_of(request),
            reason=self.body()["reason"],
            now=timezone.now(),
        )
        return Response(journal_entry(entry_id=new, entity_ids=self.scope()), status=201)

    @staticmethod
    def _rows(rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        shown = with_entity(rows)
        for row in shown:
            row["cause"] = f"{row.pop('cause_kind')}:{row.pop('cause_id')}"
        return shown


class PeriodViewSet(ResourceViewSet):
    """The months of the books."""

    lookup_field = "pk"
    lookup_value_regex = "[0-9]{1,18}"
    required_permissions: ClassVar = {
        "list": permissions.VIEW_LEDGER,
        "retrieve": permissions.VIEW_LEDGER,
        "soft_close": permissions.CLOSE_PERIOD,
        "close": permissions.CLOSE_PERIOD,
        "reopen": permissions.CLOSE_PERIOD,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "state": ChoiceFilter("state", choices=tuple(Period.State.values)),
        "from": DateFilter("starts__gte"),
    }
    ordering = "-starts"
    ordering_fields = ("id", "starts")
    inputs: ClassVar = dict.fromkeys(("soft_close", "close", "reopen"), serializers.NothingInput)
    outputs: ClassVar = {"list": serializers.PeriodOutput, "retrieve": serializers.PeriodOutput}

    def list(self, request: Request) -> Response:
        return self.page(self._periods(), with_entity)

    def retrieve(self, request: Request, pk: str) -> Response:
        found = self._periods().filter(pk=int(pk)).first()
        if found is None:
            raise NotFound(f"There is no period {pk}.")
        return Response(with_entity([found])[0])

    @action(detail=True, methods=["post"], url_path="soft-close")
    def soft_close(self, request: Request, pk: str) -> Response:
        """Stop the daily posting into it; corrections still go in."""
        return self._moved(request, pk, soft_close_period)

    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str) -> Response:
        """Close it: nothing may be posted into it."""
        return self._moved(request, pk, close_period)

    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        """Open it again."""
        return self._moved(request, pk, reopen_period)

    def _periods(self) -> Any:
        return Period.objects.filter(entity_id__in=self.scope()).values(
            "id", "entity__code", "starts", "ends", "state", "closed_at"
        )

    def _moved(self, request: Request, pk: str, command: Callable[..., Period]) -> Response:
        self.retrieve(request, pk)
        self.body()
        now: datetime = timezone.now()
        actor: User = actor_of(request)
        command(period_id=int(pk), actor=actor, now=now)
        return self.retrieve(request, pk)


class TrialBalanceViewSet(ResourceViewSet):
    """Every account's turnover, and the control accounts beside what proves them."""

    required_permissions: ClassVar = {"list": permissions.VIEW_LEDGER}
    filters: ClassVar[dict[str, Filter]] = {"on": DateFilter("on")}

    def list(self, request: Request) -> Response:
        on = query_values(request, self.filters).get("on") or timezone.now().date()
        entities = self.scope()
        return Response(
            {
                "on": on,
                "accounts": trial_balance(entity_ids=entities, on=on),
                "tie_outs": tie_outs(entity_ids=entities),
            }
        )
