"""Takes orders down: from whatever door, the same draft."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from erp.accounts.models import User
from erp.kernel.errors import DomainError
from erp.kernel.prepared import Prepared
from erp.kernel.sql import records
from orders.rules import AMOUNT_MAX, in_cents
from orders.services._drafting import LineDraft, OrderDraft, head_refusal
from orders.services._exploding import explode
from orders.services._lighting import lights_of
from orders.services._pricing import LineAsk, PricedLine, price_lines
from orders.services._refusing import BadAmount, BadReference, DraftRefused, NoLines
from orders.services._storing import CreatedOrder, Sheet, store

FIND_ACCOUNTS = Prepared("""
    SELECT a.id AS account_id, a.entity_id, a.customer_id, a.currency, c.code,
           c.name, c.tier, c.address, c.city, c.region, c.postal_code, c.country,
           c.ship_complete, c.no_split, c.no_substitutes,
           (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date AS today
    FROM (SELECT DISTINCT entity_id, customer_id
          FROM unnest(%(entities)s::bigint[], %(customers)s::bigint[])
              AS asked (entity_id, customer_id)) AS asked
    JOIN orders_creditaccount a
        ON a.entity_id = asked.entity_id AND a.customer_id = asked.customer_id
    JOIN orders_customer c ON c.id = a.customer_id
    JOIN accounts_entity e ON e.id = a.entity_id
""")


@dataclass(frozen=True, slots=True)
class Captured:
    """What became of one draft of many: its order, or why there is none."""

    order: CreatedOrder | None
    refusal: DomainError | None


@dataclass(frozen=True, slots=True)
class PricedDraft:
    """What a draft comes to, in its account's currency.

    `priced` are its lines as they were asked for, each priced or refused; `free` comes along.
    """

    account_id: int
    currency: str
    lines: int
    subtotal: Decimal
    total: Decimal
    priced: Sequence[PricedLine | DraftRefused] = ()
    free: Sequence[PricedLine] = ()
    lights: Sequence[str] = ()  # one for each of `priced`: green, amber, red


@transaction.atomic
def create_orders_bulk(
    *, drafts: Sequence[OrderDraft], actor: User | None, now: datetime
) -> list[Captured]:
    """Store every draft that can be taken as an order; say of each other what is wrong with it.

    Five statements for any number of orders. Publishes OrderCreated for each new one.
    """
    return _capture(drafts, actor, now)


@transaction.atomic
def create_orders(
    *, drafts: Sequence[OrderDraft], actor: User | None, now: datetime
) -> list[CreatedOrder]:
    """Store every draft as an order, or none of them. Publishes OrderCreated for each new one.

    Raises:
        DraftRefused: the first that cannot be taken, with every field at fault in `errors`; its
            subclasses say what: NoLines, TooManyLines, CustomerNotServed, UnknownProduct,
            BlockedProduct, UnknownUom, BadQuantity, NoPrice, BadAmount, BadReference.
    """
    return _all_of(_capture(drafts, actor, now))


@transaction.atomic
def create_order(*, draft: OrderDraft, actor: User | None, now: datetime) -> CreatedOrder:
    """Store one draft as an order; see `create_orders`.

    Raises:
        DraftRefused: it cannot be taken as written.
    """
    return _all_of(_capture([draft], actor, now))[0]


@transaction.atomic
def price_draft(*, draft: OrderDraft, now: datetime, strict: bool = True) -> PricedDraft:
    """Say what a draft would come to, without storing anything. Two queries, and the policy's.

    Not `strict`, a line that cannot be priced stands among the others as its refusal, and the sums
    are of the rest: for who is still typing.

    Raises:
        DraftRefused: it cannot be taken as written.
    """
    if not strict:
        return _priced_loosely(draft, now)
    sheet = sheet_of(draft, now)
    return PricedDraft(
        account_id=sheet.account["account_id"],
        currency=sheet.account["currency"],
        lines=len(sheet.lines),
        subtotal=sheet.subtotal,
        total=sheet.total,
    )


def sheet_of(draft: OrderDraft, now: datetime) -> Sheet:
    """Return a draft with its account, prices and sums, without storing anything. Two queries.

    Raises:
        DraftRefused: it cannot be taken as written.
    """
    sheet = _priced([draft], _accounts_of([draft], now), now)[0]
    if isinstance(sheet, DraftRefused):
        raise sheet
    return sheet


def _priced_loosely(draft: OrderDraft, now: datetime) -> PricedDraft:
    accounts = _accounts_of([draft], now)
    account = accounts.get((draft.entity_id, draft.customer_id))
    refusal = head_refusal(draft, is_served=account is not None)
    if refusal is not None or account is None:
        raise refusal or NoLines("Add at least one line.", "lines")
    fields = [f"lines[{index}]" for index in range(len(draft.lines))]
    found = price_lines([_ask(draft, line, account) for line in draft.lines], fields, now)
    good = [lines for lines in found if isinstance(lines, list)]
    free = [line for lines in good for line in lines[1:]]
    subtotal = sum((lines[0].amount for lines in good), Decimal(0))
    return PricedDraft(
        account_id=account["account_id"],
        currency=account["currency"],
        lines=len(good) + len(free),
        subtotal=subtotal,
        total=in_cents(subtotal + draft.freight),
        priced=[lines[0] if isinstance(lines, list) else lines for lines in found],
        free=free,
        lights=lights_of(
            [lines[0] if isinstance(lines, list) else None for lines in found],
            entity_id=draft.entity_id,
            currency=account["currency"],
            tier=account["tier"],
            now=now,
        ),
    )


def _capture(drafts: Sequence[OrderDraft], actor: User | None, now: datetime) -> list[Captured]:
    accounts = _accounts_of(drafts, now)
    sheets = _priced(drafts, accounts, now)
    whole = iter(explode([sheet for sheet in sheets if isinstance(sheet, Sheet)], now))
    sheets = [next(whole) if isinstance(sheet, Sheet) else sheet for sheet in sheets]
    good = [sheet for sheet in sheets if isinstance(sheet, Sheet)]
    made = iter(store(good, actor, now) if good else [])
    return [
        Captured(order=next(made), refusal=None)
        if isinstance(sheet, Sheet)
        else Captured(order=None, refusal=sheet)
        for sheet in sheets
    ]


def _all_of(captured: Sequence[Captured]) -> list[CreatedOrder]:
    for each in captured:
        if each.refusal is not None:
            raise each.refusal
    return [each.order for each in captured if each.order is not None]


def _accounts_of(
    drafts: Sequence[OrderDraft], now: datetime
) -> dict[tuple[int, int], dict[str, Any]]:
    params = {
        "now": now,
        "entities": [draft.entity_id for draft in drafts],
        "customers": [draft.customer_id for draft in drafts],
    }
    return {(a["entity_id"], a["customer_id"]): a for a in records(FIND_ACCOUNTS, params)}


def _priced(
    drafts: Sequence[OrderDraft],
    accounts: Mapping[tuple[int, int], Mapping[str, Any]],
    now: datetime,
) -> list["Sheet | DraftRefused"]:
    heads = [
        head_refusal(draft, is_served=(draft.entity_id, draft.customer_id) in accounts)
        for draft in drafts
    ]
    asks: list[LineAsk] = []
    fields: list[str] = []
    for draft, refusal in zip(drafts, heads, strict=True):
        if refusal is None:
            account = accounts[draft.entity_id, draft.customer_id]
            asks += [_ask(draft, line, account) for line in draft.lines]
            fields += [f"lines[{index}]" for index in range(len(draft.lines))]
    lines = iter(price_lines(asks, fields, now))
    return [
        refusal or _sheet(draft, accounts, [next(lines) for _ in draft.lines])
        for draft, refusal in zip(drafts, heads, strict=True)
    ]


def _ask(draft: OrderDraft, line: LineDraft, account: Mapping[str, Any]) -> LineAsk:
    return LineAsk(
        entity_id=draft.entity_id,
        customer_id=draft.customer_id,
        currency=account["currency"],
        day=account["today"],
        product_id=line.product_id,
        quantity=line.quantity,
        uom=line.uom,
        unit_price=line.unit_price,
        discount=line.discount,
        node_id=line.node_id,
        price_source=line.price_source,
        price_basis=line.price_basis,
    )


def _sheet(
    draft: OrderDraft,
    accounts: Mapping[tuple[int, int], Mapping[str, Any]],
    found: Sequence[list[PricedLine] | DraftRefused],
) -> "Sheet | DraftRefused":
    paid = [lines[0] for lines in found if isinstance(lines, list)]
    free = [line for lines in found if isinstance(lines, list) for line in lines[1:]]
    lines = paid + free  # what is free comes last, so that a line keeps the place it was typed at
    refusals = [line for line in found if isinstance(line, DraftRefused)]
    if refusals:
        return refusals[0].along_with(refusals[1:])
    subtotal = sum((line.amount for line in lines), Decimal(0))
    total = in_cents(subtotal + draft.freight)
    if total > AMOUNT_MAX:
        return BadAmount("The order's total is too large.", "lines")
    account = accounts[draft.entity_id, draft.customer_id]
    if draft.currency not in {"", account["currency"]}:
        return BadReference(f"The account is kept in {account['currency']}.", "currency")
    return Sheet(draft=draft, account=account, lines=lines, subtotal=subtotal, total=total)
