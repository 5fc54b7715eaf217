"""Holds of many orders at once: lifted, asked again, forced. One result for each order."""

from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.problems import NotFound
from erp.api.requests import actor_of
from erp.api.views import Outcome, ResourceViewSet
from erp.kernel.errors import DomainError
from orders.api import serializers
from orders.models import Order
from orders.services import LiftedHold, force_holds, lift_holds_bulk, reevaluate_holds


class NothingHeld(DomainError):
    """No hold of the order could be lifted: it has none of the kinds asked for."""

    code: ClassVar[str] = "nothing_held"


class HoldActions(ResourceViewSet):
    """What is done about the holds of many orders, each named by its number."""

    @action(detail=False, methods=["post"], url_path="bulk/release", url_name="bulk-release")
    def release_many(self, request: Request) -> Response:
        """Lift the holds that the caller may lift; each order answers for itself."""
        return self.bulk(serializers.BulkReleaseInput, self._release)

    @action(detail=False, methods=["post"], url_path="bulk/reevaluate", url_name="bulk-reevaluate")
    def reevaluate_many(self, request: Request) -> Response:
        """Ask the checks again; each cleared reason is lifted, what nothing holds goes on."""
        return self.bulk(serializers.BulkReevaluateInput, self._reevaluate)

    @action(detail=False, methods=["post"], url_path="bulk/hold", url_name="bulk-hold")
    def hold_many(self, request: Request) -> Response:
        """Stop orders so that only a person lets them go on."""
        return self.bulk(serializers.BulkForceInput, self._force)

    def _release(self, bodies: Sequence[dict[str, Any]]) -> Sequence[Outcome]:
        ids, found = self._ids(bodies), dict[int, Outcome]()
        groups: dict[tuple[str, tuple[str, ...], date | None], list[int]] = {}
        for index, body in enumerate(bodies):
            kinds = tuple(sorted(body.get("kinds", ())))
            key = (body["reason"], kinds, body.get("valid_until"))
            groups.setdefault(key, []).append(index)
        for (reason, kinds, valid_until), indexes in groups.items():
            named = [index for index in indexes if bodies[index]["order"] in ids]
            lifted = lift_holds_bulk(
                order_ids={ids[bodies[index]["order"]] for index in named},
                actor=actor_of(self.request),
                reason=reason,
                now=timezone.now(),
                kinds=kinds or None,
                valid_until=valid_until,
            )
            by_order: dict[int, list[LiftedHold]] = {}
            for each in lifted:
                by_order.setdefault(each.order_id, []).append(each)
            for index in named:
                found[index] = _released(by_order.get(ids[bodies[index]["order"]], []))
        return self._answers(bodies, ids, found)

    def _reevaluate(self, bodies: Sequence[dict[str, Any]]) -> Sequence[Outcome]:
        ids = self._ids(bodies)
        asked = reevaluate_holds(
            order_ids=set(ids.values()),
            cause="Asked again over REST",
            actor=actor_of(self.request),
            now=timezone.now(),
        )
        by_id = {each.order_id: each for each in asked}
        found: dict[int, Outcome] = {}
        for index, body in enumerate(bodies):
            if body["order"] in ids:
                each = by_id.get(ids[body["order"]])
                found[index] = (
                    NothingHeld("Nothing holds this order.")
                    if each is None
                    else {
                        "status": 200,
                        "number": each.number,
                        "state": each.state,
                        "cleared": list(each.cleared),
                        "holds": list(each.holds),
                    }
                )
        return self._answers(bodies, ids, found)

    def _force(self, bodies: Sequence[dict[str, Any]]) -> Sequence[Outcome]:
        ids, found = self._ids(bodies), dict[int, Outcome]()
        by_reason: dict[str, set[int]] = {}
        for body in bodies:
            if body["order"] in ids:
                by_reason.setdefault(body["reason"], set()).add(ids[body["order"]])
        stopped: set[int] = set()
        for reason, chosen in by_reason.items():
            stopped |= set(
                force_holds(
                    order_ids=chosen,
                    reason=reason,
                    actor=actor_of(self.request),
                    now=timezone.now(),
                )
            )
        for index, body in enumerate(bodies):
            if body["order"] in ids:
                found[index] = (
                    {"status": 200, "number": body["order"], "forced": True}
                    if ids[body["order"]] in stopped
                    else NothingHeld("It is being picked, has left or is cancelled.")
                )
        return self._answers(bodies, ids, found)

    def _ids(self, bodies: Sequence[dict[str, Any]]) -> dict[str, int]:
        """Return the orders within reach, by number. One query."""
        numbers = {body["order"] for body in bodies}
        found = Order.objects.filter(number__in=numbers, entity_id__in=self.scope())
        return dict(found.values_list("number", "pk"))

    def _answers(
        self, bodies: Sequence[dict[str, Any]], ids: dict[str, int], found: dict[int, Outcome]
    ) -> list[Outcome]:
        return [
            found[index] if body["order"] in ids else NotFound("There is no such order.")
            for index, body in enumerate(bodies)
        ]


def _released(lifted: Sequence[LiftedHold]) -> Outcome:
    if not lifted:
        return NothingHeld("Nothing of that kind holds this order.")
    refused = [each.refusal for each in lifted if each.refusal is not None]
    if len(refused) == len(lifted):
        return refused[0]
    return {
        "status": 200,
        "number": lifted[0].number,
        "state": lifted[-1].state,
        "lifted": len(lifted) - len(refused),
        "refused": [{"code": each.code, "message": str(each)} for each in refused],
    }
