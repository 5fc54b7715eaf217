"""Asks for transfers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar
from zoneinfo import ZoneInfo

from django.db import transaction

from erp.accounts.models import Entity
from erp.governance.services import Decision, Question, decide, record
from erp.kernel.errors import DomainError
from erp.kernel.sql import rows
from erp.outbox.publishing import publish_all
from inventory.events import TransferApproved, TransferRequested
from inventory.models import Lane, Node, Product, Transfer, TransferLine
from inventory.rules import arrives_on, countable
from inventory.services.transferring._agreeing import ask
from inventory.services.transferring._reserving import keep_for
from inventory.services.transferring._telling import KIND, change_of, facts, tell_destinations

if TYPE_CHECKING:
    from erp.accounts.models import User

POLICY = "inventory.transfer"
LINES_MAX = 500

# The worth of so much of each product at its owner's average cost, in whole cents.
WORTH = """
    SELECT k.place, round(sum(k.quantity * coalesce(c.value / nullif(c.quantity, 0), 0)), 2)
    FROM unnest(%(places)s::int[], %(entities)s::bigint[], %(products)s::bigint[],
        %(quantities)s::numeric[]) AS k (place, entity_id, product_id, quantity)
    LEFT JOIN inventory_productcost c
        ON c.product_id = k.product_id AND c.entity_id = k.entity_id
    GROUP BY k.place
"""

IDS = """
    SELECT nextval(pg_get_serial_sequence('inventory_transfer', 'id')) FROM generate_series(1, %s)
