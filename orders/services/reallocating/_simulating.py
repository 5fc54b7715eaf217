"""Says who would gain and who would lose, before anything is touched."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from erp.accounts.models import Entity, User
from erp.governance.services import Change, record
from inventory.rules import Strategy
from inventory.services.promising import Wish, offer_supply
from inventory.services.reallocating import Held, Shared, rehearse_reallocation
from orders.models import OrderLine, Reallocation, ReallocationChange
from orders.rules import TRANSIT_DAYS
from orders.selectors import worth_in
from orders.services._demanding import promises
from orders.services.reallocating._gathering import Gathered, Part, count_lines, gather
from orders.services.reallocating._refusing import BadReallocation, NotEnoughToTake

AT_ONCE_MAX = 2_000  # lines that are simulated while the person waits
OFFERED_MAX = 500  # products of losers for which a date is looked up
KIND = "orders.reallocation"
STRATEGIES = {each.name.lower() for each in Strategy}
SEGMENTS = {"A", "B", "C", "D", "all"}


@transaction.atomic
def propose_reallocation(
    *,
    entity_id: int,
    product_ids: Collection[int],
    node_ids: Collection[int],
    strategy: Mapping[str, str],
    reason: str,
    actor: User | None,
    now: datetime,
) -> Reallocation:
    """Simulate sharing out anew what the orders of an entity hold, of some products or all.

    Nothing is kept. `strategy` is by segment (the customer's tier, or "all") what a person chooses
    against the policy: win, gain, redistribute, fill, lose. With more than 2,000 lines it is queued
    for a worker.

    Raises:
        BadReallocation: there is no such segment or strategy.
    """
    for segment, named in strategy.items():
        if segment not in SEGMENTS or named not in STRATEGIES:
            raise BadReallocation(f"strategy.{segment}", f"There is no {named!r} for {segment!r}.")
    made = Reallocation(
        entity_id=entity_id,
        kind=Reallocation.Kind.RUN,
        scope={"products": sorted(set(product_ids)), "nodes": sorted(set(node_ids))},
        strategy=dict(strategy),
        reason=reason.strip()[:300],
        currency=Entity.objects.values_list("currency", flat=True).get(pk=entity_id),
        requested_by=actor,
        requested_at=now,
    )
    made.save(force_insert=True)
    made = Reallocation.objects.lock(made.pk)
    note(made, "propose_reallocation", actor, now)
    made.lines = count_lines(made)
    if made.lines > AT_ONCE_MAX:
        made.save(update_fields=["lines"])
    else:
        write_simulation(made, now)
    return made


@transaction.atomic
def simulate_queued(*, now: datetime) -> bool:
    """Simulate one re-allocation that waits for it; say whether there was one."""
    found = (
        Reallocation.objects.select_for_update(skip_locked=True, of=["self"], no_key=True)
        .filter(state=Reallocation.State.QUEUED)
        .order_by("pk")
        .first()
    )
    if found is None:
        return False
    write_simulation(found, now)
    return True


def new_override(
    *,
    line: OrderLine,
    quantity: Decimal,
    taken_from: Collection[int],
    reason: str,
    actor: User | None,
    now: datetime,
) -> tuple[Reallocation, Decimal]:
    """Write and simulate an override; return with it how much of it is kept for others.

    Raises:
        BadReallocation: there is no reason, or the line does not wait for so much.
        NotEnoughToTake: that much cannot be taken for it.
    """
    if not reason.strip():
        raise BadReallocation("reason", "Say why others have to give up their stock.")
    made = _override(line, quantity, taken_from, now)
    made.reason, made.requested_by = reason.strip()[:300], actor
    made.save(force_insert=True)
    made = Reallocation.objects.lock(made.pk)
    shared, gathered = write_simulation(made, now)
    _refuse(line, shared, gathered)
    return made, shared.beyond


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Who would gain and lose; `beyond` of what is taken is kept for others, in base units.

    The changes are not saved, the line's own among them, in the order of rank.
    """

    changes: list[ReallocationChange]
    beyond: Decimal


@transaction.atomic
def foresee_override(
    *, line_id: int, quantity: Decimal, taken_from: Collection[int], now: datetime
) -> Foreseen:
    """Say who would lose how much if so much were taken for a line; nothing is written.

    Raises:
        OrderLine.DoesNotExist: there is no such line.
        BadReallocation: the line does not wait for so much.
        NotEnoughToTake: that much cannot be taken for it.
    """
    line = OrderLine.objects.select_related("order__entity").get(pk=line_id)
    would = _override(line, quantity, taken_from, now)
    would.pk = 0
    gathered = gather(would, now, is_locked=False)
    shared = rehearse_reallocation(field=gathered.field, now=now)
    _refuse(line, shared, gathered)
    changes = _changes(would, shared, gathered, now)
    lines = OrderLine.objects.select_related("order__customer", "product").in_bulk(
        [each.line_id for each in changes]
    )
    for each in changes:
        each.line = lines[each.line_id]
    return Foreseen(changes, shared.beyond)


def _override(
    line: OrderLine, quantity: Decimal, taken_from: Collection[int], now: datetime
) -> Reallocation:
    if quantity <= 0 or quantity > line.waiting - line.direct:
        waits = f"{(line.waiting - line.direct).normalize():f}"
        raise BadReallocation("quantity", f"The line waits for {waits}: take that or less.")
    return Reallocation(
        entity_id=line.order.entity_id,
        kind=Reallocation.Kind.OVERRIDE,
        scope={"products": [line.product_id], "nodes": []},
        line=line,
        quantity=quantity,
        taken_from=sorted(set(taken_from)),
        currency=line.order.entity.currency,
        requested_at=now,
    )


def _refuse(line: OrderLine, shared: Shared, gathered: Gathered) -> None:
    if line.pk not in gathered.parts:
        raise BadReallocation(
            "line", "It leaves together with others, or is not allocated yet: take it as a whole."
        )
    if shared.unmet:
        held = shared.lines[line.pk]
        could = f"{(held.after - held.before).normalize():f}"
        raise NotEnoughToTake(f"Only {could} could be taken for it from those who may lose.")


def write_simulation(of: Reallocation, now: datetime) -> tuple[Shared, Gathered]:
    """Simulate it, and write who would gain and who would lose. It is locked and queued."""
    gathered = gather(of, now, is_locked=False)
    shared = rehearse_reallocation(field=gathered.field, now=now)
    changes = _changes(of, shared, gathered, now)
    ReallocationChange.objects.bulk_create(changes, batch_size=2_000)
    gains = [each for each in changes if each.after > each.before]
    losses = [each for each in changes if each.after < each.before]
    of.lines = len(gathered.parts)
    of.policy_version = gathered.policies
    of.gained, of.gained_amount = _sums(gains, of.currency, now.date())
    of.lost, of.lost_amount = _sums(losses, of.currency, now.date())
    of.needs_approval = any(each.is_protected for each in losses) or (
        of.kind == Reallocation.Kind.OVERRIDE
    )
    of.simulate(at=now)
    of.save()
    return shared, gathered


def note(of: Reallocation, verb: str, actor: User | None, now: datetime, reason: str = "") -> None:
    """Write into the audit trail what was done to it."""
    change = Change(
        entity_id=of.entity_id,
        action=f"orders.{verb}",
        subject_kind=KIND,
        subject_id=of.pk,
        thread=f"{KIND}:{of.pk}",
        after={
            "number": of.number,
            "state": of.state,
            "kind": of.kind,
            "gained": f"{of.gained.normalize():f}",
            "lost": f"{of.lost.normalize():f}",
        },
        reason=reason or of.reason,
        policy_version=of.policy_version,
    )
    record(changes=[change], actor=actor, now=now)


def _sums(
    changes: Iterable[ReallocationChange], currency: str, on: date
) -> tuple[Decimal, Decimal]:
    """Return how much moves, and what it sells for in `currency` at the rates of the day."""
    found = list(changes)
    quantity = sum((abs(each.after - each.before) for each in found), Decimal(0))
    amounts: dict[str, Decimal] = {}
    for each in found:
        amounts[each.currency] = amounts.get(each.currency, Decimal(0)) + abs(each.amount)
    return quantity, worth_in(amounts, currency=currency, on=on)


def _changes(
    of: Reallocation, shared: Shared, gathered: Gathered, now: datetime
) -> list[ReallocationChange]:
    changed = [each for each in shared.lines.values() if each.before != each.after]
    ranks = {line: rank for rank, line in enumerate(_in_turn(gathered), start=1)}
    days, protected = _dates(changed, shared, gathered, now), set(shared.protected)
    return [
        _change(
            of,
            each,
            gathered.parts[each.id],
            ranks[each.id],
            days.get(each.id),
            is_protected=each.id in protected,
        )
        for each in sorted(changed, key=lambda each: ranks[each.id])
    ]


def _change(
    of: Reallocation,
    held: Held,
    part: Part,
    rank: int,
    possible: date | None,
    *,
    is_protected: bool,
) -> ReallocationChange:
    row, gained = part.row, held.after - held.before
    promised = row.promised_date
    return ReallocationChange(
        reallocation=of,
        line_id=row.id,
        segment=part.segment,
        strategy=part.strategy.name.lower(),
        rank=rank,
        before=held.before,
        after=held.after,
        amount=row.worth(abs(gained)).copy_sign(gained),
        currency=row.currency,
        promised_date=promised,
        possible_date=possible,
        days=(promised - possible).days if promised and possible else None,
        is_protected=(part.is_protected or is_protected) and gained < 0,
    )


def _in_turn(gathered: Gathered) -> list[int]:
    """Return the lines in the order in which they are served."""
    is_day_first = gathered.field.policy.day_first

    def turn(part: Part) -> tuple[int, ...]:
        row = part.row
        day = row.requested_date.toordinal()
        classes = (day, row.priority) if is_day_first else (row.priority, day)
        return (int(part.strategy), *classes, row.id)

    return [part.row.id for part in sorted(gathered.parts.values(), key=turn)]


def _dates(
    changed: Collection[Held], shared: Shared, gathered: Gathered, now: datetime
) -> dict[int, date]:
    """Return when each could be with the customer: who gains from stock, who loses by supply."""
    orders = {line: gathered.heads[part.row.order_id] for line, part in gathered.parts.items()}
    gains = {each.id for each in changed if each.after > each.before}
    found = promises([piece for piece in shared.gained if piece.demand_id in gains], orders, now)
    losers = [gathered.parts[each.id].row for each in changed if each.after < each.before]
    products = list(dict.fromkeys(row.product_id for row in losers))[:OFFERED_MAX]
    wishes = [Wish(gathered.field.entity_id, product, Decimal(1)) for product in products]
    offers = offer_supply(wishes=wishes, now=now) if wishes else []
    comes = {
        product: min((day for day, quantity in offer.dated if quantity > 0 and day > now.date()),
                     default=None)
        for product, offer in zip(products, offers, strict=True)
    }  # fmt: skip
    for row in losers:
        day = comes.get(row.product_id)
        if day is not None:
            transit = orders[row.id].transit_days
            found[row.id] = day + timedelta(days=TRANSIT_DAYS if transit is None else transit)
    return found
