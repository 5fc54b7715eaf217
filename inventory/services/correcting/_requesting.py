"""Asks for corrections of stock: agreed to at once by the policy, or by somebody else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from django.db import transaction

from erp.governance.services import (
    ApprovalFacts,
    Decision,
    Effect,
    EffectKind,
    Question,
    decide,
    request_approval,
)
from erp.kernel.errors import DomainError
from erp.kernel.sql import rows
from inventory.models import Correction, CorrectionLine, StockStatus
from inventory.rules import countable
from inventory.selectors import correction_fingerprints, put_aside_by
from inventory.services._posting import LotNeeded
from inventory.services.correcting._noting import KIND, note
from inventory.services.numbering._carrying import (
    SerialsNeeded,
    SerialStep,
    check_serials,
    refuse_numbers,
)

if TYPE_CHECKING:
    from erp.accounts.models import User

AGREEMENT = "inventory.correction_approval"
PERMISSION = "inventory.approve_correction"
STATUSES = frozenset(StockStatus.values) - {StockStatus.IN_TRANSIT}
LINES_SHOWN = 5

GOODS = """
    SELECT p.id, p.code, p.tracking, coalesce(c.value / nullif(c.quantity, 0), 0)
    FROM inventory_product p
    LEFT JOIN inventory_productcost c ON c.product_id = p.id AND c.entity_id = %(entity)s
    WHERE p.id = ANY(%(products)s)
"""
LIES = """
    SELECT s.product_id, s.status, s.id FROM inventory_stock s
    WHERE s.entity_id = %(entity)s AND s.node_id = %(node)s AND s.product_id = ANY(%(products)s)
        AND s.is_serial
