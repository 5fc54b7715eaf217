"""The ways out of an order that is held, priced."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from erp.accounts.models import Role
from erp.kernel.sql import records
from exceptions.models import ExceptionCase
from exceptions.rules.exposure import CENT, NOTHING
from exceptions.rules.plays import Loser, Play
from finance import permissions as finance_permissions
from orders import permissions as orders_permissions
from orders.services import DraftRefused, LineDraft, OrderDraft, price_draft

LIMIT_DAYS = 14
PRICED_KINDS = {"price", "margin"}

HOLD = """
    SELECT h.id, h.kind, h.owner_role, o.id AS order_id, o.number, o.total, o.currency,
           o.requested_date, o.entity_id, o.customer_id, a.id AS account_id, a.credit_limit,
           a.receivable + a.unbilled + a.committed - a.unapplied + o.total AS exposure,
           CASE WHEN (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date
                    BETWEEN a.temporary_from AND a.temporary_until
                THEN a.temporary_limit ELSE a.credit_limit END AS credit,
           (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date AS today
    FROM orders_hold h
    JOIN orders_order o ON o.id = h.order_id
    JOIN orders_creditaccount a ON a.id = o.account_id
    JOIN accounts_entity e ON e.id = o.entity_id
    WHERE h.id = %(id)s AND h.state = 'active'
"""
LINES = """
    SELECT l.id, l.product_id, l.uom, l.uom_quantity, l.quantity, l.unit_price, l.discount
    FROM orders_orderline l
    WHERE l.order_id = %(order)s AND l.quantity > l.cancelled AND l.kit_id IS NULL
    ORDER BY l.position
"""
# The latest quote that is good today for each line's product, sent or accepted.
QUOTED = """
    SELECT DISTINCT ON (l.id) l.id, l.quantity, q.number, ql.unit_price, ql.discount
    FROM orders_orderline l
    JOIN orders_order o ON o.id = l.order_id
    JOIN orders_quoteline ql ON ql.product_id = l.product_id
    JOIN orders_quote q ON q.id = ql.quote_id AND q.customer_id = o.customer_id
        AND q.entity_id = o.entity_id AND q.currency = o.currency
        AND q.state IN ('sent', 'accepted', 'ordered') AND q.valid_until >= %(today)s
    WHERE l.order_id = %(order)s AND l.quantity > l.cancelled AND l.kit_id IS NULL
    ORDER BY l.id, q.id DESC, ql.id
"""

Row = Mapping[str, Any]


def hold_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what can be done about a held order. One query; four where its price is in doubt."""
    plays: list[Play] = []
    for row in records(HOLD, {"id": case.subject_id, "now": now}):
        plays += [release(row, case.party), cancel(row, case.party)]
        if row["kind"] == "credit":
            plays += credit_plays(row, case)
        elif row["kind"] in PRICED_KINDS:
            plays += price_plays(row, case.party, now)
    return plays


def release(row: Row, party: str) -> Play:
    owner = role_label(row["owner_role"])
    if row["kind"] != "credit":
        said = "It goes on to allocation as it is."
    elif row["credit_limit"]:
        share = row["exposure"] / row["credit_limit"] * 100
        said = (
            f"{party} would owe {row['exposure']:,.2f} {row['currency']}, {share:.1f} % of the"
            " limit. The next order is checked again."
        )
    else:
        said = f"{party} has no credit limit; {row['exposure']:,.2f} {row['currency']} in all."
    return Play(
        key="release",
        title=f"Release {row['number']} once",
        detail=said,
        cost=NOTHING,
        currency=row["currency"],
        permission=orders_permissions.RELEASE,
        gate=f"{owner}, and not the order's author",
        new_date=row["requested_date"],
        facts={
            "hold_id": row["id"], "owner_role": row["owner_role"], "order_id": row["order_id"],
        },
    )  # fmt: skip


def cancel(row: Row, party: str) -> Play:
    return Play(
        key="cancel",
        title=f"Cancel {row['number']}",
        detail="Nothing is reserved or owed any more. The sale is lost.",
        cost=NOTHING,
        currency=row["currency"],
        permission=orders_permissions.CANCEL,
        gate="Customer service, order desk or operations lead",
        losers=(
            Loser(
                name=party,
                what=f"the whole order, {row['total']:,.2f} {row['currency']}",
                amount=row["total"],
            ),
        ),
        facts={"order_id": row["order_id"]},
    )


def credit_plays(row: Row, case: ExceptionCase) -> Iterator[Play]:
    """Yield the ways out of credit: more of it for a time, less owed, or waiting."""
    over = row["exposure"] - row["credit"]
    until = row["today"] + timedelta(days=LIMIT_DAYS)
    if over > 0:
        yield Play(
            key="raise_limit",
            title=f"Raise the limit of {case.party} to {row['exposure']:,.2f} until {until:%-d %b}",
            detail=f"{over:,.2f} {row['currency']} more than now. Who agrees to terms agrees to it;"
            " what waits for credit is asked again.",
            cost=NOTHING,
            currency=row["currency"],
            permission=orders_permissions.ASK_TERMS,
            gate="Credit, controller, customer service or order desk; another of credit agrees",
            new_date=row["requested_date"],
            facts={
                "account_id": row["account_id"], "limit": str(row["exposure"]),
                "from": str(row["today"]), "until": str(until),
            },
        )  # fmt: skip
        yield Play(
            key="prepayment",
            title=f"Take {over:,.2f} {row['currency']} in advance",
            detail="Post it once the money is on our account. What is then owed is within the"
            " limit, and the order goes on by itself.",
            cost=NOTHING,
            currency=row["currency"],
            permission=finance_permissions.POST_PAYMENT,
            gate="Accounts receivable or controller",
            new_date=row["requested_date"],
            facts={
                "entity_id": row["entity_id"], "customer_id": row["customer_id"],
                "amount": str(over.quantize(CENT, rounding=ROUND_HALF_UP)),
                "reference": f"PREPAY-{row['number']}", "received": str(row["today"]),
            },
        )  # fmt: skip
    yield Play(
        key="keep_held",
        title=f"Keep {row['number']} held and ask {case.party}",
        detail="Nothing leaves. The case waits on the customer, and is taken up again by itself.",
        cost=NOTHING,
        currency=row["currency"],
        permission="",
        gate="Whoever works this case",
        is_complete=False,
        losers=(Loser(name=case.party, what="days, while the order stands still", amount=NOTHING),),
        facts={"case_id": case.pk},
    )


def price_plays(row: Row, party: str, now: datetime) -> Iterator[Play]:
    """Yield what the book and the quotes say the order should cost."""
    lines = records(LINES, {"order": row["order_id"]})
    if not lines:
        return
    draft = OrderDraft(
        entity_id=row["entity_id"],
        customer_id=row["customer_id"],
        lines=[LineDraft(one["product_id"], one["uom_quantity"], one["uom"]) for one in lines],
    )
    answers = price_draft(draft=draft, now=now, strict=False).priced
    book: dict[int, tuple[Decimal, Decimal]] = {}
    kinds = set()
    for line, answer in zip(lines, answers, strict=False):
        if not isinstance(answer, DraftRefused):
            book[line["id"]] = (answer.unit_price, answer.discount)
            kinds.add(str(answer.price_basis.get("kind", "")))
    if book:
        is_agreed = "contract" in kinds
        key = "honour_contract" if is_agreed else "reprice"
        said = "what was agreed with them" if is_agreed else "the price list"
        yield priced(row, party, lines, book, key=key, said=said)
    quoted = records(QUOTED, {"order": row["order_id"], "today": row["today"]})
    if quoted:
        prices = {one["id"]: (one["unit_price"], one["discount"]) for one in quoted}
        numbers = ", ".join(sorted({one["number"] for one in quoted}))
        yield priced(row, party, lines, prices, key="honour_quote", said=numbers)


def priced(
    row: Row,
    party: str,
    lines: Sequence[Row],
    prices: Mapping[int, tuple[Decimal, Decimal]],
    *,
    key: str,
    said: str,
) -> Play:
    """Return the play of giving the lines these prices, with what the order then comes to."""
    before = sum((worth(one, one["unit_price"], one["discount"]) for one in lines), NOTHING)
    after = sum(
        (worth(one, *prices.get(one["id"], (one["unit_price"], one["discount"]))) for one in lines),
        NOTHING,
    )
    dearer = max(NOTHING, after - before)
    is_quote = key == "honour_quote"
    former = {one["id"]: (one["unit_price"], one["discount"]) for one in lines}
    return Play(
        key=key,
        title=f"{'Honour' if is_quote or key == 'honour_contract' else 'Price by'} {said}",
        detail=f"The lines come to {after:,.2f} {row['currency']} and not {before:,.2f}."
        + (" The hold is lifted by its owner." if is_quote else " The price is asked again."),
        cost=max(NOTHING, before - after),
        currency=row["currency"],
        permission=orders_permissions.RELEASE if is_quote else orders_permissions.SUBMIT,
        gate=f"{role_label(row['owner_role'])}, and not the order's author"
        if is_quote
        else "Customer service or order desk",
        new_date=row["requested_date"],
        losers=(Loser(name=party, what="a lower price", amount=dearer),) if dearer else (),
        facts={
            "hold_id": row["id"], "order_id": row["order_id"], "owner_role": row["owner_role"],
            "prices": spelled(prices), "former": spelled({i: former[i] for i in prices}),
        },
    )  # fmt: skip


def worth(line: Row, price: Decimal, discount: Decimal) -> Decimal:
    """Return what a line comes to at a price. Half up to the cent."""
    amount: Decimal = line["quantity"] * price * (1 - discount)
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def spelled(prices: Mapping[int, tuple[Decimal, Decimal]]) -> str:
    return ",".join(f"{line}={price}/{discount}" for line, (price, discount) in prices.items())


def role_label(role: str) -> str:
    return str(Role(role).label) if role in Role.values else role or "Whoever holds the right"