"""


class BadTransfer(DomainError):
    """A transfer leads nowhere, has no lines, or a line of it makes no sense; `field` says what."""

    code: ClassVar[str] = "bad_transfer"

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferDraft:
    """So much of `entity_id`'s goods, (product id, base units), from one node to another.

    `to_entity_id` None: it stays theirs. The same `client_key` of one company is asked for once.
    """

    entity_id: int
    origin_id: int
    destination_id: int
    lines: Sequence[tuple[int, Decimal]]
    reason: str
    to_entity_id: int | None = None
    client_key: str = ""

    @property
    def buyer_id(self) -> int:
        return self.entity_id if self.to_entity_id is None else self.to_entity_id


@transaction.atomic
def request_transfers(
    *, drafts: Sequence[TransferDraft], actor: "User | None", now: datetime
) -> list[Transfer]:
    """Ask for transfers, all or none; return them in their order.

    What the policy lets pass is approved at once, and its goods are kept at the origin; the rest
    waits for somebody else's agreement. The same client key again answers what it made before.

    Raises:
        BadTransfer: one leads nowhere, says no reason, or asks for nothing that there is.

    Publishes:
        TransferRequested
        TransferApproved
    """
    nodes = _checked(drafts)
    known = _known(drafts)
    fresh = [draft for draft in drafts if (draft.entity_id, draft.client_key) not in known]
    made = _written(fresh, nodes, actor, now) if fresh else []
    publish_all([TransferRequested(**facts(each)) for each in made])
    publish_all(
        [TransferApproved(**facts(each)) for each in made if each.state == Transfer.State.APPROVED]
    )
    left = iter(made)
    return [known.get((draft.entity_id, draft.client_key)) or next(left) for draft in drafts]


def _checked(drafts: Sequence[TransferDraft]) -> dict[int, Node]:
    wanted = {n for draft in drafts for n in (draft.origin_id, draft.destination_id)}
    nodes = Node.objects.in_bulk(wanted)
    listed = {product_id for draft in drafts for product_id, _ in draft.lines}
    products = Product.objects.in_bulk(listed)
    buyers = {draft.buyer_id for draft in drafts}
    active = set(Entity.objects.filter(pk__in=buyers, is_active=True).values_list("pk", flat=True))
    for draft in drafts:
        if draft.origin_id not in nodes:
            raise BadTransfer("origin", "There is no such node to send from.")
        if draft.destination_id not in nodes or not nodes[draft.destination_id].is_active:
            raise BadTransfer("destination", "There is no such open node to send to.")
        if draft.origin_id == draft.destination_id and draft.buyer_id == draft.entity_id:
            raise BadTransfer("destination", "Say another node, or another company.")
        if draft.buyer_id not in active:
            raise BadTransfer("to_entity", "There is no such company to sell to.")
        if not draft.reason.strip():
            raise BadTransfer("reason", "Say why it is to go there.")
        _check_lines(draft, products)
    return nodes


def _check_lines(draft: TransferDraft, products: Mapping[int, Product]) -> None:
    if not 0 < len(draft.lines) <= LINES_MAX:
        raise BadTransfer("lines", f"A transfer has 1 to {LINES_MAX} lines.")
    seen: set[int] = set()
    for place, (product_id, quantity) in enumerate(draft.lines):
        if product_id not in products:
            raise BadTransfer(f"lines.{place}.product", "There is no such product.")
        if product_id in seen:
            code = products[product_id].code
            raise BadTransfer(f"lines.{place}.product", f"{code} is named twice.")
        if not countable(quantity) or quantity <= 0:
            raise BadTransfer(f"lines.{place}.quantity", "Ask for more than nothing.")
        seen.add(product_id)


def _known(drafts: Sequence[TransferDraft]) -> dict[tuple[int, str], Transfer]:
    """Return what was asked for before, by company and client key."""
    keyed = {(draft.entity_id, draft.client_key) for draft in drafts if draft.client_key}
    found = Transfer.objects.filter(
        client_key__in={key for _, key in keyed}, entity_id__in={entity for entity, _ in keyed}
    )
    return {(t.entity_id, t.client_key): t for t in found if (t.entity_id, t.client_key) in keyed}


def _written(
    drafts: Sequence[TransferDraft],
    nodes: Mapping[int, Node],
    actor: "User | None",
    now: datetime,
) -> list[Transfer]:
    values = _worth(drafts)
    ids = [row[0] for row in rows(IDS, [len(drafts)])]
    decisions = _decisions(drafts, ids, nodes, values, now)
    lanes = _lanes(drafts)
    made = Transfer.objects.bulk_create(
        Transfer(
            pk=transfer_id,
            entity_id=draft.entity_id,
            to_entity_id=draft.buyer_id,
            origin=nodes[draft.origin_id],
            destination=nodes[draft.destination_id],
            reason=draft.reason.strip()[:300],
            value=value,
            expected_date=_expected(draft, nodes, lanes, decision, now),
            client_key=draft.client_key,
            requested_at=now,
            requested_by=actor,
        )
        for transfer_id, draft, value, decision in zip(ids, drafts, values, decisions, strict=True)
    )
    TransferLine.objects.bulk_create(
        TransferLine(transfer=each, position=place, product_id=product_id, quantity=quantity)
        for each, draft in zip(made, drafts, strict=True)
        for place, (product_id, quantity) in enumerate(draft.lines, start=1)
    )
    transfers = Transfer.objects.lock_many([each.pk for each in made])
    changes = [
        change
        for each, decision in zip(transfers, decisions, strict=True)
        for change in change_of(
            each, "request_transfer", "", reason=each.reason, version=decision.policy_version
        )
    ]
    record(changes=changes, actor=actor, now=now)
    _pass_on(transfers, decisions, actor, now)
    return transfers


def _pass_on(
    transfers: Sequence[Transfer],
    decisions: Sequence[Decision],
    actor: "User | None",
    now: datetime,
) -> None:
    """Approve what needs nobody, ask about the rest."""
    approved = []
    for each, decision in zip(transfers, decisions, strict=True):
        version = decision.policy_version
        if not decision.outcome["auto"]:
            asked = ask(each, decision, actor, now)
            if asked.state != "approved":
                continue
            version = asked.matrix_version
        each.approve(by_id=None, at=now)
        each.save(update_fields=["state", "approved_by", "approved_at"])
        record(
            changes=change_of(each, "approve_transfer", "requested", version=version),
            actor=None,
            now=now,
        )
        approved.append(each)
    keep_for(approved, now)
    tell_destinations([each.pk for each in approved])


def _worth(drafts: Sequence[TransferDraft]) -> list[Decimal]:
    lines = [
        (place, draft.entity_id, product_id, quantity)
        for place, draft in enumerate(drafts)
        for product_id, quantity in draft.lines
    ]
    params = {
        "places": [line[0] for line in lines],
        "entities": [line[1] for line in lines],
        "products": [line[2] for line in lines],
        "quantities": [line[3] for line in lines],
    }
    found = dict(rows(WORTH, params))
    return [Decimal(found[place]) for place in range(len(drafts))]


def _decisions(
    drafts: Sequence[TransferDraft],
    ids: Sequence[int],
    nodes: Mapping[int, Node],
    values: Sequence[Decimal],
    now: datetime,
) -> list[Decision]:
    books = dict(
        Entity.objects.filter(pk__in={draft.entity_id for draft in drafts}).values_list(
            "pk", "currency"
        )
    )
    questions = [
        Question(
            draft.entity_id,
            KIND,
            transfer_id,
            {
                "amount": value,
                "currency": books[draft.entity_id],
                "is_sale": draft.buyer_id != draft.entity_id,
                "origin": nodes[draft.origin_id].code,
                "destination": nodes[draft.destination_id].code,
                "lines": len(draft.lines),
            },
        )
        for transfer_id, draft, value in zip(ids, drafts, values, strict=True)
    ]
    return decide(policy=POLICY, questions=questions, now=now)


def _lanes(drafts: Sequence[TransferDraft]) -> dict[tuple[int, int], int]:
    found = Lane.objects.filter(origin_id__in={draft.origin_id for draft in drafts})
    return {(lane.origin_id, lane.destination_id): lane.days for lane in found}


def _expected(
    draft: TransferDraft,
    nodes: Mapping[int, Node],
    lanes: Mapping[tuple[int, int], int],
    decision: Decision,
    now: datetime,
) -> date:
    origin = nodes[draft.origin_id]
    if draft.origin_id == draft.destination_id:
        days = 0
    else:
        usual = int(decision.outcome["lane_days"])
        days = lanes.get((draft.origin_id, draft.destination_id), usual)
    return arrives_on(
        now,
        zone=ZoneInfo(origin.time_zone),
        cutoff=origin.cutoff,
        handling_days=origin.handling_days,
        lane_days=days,
    )
