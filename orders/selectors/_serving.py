"""What customers and orders insist on."""

from typing import Any

from orders.models import ServingTerms

PLAIN = ("max_nodes", "min_shelf_days", "substitutes", "soft")
PLACES = ("nodes", "entities", "countries")


def serving_terms(*, customer_id: int | None = None, order_id: int | None = None) -> dict[str, Any]:
    """Return what one of both insists on, as people say it; what is open says nothing.

    Two queries at most.
    """
    who = {"customer_id": customer_id} if order_id is None else {"order_id": order_id}
    return said_of(ServingTerms.objects.filter(**who).first())


def said_of(kept: ServingTerms | None) -> dict[str, Any]:
    """Return terms as people say them."""
    if kept is None:
        return {**dict.fromkeys(PLAIN), "substitutes": "", **{name: [] for name in PLACES}}
    places = list(kept.places.select_related("node", "entity"))
    return {
        **{name: getattr(kept, name) for name in PLAIN},
        "nodes": sorted(each.node.code for each in places if each.node),
        "entities": sorted(each.entity.code for each in places if each.entity),
        "countries": sorted(each.country for each in places if each.country),
    }
