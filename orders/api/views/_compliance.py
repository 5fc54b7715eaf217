"""Export control and denied-party screening over REST."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import ChoiceFilter, Filter, FlagFilter, TextFilter
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.requests import actor_of
from erp.api.views import ResourceViewSet
from orders import permissions
from orders.api import compliance_serializers as serializers
from orders.models import PartyMatch
from orders.rules.listing import BadList, read_csv, read_entries, read_json
from orders.selectors import (
    certificates_within,
    denied_parties,
    exceptions_within,
    ids_by_code,
    licences_within,
    matches_within,
    restrictions_within,
)
from orders.services.complying import (
    CertificateRow,
    ExceptionRow,
    ImportedList,
    LicenceRow,
    PartyListRow,
    RestrictionRow,
    review_match,
    save_compliance,
)

TUPLES = ("sell_to", "ship_to", "purposes", "hazmat_classes")


class RuleViewSet(ResourceViewSet):
    """What the kinds of rules have in common: listed, and written by their key."""

    required_permissions: ClassVar = {
        "list": permissions.VIEW_COMPLIANCE,
        "create": permissions.CHANGE_COMPLIANCE,
    }
    filters: ClassVar[dict[str, Filter]] = {"jurisdiction": TextFilter("jurisdiction")}

    def rows(self) -> Any:
        raise NotImplementedError

    def draft(self, values: dict[str, Any]) -> Any:
        raise NotImplementedError

    def list(self, request: Request) -> Response:
        return self.page(self.rows(), shown)

    def create(self, request: Request) -> Response:
        """Write one; a known key is changed."""
        values = {n: tuple(v) if n in TUPLES else v for n, v in self.body().items()}
        row = self.draft(self._resolved(values))
        saved = save_compliance(row=row, actor=actor_of(request), now=timezone.now())
        return Response(shown(self.rows().filter(pk=saved))[0], status=201)

    def _resolved(self, values: dict[str, Any]) -> dict[str, Any]:
        """Replace codes by ids; an entity that is not named is all of them, where that may be."""
        if "entity" in values:
            values["entity_id"] = self.entity_id(values.pop("entity"))
        if values.get("customer"):
            code = values["customer"]
            found = ids_by_code("customer", [code])
            if code not in found:
                message = f"There is no customer {code[:40]!r}."
                raise ValidationError({"customer": [ErrorDetail(message, "invalid")]})
            values["customer_id"] = found[code]
        values.pop("customer", None)
        if "valid_to" in values:
            values["valid_until"] = values.pop("valid_to")
        return values


class RestrictionViewSet(RuleViewSet):
    """Export restrictions, by code."""

    inputs: ClassVar = {"create": serializers.RestrictionInput}

    def rows(self) -> Any:
        return restrictions_within(self.scope())

    def draft(self, values: dict[str, Any]) -> RestrictionRow:
        return RestrictionRow(**values)


class ExceptionViewSet(RuleViewSet):
    """Exceptions from export restrictions, by code."""

    filters: ClassVar[dict[str, Filter]] = {
        "jurisdiction": TextFilter("jurisdiction"),
        "needs_licence": FlagFilter("needs_licence"),
    }
    inputs: ClassVar = {"create": serializers.ExceptionInput}

    def rows(self) -> Any:
        return exceptions_within(self.scope())

    def draft(self, values: dict[str, Any]) -> ExceptionRow:
        code = values.pop("restriction", "")
        if code:
            found = restrictions_within(self.scope()).filter(code=code).first()
            if found is None:
                message = f"There is no restriction {code[:40]!r}."
                raise ValidationError({"restriction": [ErrorDetail(message, "invalid")]})
            values["restriction_id"] = found["id"]
        return ExceptionRow(**values)


class LicenceViewSet(RuleViewSet):
    """Export licences of an entity, by number, with what is left of them."""

    inputs: ClassVar = {"create": serializers.LicenceInput}

    def rows(self) -> Any:
        return licences_within(self.scope())

    def draft(self, values: dict[str, Any]) -> LicenceRow:
        return LicenceRow(**values)


class CertificateViewSet(RuleViewSet):
    """Certificates that customers have shown."""

    filters: ClassVar[dict[str, Filter]] = {"kind": TextFilter("kind")}
    inputs: ClassVar = {"create": serializers.CertificateInput}

    def rows(self) -> Any:
        return certificates_within(self.scope())

    def draft(self, values: dict[str, Any]) -> CertificateRow:
        return CertificateRow(**values)


class DeniedPartyViewSet(ResourceViewSet):
    """Entries of the denied-party lists."""

    required_permissions: ClassVar = {
        "list": permissions.VIEW_COMPLIANCE,
        "load": permissions.CHANGE_COMPLIANCE,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "list": TextFilter("party_list__code"),
        "name": TextFilter("name__icontains"),
    }
    inputs: ClassVar = {"load": serializers.PartyListInput}

    def list(self, request: Request) -> Response:
        return self.page(denied_parties())

    @action(detail=False, methods=["post"], url_path="import")
    def load(self, request: Request) -> Response:
        """Replace a list as a whole by the entries, or the text of a CSV or JSON file."""
        body = self.body()
        try:
            entries = _entries(body)
        except BadList as error:
            raise ValidationError({"content": [ErrorDetail(str(error), "invalid")]}) from error
        row = PartyListRow(
            code=body["list"], name=body.get("name") or body["list"], entries=entries
        )
        found = save_compliance(row=row, actor=actor_of(request), now=timezone.now())
        assert isinstance(found, ImportedList)
        names = ("code", "version", "added", "changed", "removed")
        return Response({name: getattr(found, name) for name in names}, status=201)


class PartyMatchViewSet(ResourceViewSet):
    """Matches with denied parties, to be confirmed or rejected."""

    required_permissions: ClassVar = {
        "list": permissions.VIEW_COMPLIANCE,
        "retrieve": permissions.VIEW_COMPLIANCE,
        "confirm": permissions.REVIEW_MATCH,
        "reject": permissions.REVIEW_MATCH,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "state": ChoiceFilter("state", choices=tuple(PartyMatch.State.values)),
    }
    ordering_fields = ("score", "id")
    inputs: ClassVar = {"confirm": serializers.VerdictInput, "reject": serializers.VerdictInput}

    def list(self, request: Request) -> Response:
        return self.page(matches_within(self.scope()))

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self._one(pk))

    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        """Say that it is the denied party; its orders stay held."""
        return self._review(request, pk, is_real=True)

    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: str) -> Response:
        """Say that it is somebody else; orders that only this held go on."""
        return self._review(request, pk, is_real=False)

    def _review(self, request: Request, pk: str, *, is_real: bool) -> Response:
        found, body = self._one(pk), self.body()
        review_match(
            match_id=found["id"],
            is_real=is_real,
            reason=body["reason"],
            actor=actor_of(request),
            now=timezone.now(),
        )
        return self.retrieve(request, pk)

    def _one(self, pk: str) -> dict[str, Any]:
        is_id = pk.isascii() and pk.isdecimal() and len(pk) < 19  # noqa: PLR2004
        found = matches_within(self.scope()).filter(pk=int(pk)).first() if is_id else None
        if found is None:
            raise NotFound("There is no such match.")
        return dict(found)


def shown(found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows as the API shows them: codes by their plain names."""
    names = {
        "entity_code": "entity",
        "customer_code": "customer",
        "restriction_code": "restriction",
        "valid_until": "valid_to",
    }
    return [{names.get(name, name): value for name, value in row.items()} for row in found]


def _entries(body: Mapping[str, Any]) -> Any:
    if "entries" in body:
        return read_entries(body["entries"])
    reads = {"csv": read_csv, "json": read_json}
    return reads[body.get("format", "csv")](body.get("content", ""))
