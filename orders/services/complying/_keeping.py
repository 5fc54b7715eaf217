"""Keeps restrictions, exceptions, licences and certificates."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.db import models, transaction

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.outbox.publishing import publish
from orders.events import RestrictionChanged
from orders.models import (
    Certificate,
    Coverage,
    ExportException,
    ExportLicence,
    ExportRestriction,
    Purpose,
)
from orders.rules.geography import country_code
from orders.services.complying._importing import ImportedList, PartyListRow, import_party_list
from orders.services.complying._reviewing import clear_waiting


class BadComplianceRow(DomainError):
    """A field cannot be kept; `errors` says which, for programs."""

    code: ClassVar[str] = "bad_compliance_row"

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(f"{field}: {sentence}")
        self.errors = [{"field": field, "code": "invalid", "message": sentence}]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictionRow:
    """A restriction as it should be, known by its code; see ExportRestriction."""

    code: str
    name: str
    jurisdiction: str
    valid_from: date
    entity_id: int | None = None
    coverage: str = "all"
    coverage_value: str = ""
    sell_to: tuple[str, ...] = ()
    ship_to: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    de_minimis: Decimal = Decimal(0)
    is_embargo: bool = False
    valid_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionRow:
    """An exception as it should be, known by its code; see ExportException."""

    code: str
    name: str
    jurisdiction: str
    valid_from: date
    entity_id: int | None = None
    restriction_id: int | None = None
    customer_id: int | None = None
    coverage: str = "all"
    coverage_value: str = ""
    sell_to: tuple[str, ...] = ()
    ship_to: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    needs_licence: bool = False
    valid_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceRow:
    """A licence as it should be, known by its number in the entity; see ExportLicence."""

    entity_id: int
    number: str
    jurisdiction: str
    currency: str
    valid_from: date
    customer_id: int | None = None
    ship_to: tuple[str, ...] = ()
    export_code: str = ""
    quantity_max: Decimal | None = None
    value_max: Decimal | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRow:
    """A certificate as it should be, known by kind and number of its customer."""

    customer_id: int
    kind: str
    number: str
    valid_from: date
    issuer: str = ""
    hazmat_classes: tuple[str, ...] = ()
    purpose: str = ""
    valid_until: date | None = None


Row = RestrictionRow | ExceptionRow | LicenceRow | CertificateRow
KEYS: Mapping[type, tuple[type[models.Model], tuple[str, ...]]] = {
    RestrictionRow: (ExportRestriction, ("code",)),
    ExceptionRow: (ExportException, ("code",)),
    LicenceRow: (ExportLicence, ("entity_id", "number")),
    CertificateRow: (Certificate, ("customer_id", "kind", "number")),
}


@transaction.atomic
def save_compliance(
    *, row: Row | PartyListRow, actor: User | None, now: datetime
) -> ImportedList | int:
    """Add or change a restriction, exception, licence or certificate by its key; return its id.

    A denied-party list is made to hold exactly the entries of its row; if that changed it,
    everybody is screened again.

    Held orders that it concerns are asked about again, and go on where nothing is missing any more.
    What was let go before a restriction is asked about anew, and stops while its goods are here.
    What is taken of a licence stays; it cannot be made smaller than that.

    Raises:
        BadComplianceRow: a field cannot be kept.
        EmptyList: a list has no entries.

    Publishes:
        RestrictionChanged
    """
    if isinstance(row, PartyListRow):
        return import_party_list(row, actor, now)
    model, key = KEYS[type(row)]
    values = asdict(row)
    _check(row, values)
    named = {name: values.pop(name) for name in key}
    known: Any = model._default_manager.select_for_update().filter(**named).first()  # noqa: SLF001
    if known is None:
        known = model(**named)
    elif isinstance(known, ExportLicence):
        _refuse_less_than_used(known, values)
    before = {name: _told(getattr(known, name)) for name in values} if known.pk else None
    for name, value in values.items():
        setattr(known, name, list(value) if isinstance(value, tuple) else value)
    known.save()
    kind = f"orders.{model._meta.model_name}"  # noqa: SLF001
    change = Change(
        entity_id=getattr(row, "entity_id", None),
        action="orders.change_compliance" if before else "orders.add_compliance",
        subject_kind=kind,
        subject_id=known.pk,
        thread=f"{kind}:{known.pk}",
        before=before,
        after={name: _told(value) for name, value in (named | values).items()},
    )
    record(changes=[change], actor=actor, now=now)
    if isinstance(row, RestrictionRow):
        publish(
            RestrictionChanged(
                restriction_id=known.pk,
                entity_id=row.entity_id or 0,
                code=row.code,
                at=now.isoformat(),
            )
        )
    else:
        clear_waiting(
            entity_id=getattr(row, "entity_id", None),
            customer_id=row.customer_id,
            cause=f"{known} came",
            now=now,
        )
    return int(known.pk)


def _check(row: Row, values: Mapping[str, Any]) -> None:
    for field, sentence in (*_scope_faults(values), *_own_faults(row)):
        raise BadComplianceRow(field, sentence)
    if row.valid_until is not None and row.valid_until <= row.valid_from:
        raise BadComplianceRow("valid_until", "It ends before it begins.")


def _scope_faults(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("code", "name", "number", "jurisdiction"):
        if not values.get(name, "given").strip():
            yield name, "It cannot be empty."
    for name in ("sell_to", "ship_to"):
        for code in values.get(name, ()):
            if country_code(code) != code:
                yield name, f"“{code}” is no country: write two letters."
    if not set(values.get("purposes", ())) <= set(Purpose.values):
        yield "purposes", f"It is one of {', '.join(Purpose.values)}."
    is_all = values.get("coverage", Coverage.ALL) == Coverage.ALL
    if is_all == bool(values.get("coverage_value")):
        yield "coverage_value", "Name the category or the export code."


def _own_faults(row: Row) -> Iterator[tuple[str, str]]:
    if isinstance(row, CertificateRow):
        if row.kind not in Certificate.Kind.values:
            yield "kind", f"It is one of {', '.join(Certificate.Kind.values)}."
        if (row.kind == Certificate.Kind.END_USE) != (row.purpose in Purpose.values):
            yield "purpose", "A certificate of end use names a purpose, no other does."
    if isinstance(row, LicenceRow):
        for name in ("quantity_max", "value_max"):
            if (getattr(row, name) or 0) < 0:
                yield name, "It cannot be negative."


def _refuse_less_than_used(known: ExportLicence, values: Mapping[str, Any]) -> None:
    for name, used in (("quantity_max", known.quantity_used), ("value_max", known.value_used)):
        if values[name] is not None and values[name] < used:
            raise BadComplianceRow(name, f"{used.normalize():f} is used already.")


def _told(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