"""
NOWHERE = -1  # a balance that is not there holds no piece
LOTS = "SELECT id, product_id FROM inventory_lot WHERE id = ANY(%s)"


class BadCorrection(DomainError):
    """A correction has no reason, no lines, or a line that makes no sense; `field` says what."""

    code: ClassVar[str] = "bad_correction"

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.errors = [{"field": field, "code": self.code, "message": sentence}]


class OwnRelease(DomainError):
    """Nobody would be asked, and who put goods aside does not let them go."""

    code: ClassVar[str] = "own_release"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionLineDraft:
    """So many base units of one balance; with `to_status` they change their status.

    Without, `quantity` is signed, and `unit_value` (company's currency) prices what is found.
    `serials` are the numbers of the pieces, where the product is kept by them.
    """

    product_id: int
    quantity: Decimal
    status: str = "available"
    to_status: str = ""
    lot_id: int | None = None
    unit_value: Decimal | None = None
    serials: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionDraft:
    """What is to be corrected at one node for one company, and why. All lines are of one kind."""

    entity_id: int
    node_id: int
    reason: str
    lines: Sequence[CorrectionLineDraft]

    @property
    def kind(self) -> str:
        return str(
            Correction.Kind.STATUS if self.lines[0].to_status else Correction.Kind.ADJUSTMENT
        )


@transaction.atomic
def request_correction(
    *, draft: CorrectionDraft, actor: "User | None", now: datetime
) -> Correction:
    """Ask for a correction: approved at once where the policy says so, or waiting for somebody.

    Who put goods aside cannot let them go alone: whatever the policy says, somebody else is asked,
    and nobody who put them there. Nothing moves before it is posted; nothing is locked.

    Raises:
        BadCorrection: a line or the reason makes no sense.
        OwnRelease: the person put the goods aside, and nobody would be asked.
        LotNeeded: one of a product that is kept by lot names none, or the other way round.
        SerialsNeeded, BadSerial: other than one number is named for each piece, or one does not
            lie there now.
    """
    worth = _check(draft)
    _check_pieces(draft)
    correction = Correction.objects.create(
        entity_id=draft.entity_id,
        node_id=draft.node_id,
        kind=draft.kind,
        is_release=any(line.to_status == StockStatus.AVAILABLE for line in draft.lines),
        reason=draft.reason.strip()[:200],
        value=sum(worth, Decimal(0)),
        requested_at=now,
        requested_by=actor,
    )
    CorrectionLine.objects.bulk_create(
        CorrectionLine(
            correction=correction,
            position=position,
            product_id=line.product_id,
            lot_id=line.lot_id,
            status=line.status,
            to_status=line.to_status,
            quantity=line.quantity,
            unit_value=line.unit_value,  # type: ignore[misc]
            serials=[number.strip() for number in line.serials],
        )
        for position, line in enumerate(draft.lines, start=1)
    )
    correction = Correction.objects.lock(correction.pk)
    note(
        correction,
        "request_correction",
        "",
        actor,
        now,
        reason=correction.reason,
        value=f"{correction.value:f}",
        lines=len(draft.lines),
    )
    _agree_or_ask(correction, actor, now)
    return correction


def _agree_or_ask(correction: Correction, actor: "User | None", now: datetime) -> None:
    question = Question(
        correction.entity_id,
        KIND,
        correction.pk,
        {
            "kind": correction.kind,
            "is_release": correction.is_release,
            "value": correction.value,
            "currency": correction.entity.currency,
        },
        node=correction.node.code,
    )
    decision = decide(policy=AGREEMENT, questions=[question], now=now, keep=True)[0]
    barred = put_aside_by(correction.pk)
    is_own = actor is not None and actor.pk in barred
    is_agreed = decision.outcome["auto"] and not is_own
    if is_agreed or _ask(correction, decision, barred, now) == "approved":
        if is_own:  # the matrix would let it go without anybody
            raise OwnRelease("Somebody else lets go what you put aside.")
        correction.approve(by_id=None, at=now)
        correction.save(update_fields=["state", "approved_by", "approved_at"])
        note(
            correction,
            "approve_correction",
            Correction.State.REVIEW,
            None,
            now,
            version=decision.policy_version,
        )


def _ask(correction: Correction, decision: Decision, barred: Sequence[int], now: datetime) -> str:
    currency = correction.entity.currency
    lines = list(correction.lines.select_related("product").order_by("position"))
    effects = [
        Effect(
            EffectKind.CHANGE, f"{line.quantity.normalize():+f} {line.product.code} {_way(line)}"
        )
        for line in lines[:LINES_SHOWN]
    ]
    if len(lines) > LINES_SHOWN:
        effects.append(Effect(EffectKind.CHANGE, f"and {len(lines) - LINES_SHOWN} more"))
    asked = request_approval(
        entity_id=correction.entity_id,
        document_kind=KIND,
        document_id=correction.pk,
        label=f"{correction.number} · {correction.node.name}"[:120],
        permission=decision.outcome["permission"] or PERMISSION,
        role=decision.outcome["role"] or "operations_lead",
        amount=correction.value,
        currency=currency,
        consequence=f"{correction.reason}: {len(lines)} balances change."[:300],
        fingerprint=correction_fingerprints([correction.pk])[correction.pk],
        requested_by=correction.requested_by,
        barred=barred,
        policy_version=decision.policy_version,
        facts=ApprovalFacts(effects=effects),
        now=now,
    )
    return str(asked.state)


def _way(line: CorrectionLine) -> str:
    return f"{line.status} → {line.to_status}" if line.to_status else line.status


def _check(draft: CorrectionDraft) -> list[Decimal]:
    """Return what each line is worth without its sign, in whole cents."""
    if not draft.reason.strip():
        raise BadCorrection("reason", "Say why the stock is corrected.")
    if not draft.lines:
        raise BadCorrection("lines", "Say what is to be corrected.")
    params = {
        "entity": draft.entity_id,
        "products": sorted({line.product_id for line in draft.lines}),
    }
    goods = {row[0]: row[1:] for row in rows(GOODS, params)}
    named = [line.lot_id for line in draft.lines if line.lot_id]
    lots = dict(rows(LOTS, [named])) if named else {}
    worth = []
    for line in draft.lines:
        if line.product_id not in goods:
            raise BadCorrection("product", "There is no such product.")
        code, tracking, unit = goods[line.product_id]
        _check_line(line, code, draft.kind)
        if (tracking == "lot") != (line.lot_id is not None):
            raise LotNeeded(code, tracking)
        if line.lot_id is not None and lots.get(line.lot_id) != line.product_id:
            raise BadCorrection("lot", f"There is no such lot of {code}.")
        if tracking != "serial":
            refuse_numbers(line.product_id, line.serials)
        elif len(line.serials) != abs(line.quantity):
            raise SerialsNeeded(code, abs(line.quantity), len(line.serials))
        price = unit if line.unit_value is None else line.unit_value
        worth.append(round(abs(line.quantity) * price, 2))
    return worth


def _check_pieces(draft: CorrectionDraft) -> None:
    """Refuse numbers that could not be posted now, before somebody agrees to them."""
    named = [line for line in draft.lines if line.serials]
    if not named:
        return
    params = {
        "entity": draft.entity_id,
        "node": draft.node_id,
        "products": sorted({line.product_id for line in named}),
    }
    lies = {(row[0], row[1]): row[2] for row in rows(LIES, params)}
    check_serials(
        [
            SerialStep(
                product_id=line.product_id,
                quantity=abs(line.quantity),
                source=lies.get((line.product_id, line.status), NOWHERE)
                if line.to_status or line.quantity < 0
                else 0,
                target=next(
                    (stock for (product, _), stock in lies.items() if product == line.product_id), 0
                ),
                cause_id=0,
                numbers=line.serials,
            )
            for line in named
        ]
    )


def _check_line(line: CorrectionLineDraft, code: str, kind: str) -> None:
    if not countable(line.quantity) or not line.quantity:
        raise BadCorrection("quantity", f"{code}: more or less than nothing, in thousandths.")
    if line.status not in STATUSES:
        raise BadCorrection("status", f"{code}: “{line.status[:12]}” is not corrected here.")
    if (kind == Correction.Kind.STATUS) != bool(line.to_status):
        raise BadCorrection("to_status", "All lines change their status, or none does.")
    if line.unit_value is not None and (
        not line.unit_value.is_finite() or line.unit_value < 0 or line.quantity < 0
    ):
        raise BadCorrection("unit_value", f"{code}: only what is found has a value of its own.")
    if not line.to_status:
        return
    if line.to_status not in STATUSES or line.to_status == line.status:
        raise BadCorrection("to_status", f"{code}: say into which other status.")
    if line.quantity < 0:
        raise BadCorrection("quantity", f"{code}: how much changes its status is above zero.")
    if line.unit_value is not None:
        raise BadCorrection("unit_value", f"{code}: a change of status changes no value.")
