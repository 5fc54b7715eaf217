"""Makes restrictions, licences and lists for tests: the least that a test needs, by name."""

from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Any

from orders.models import ExportLicence
from orders.rules.listing import ListEntry
from orders.services.complying import (
    CertificateRow,
    ExceptionRow,
    ImportedList,
    LicenceRow,
    PartyListRow,
    RestrictionRow,
    Walked,
    compare_parties,
    save_compliance,
    stop_matched,
)
from tests.orders import factories as make

_serial = count(1)
SINCE = make.TODAY.replace(month=1, day=1)


def restriction(**values: Any) -> int:
    row: dict[str, Any] = {
        "code": f"R-{next(_serial)}",
        "name": "Rule",
        "jurisdiction": "EAR",
    } | values
    return saved(RestrictionRow(valid_from=SINCE, **row))


def exception(**values: Any) -> int:
    row: dict[str, Any] = {
        "code": f"X-{next(_serial)}",
        "name": "Leave",
        "jurisdiction": "EAR",
    } | values
    return saved(ExceptionRow(valid_from=SINCE, **row))


def licence(**values: Any) -> ExportLicence:
    owner = make.company()
    row: dict[str, Any] = {
        "entity_id": owner.pk,
        "number": f"L-{next(_serial)}",
        "jurisdiction": "EAR",
        "currency": owner.currency,
        "valid_from": SINCE,
    } | values
    for name in ("quantity_max", "value_max"):
        if name in row:
            row[name] = Decimal(row[name])
    return ExportLicence.objects.get(pk=saved(LicenceRow(**row)))


def certificate(customer_id: int, kind: str = "hazmat", **values: Any) -> int:
    row: dict[str, Any] = {"number": f"Z-{next(_serial)}", "valid_from": SINCE} | values
    return saved(CertificateRow(customer_id=customer_id, kind=kind, **row))


def listed(*names: str, code: str = "SDN", **values: Any) -> ImportedList:
    """Import a list of these names; references are their places in it."""
    entries = [ListEntry(f"E{n}", name, **values) for n, name in enumerate(names)]
    return imported(entries, code)


def imported(entries: list[ListEntry], code: str = "SDN") -> ImportedList:
    row = PartyListRow(code=code, name=code, entries=entries)
    found = save_compliance(row=row, actor=None, now=make.NOW)
    assert isinstance(found, ImportedList)
    return found


def saved(row: RestrictionRow | ExceptionRow | LicenceRow | CertificateRow) -> int:
    found = save_compliance(row=row, actor=None, now=make.NOW)
    assert isinstance(found, int)
    return found


def screen_parties(*, now: datetime, limit: int = 500, anew: str = "") -> Walked | None:
    """Take the next batch of a walk as the worker does; None where there is none."""
    batch = compare_parties(now=now, limit=limit, anew=anew)
    return stop_matched(batch=batch, now=now) if batch else None


def walked(limit: int = 500) -> int:
    """Walk over everybody until nothing is left; return how many batches it took."""
    batches = 0
    while screen_parties(now=make.NOW, limit=limit) is not None:
        batches += 1
    return batches
