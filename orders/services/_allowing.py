"""Writes what a customer or an order insists on."""

from collections.abc import Collection, Mapping
from typing import Any

from erp.accounts.models import Entity
from inventory.models import Node
from orders.models import ServingPlace, ServingTerms
from orders.models.serving import SOFT
from orders.selectors._serving import PLACES, PLAIN, said_of
from orders.services._refusing import BadReference

NAMES = (*PLAIN, *PLACES)
COUNT_MAX = 1_000
DAYS_MAX = 3_650
PLACES_MAX = 200
COUNTRY = 2


def keep_terms(
    said: Mapping[str, Any], *, customer_id: int | None = None, order_id: int | None = None
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Bring what one of both insists on to what is said; return before and after, if it differs.

    What is not named stays; none, or nothing in a list, is cleared: then the customer's holds for
    an order. `max_nodes` and `min_shelf_days` are whole numbers, `substitutes` is always, ask or
    nothing, `soft` names what is only wished for, `nodes`, `entities` and `countries` are codes.

    Raises:
        BadReference: one of it cannot be so, or is not there.
    """
    if not said:
        return None
    _refuse(said)
    who = {"customer_id": customer_id} if order_id is None else {"order_id": order_id}
    kept = ServingTerms.objects.select_for_update().filter(**who).first()
    before = said_of(kept)
    after = {**before, **{name: _clean(name, said[name]) for name in NAMES if name in said}}
    if before == after:
        return None
    plain = {name: after[name] for name in PLAIN}
    if kept is None:
        kept = ServingTerms.objects.create(**who, **plain)
    else:
        ServingTerms.objects.filter(pk=kept.pk).update(**plain)
    if any(before[name] != after[name] for name in PLACES):
        kept.places.all().delete()
        ServingPlace.objects.bulk_create(_places(kept, after))
    return before, after


def _clean(name: str, value: Any) -> Any:
    if name in PLACES:
        return sorted({str(each).strip().upper() for each in value or ()})
    if name == "soft":
        return None if value is None else [each for each in SOFT if each in value]
    return (value or "") if name == "substitutes" else value


def _places(terms: ServingTerms, wanted: Mapping[str, Any]) -> list[ServingPlace]:
    nodes = _ids(Node, wanted["nodes"], "nodes")
    entities = _ids(Entity, wanted["entities"], "entities")
    return [
        *(ServingPlace(terms=terms, node_id=each) for each in nodes),
        *(ServingPlace(terms=terms, entity_id=each) for each in entities),
        *(ServingPlace(terms=terms, country=each) for each in wanted["countries"]),
    ]


def _ids(model: Any, codes: Collection[str], field: str) -> list[int]:
    found = dict(model.objects.filter(code__in=codes).values_list("code", "pk"))
    for code in codes:
        if code not in found:
            raise BadReference(f"There is no {code[:40]!r}.", field)
    return list(found.values())


def _refuse(said: Mapping[str, Any]) -> None:
    for name, least, most in (("max_nodes", 1, COUNT_MAX), ("min_shelf_days", 0, DAYS_MAX)):
        value = said.get(name)
        if value is not None and not least <= value <= most:
            raise BadReference(f"It is a whole number from {least:,} to {most:,}.", name)
    if (said.get("substitutes") or "") not in ServingTerms.Substitutes.values:
        raise BadReference("It is always, ask or nothing.", "substitutes")
    if not set(said.get("soft") or ()) <= set(SOFT):
        raise BadReference(f"It is some of {', '.join(SOFT)}.", "soft")
    for name in PLACES:
        if len(said.get(name) or ()) > PLACES_MAX:
            raise BadReference(f"Name at most {PLACES_MAX}.", name)
    for code in said.get("countries") or ():
        if len(code.strip()) != COUNTRY or not code.strip().isascii() or not code.strip().isalpha():
            raise BadReference(f"{code[:40]!r} is no country of two letters.", "countries")
