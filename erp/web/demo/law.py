"""What the law asks in the demo: rules that touch little, licences, a list with a near match."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from erp.accounts.models import Entity
from erp.kernel.sql import rows
from orders.rules.listing import ListEntry
from orders.services.complying import (
    ExceptionRow,
    LicenceRow,
    PartyListRow,
    RestrictionRow,
    save_compliance,
)

EMBARGOED = ("CU", "IR", "KP", "SY")
# One customer of the demo is nearly the first of these; the others resemble nobody.
STRANGERS = (
    ("D-1002", "Zvezda Far Orient Trading House", "RU"),
    ("D-1003", "Karakum Precision Instruments", "TM"),
    ("D-1004", "Blue Lagoon Marine Bunkering FZE", "AE"),
)
BUYER = """
    SELECT name, city, country FROM orders_customer
    WHERE name LIKE '%% %%' ORDER BY code DESC LIMIT 1
"""


def lay_down_the_law(entities: dict[str, Entity], *, today: date, now: datetime) -> None:
    """Write an embargo, a control on a code that few products bear, licences and one list."""
    since = today.replace(month=1, day=1)
    embargo = RestrictionRow(
        code="EMBARGO", name="Embargoed destinations", jurisdiction="ALL", valid_from=since,
        ship_to=EMBARGOED, is_embargo=True,
    )  # fmt: skip
    control = RestrictionRow(
        code="DUAL-5A", name="Dual use, category 5A", jurisdiction="DUAL", valid_from=since,
        coverage="export_code", coverage_value="5A", de_minimis=Decimal("0.25"),
    )  # fmt: skip
    leave = ExceptionRow(
        code="DUAL-LIC", name="Under a licence", jurisdiction="DUAL", valid_from=since,
        needs_licence=True,
    )  # fmt: skip
    for rule in (embargo, control, leave):
        save_compliance(row=rule, actor=None, now=now)
    for number, (_code, entity) in enumerate(sorted(entities.items()), start=1):
        licence = LicenceRow(
            entity_id=entity.pk, number=f"DUAL-{today.year}-{number:03}", jurisdiction="DUAL",
            currency=entity.currency, valid_from=since, valid_until=today + timedelta(days=180),
            quantity_max=Decimal(500), value_max=Decimal(25_000),
        )  # fmt: skip
        save_compliance(row=licence, actor=None, now=now)
    save_compliance(row=_list(), actor=None, now=now)


def _list() -> PartyListRow:
    near = [
        ListEntry("D-1001", f"{name} Holding Intl", city=city, country=country)
        for name, city, country in rows(BUYER)
    ]
    entries = [*near, *(ListEntry(ref, name, country=at) for ref, name, at in STRANGERS)]
    return PartyListRow(code="CONSOLIDATED", name="Consolidated screening list", entries=entries)
