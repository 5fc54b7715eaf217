"""What was weighed beyond the shelf, and what stands asked for."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from inventory.models import Sourcing

WAYS = {
    "inbound": _("On its way"),
    "transfer": _("Moved from another node"),
    "affiliate": _("Bought of a sister company"),
    "buy": _("Bought from a supplier"),
    "drop_ship": _("Sent by the supplier"),
    "backorder": _("Left waiting"),
}
WHY = {
    "empty": _("Nothing was free"),
    "taken": _("Lines before it took what was free"),
    "not_needed": _("Another way is better"),
    "not_allowed": _("The line may not be served from there"),
    "too_old": _("It would not keep long enough"),
    "not_worth_it": _("Waiting costs less"),
    "policy": _("The policy does not allow it"),
    "unpriced": _("Nobody can say what it costs"),
    "protected": _("What is left is kept for others"),
    "closed": _("The node is closed"),
}


@dataclass(frozen=True, slots=True)
class ElsewhereRow:
    """One way to get it from elsewhere, as the decision saw it, in base units and `currency`.

    `score` is `cost` with what the delay costs: the least is chosen. `date` is when the customer
    has it. `document` names what was asked for before; `rejected` is empty where some was taken.
    """

    mode: str
    product: str
    place: str
    leaves: date | None
    date: date | None
    cost: Decimal | None
    score: Decimal | None
    available: Decimal | None
    taken: Decimal
    rejected: str
    document: str
    currency: str

    @property
    def way(self) -> str:
        """How it would come, in words."""
        return str(WAYS.get(self.mode, self.mode))

    @property
    def why(self) -> str:
        """Why it gives no more, in words."""
        return str(WHY.get(self.rejected, self.rejected))


def elsewhere_of(stored: Any, currency: str, entity_ids: Collection[int]) -> list[ElsewhereRow]:
    """Return what a receipt keeps of ways from elsewhere.

    What a sister company has is told only to who may see that company: others learn no more than
    what is taken of it.
    """
    listed = (json.loads(stored) if isinstance(stored, str) else stored) or []
    found = []
    for each in listed:
        is_known = each["seller"] is None or each["seller"] in entity_ids
        if is_known or Decimal(each["taken"]) > 0:
            found.append(_row(each, currency, is_known=is_known))
    return found


def told_flip(flip: str, stored: Any, entity_ids: Collection[int]) -> str:
    """Return what would have changed the choice; nothing where it names a company unseen."""
    listed = (json.loads(stored) if isinstance(stored, str) else stored) or []
    hidden = [each["place"] for each in listed if each["seller"] not in {None, *entity_ids}]
    return "" if any(place and place in flip for place in hidden) else flip


def _row(each: dict[str, Any], currency: str, *, is_known: bool) -> ElsewhereRow:
    return ElsewhereRow(
        mode=each["mode"],
        product=each["product"],
        place=each["place"] if is_known else str(_("a sister company")),
        date=date.fromisoformat(each["date"]) if each["date"] else None,
        leaves=date.fromisoformat(each["leaves"]) if each["leaves"] else None,
        cost=_decimal(each["cost"]),
        score=_decimal(each["score"]),
        available=_decimal(each["available"] if is_known else each["taken"]),
        taken=Decimal(each["taken"]),
        rejected=each["rejected"],
        document=each["document"],
        currency=currency,
    )


def _decimal(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def live_sourcings(*, kind: str, ids: Collection[int]) -> Sequence[Sourcing]:
    """Return what is proposed, chosen or asked for for these demands, oldest first. One query."""
    found = Sourcing.objects.filter(
        demand_id__in=list(ids), demand_kind=kind, state__in=Sourcing.LIVE
    )
    return list(found.order_by("pk"))
