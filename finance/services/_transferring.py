"""Transfers on both sides of the ledger: what leaves, what comes, what is lost on the way."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Change, Decision, Question, decide, record
from erp.kernel.errors import DomainError
from erp.kernel.sql import records
from finance.models import Account, GroupSale, JournalEntry
from finance.services._adjusting import adjust_stock
from finance.services._converting import rate_on
from finance.services._posting import Posting, post
from inventory.services.transferring import (
    Came,
    SentGoods,
    Terms,
    send_transfers,
)
from inventory.services.transferring import receive_transfer as receive_goods

Purpose = Account.Purpose
Kind = JournalEntry.Kind
POLICY = "finance.transfer_price"
TRANSFER = "inventory.transfer"

SALES = """
    SELECT t.id, t.entity_id, t.to_entity_id, t.value, s.code AS seller, b.code AS buyer,
        s.currency, b.currency AS buyer_currency, s.time_zone
    FROM inventory_transfer t
    JOIN accounts_entity s ON s.id = t.entity_id
    JOIN accounts_entity b ON b.id = t.to_entity_id
    WHERE t.id = ANY(%s) AND t.entity_id <> t.to_entity_id AND t.state IN ('approved', 'picked')
    ORDER BY t.id
"""


class NegativeMarkup(DomainError):
    """The policy sells to a sister company for less than nothing."""

    code: ClassVar[str] = "finance.negative_markup"


@dataclass(frozen=True, slots=True)
class ReceivedTransfer:
    """A transfer after a receipt, and what was found and lost at it (owner's currency)."""

    transfer_id: int
    number: str
    state: str
    found: Decimal
    lost: Decimal


@transaction.atomic
def ship_transfers(
    *, transfer_ids: Collection[int], actor: User | None, now: datetime
) -> list[SentGoods]:
    """Let picked transfers leave; return those that did so now. Thousands at once.

    Within one company nothing is posted: the goods are worth what they were, elsewhere. Sold to a
    sister company, one commit holds both legs: the seller's cost of sales against inventory and its
    claim against its sale, the buyer's inventory against its debt, at the policy's markup on cost
    and the rate of the seller's day. Those that left before are missing from the answer.

    Raises:
        NoRate: there is no rate between the two currencies.
        NegativeMarkup: the policy's price is below nothing.
        PeriodClosed, BooksNotOpen: one of the entries cannot be posted.
        and what `inventory.services.transferring.send_transfers` refuses.
    """
    heads = {head["id"]: head for head in records(SALES, [list(transfer_ids)])}
    decisions = _decisions(list(heads.values()), now)
    terms = {
        transfer_id: Terms(_markup(decisions[transfer_id]), _rate(head, now))
        for transfer_id, head in heads.items()
    }
    sent = send_transfers(transfer_ids=transfer_ids, terms=terms, actor=actor, now=now)
    sold = [each for each in sent if each.entity_id != each.to_entity_id]
    GroupSale.objects.bulk_create(
        GroupSale(
            transfer_id=each.transfer_id,
            seller_id=each.entity_id,
            buyer_id=each.to_entity_id,
            sold_at=now,
            currency=heads[each.transfer_id]["currency"],
            buyer_currency=heads[each.transfer_id]["buyer_currency"],
            rate=terms[each.transfer_id].rate,
            cost=each.cost,
            price=each.price,
            landed=each.landed,
            policy_version=decisions[each.transfer_id].policy_version,
        )
        for each in sold
    )
    _post_both(sold, actor, now)
    _record(sold, decisions, actor, now)
    return sent


@transaction.atomic
def receive_transfer(
    *,
    transfer_id: int,
    came: Sequence[Came],
    is_last: bool,
    actor: User | None,
    now: datetime,
    said: str = "",
) -> ReceivedTransfer:
    """Take in what came of a transfer, or say what became of the rest; one commit.

    What was lost leaves the owner's stock at average cost, what came over is found at it; both are
    posted against stock adjustments. See `inventory.services.transferring.receive_transfer`.

    Raises:
        PeriodClosed, BooksNotOpen: the entry cannot be posted.
        and what `inventory.services.transferring.receive_transfer` refuses.
    """
    goods = receive_goods(
        transfer_id=transfer_id, came=came, is_last=is_last, actor=actor, now=now, note_text=said
    )
    adjusted = adjust_stock(adjustments=goods.corrections, kind="adjustment", actor=actor, now=now)
    return ReceivedTransfer(
        transfer_id,
        goods.transfer.number,
        str(goods.transfer.state),
        sum((each.value for each in adjusted if each.value > 0), Decimal(0)),
        -sum((each.value for each in adjusted if each.value < 0), Decimal(0)),
    )


def _decisions(heads: Sequence[dict[str, object]], now: datetime) -> dict[int, Decision]:
    questions = [
        Question(
            head["entity_id"],  # type: ignore[arg-type]
            TRANSFER,
            head["id"],  # type: ignore[arg-type]
            {
                "seller": str(head["seller"]),
                "buyer": str(head["buyer"]),
                "amount": Decimal(str(head["value"])),
                "currency": str(head["currency"]),
            },
        )
        for head in heads
    ]
    answers = decide(policy=POLICY, questions=questions, now=now)
    return {q.subject_id: answer for q, answer in zip(questions, answers, strict=True)}


def _markup(decision: Decision) -> Decimal:
    markup = Decimal(str(decision.outcome["markup"]))
    if markup < -1:
        raise NegativeMarkup("The transfer price of the policy is below nothing.")
    return markup


def _rate(head: dict[str, object], now: datetime) -> Decimal:
    today = now.astimezone(ZoneInfo(str(head["time_zone"]))).date()
    return rate_on(str(head["currency"]), str(head["buyer_currency"]), today)


def _post_both(sold: Sequence[SentGoods], actor: User | None, now: datetime) -> None:
    """Post the seller's entries, then the buyer's: two statements."""
    post(
        [
            Posting(
                entity_id=each.entity_id,
                kind=Kind.SHIPMENT,
                cause_kind=TRANSFER,
                cause_id=each.transfer_id,
                lines=[
                    (Purpose.GROUP_COST, each.cost),
                    (Purpose.INVENTORY, -each.cost),
                    (Purpose.DUE_FROM, each.price),
                    (Purpose.GROUP_REVENUE, -each.price),
                ],
                memo=f"{each.number} sold to a sister company",
            )
            for each in sold
        ],
        actor=actor,
        now=now,
    )
    post(
        [
            Posting(
                entity_id=each.to_entity_id,
                kind=Kind.RECEIPT,
                cause_kind=TRANSFER,
                cause_id=each.transfer_id,
                lines=[(Purpose.INVENTORY, each.landed), (Purpose.DUE_TO, -each.landed)],
                memo=f"{each.number} bought from a sister company",
            )
            for each in sold
        ],
        actor=actor,
        now=now,
    )


def _record(
    sold: Sequence[SentGoods],
    decisions: dict[int, Decision],
    actor: User | None,
    now: datetime,
) -> None:
    changes = [
        Change(
            entity_id=entity_id,
            action=f"finance.{verb}",
            subject_kind=TRANSFER,
            subject_id=each.transfer_id,
            thread=f"{TRANSFER}:{each.transfer_id}",
            after={"price": f"{each.price:f}", "landed": f"{each.landed:f}"},
            policy_version=decisions[each.transfer_id].policy_version,
        )
        for each in sold
        for entity_id, verb in (
            (each.entity_id, "sell_to_sister"),
            (each.to_entity_id, "buy_from_sister"),
        )
    ]
    record(changes=changes, actor=actor, now=now)
