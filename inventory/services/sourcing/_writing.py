"""Writes down what was weighed: a receipt for each line, and what is to come from elsewhere."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from erp.governance.services import Change, record
from erp.kernel.states import move
from erp.outbox.publishing import publish_all
from inventory.events import SupplyChosen
from inventory.models import Sourcing, SourcingDecision
from inventory.rules import Mode, from_steps
from inventory.rules.allocation.columns import Rejection
from inventory.rules.promising import buy_quantity
from inventory.services.sourcing._reading import Outside
from inventory.services.sourcing._weighing import Act, Option, Weighed

State = Sourcing.State
Key = tuple[int, str, str]  # demand, mode, source
FIGURES = (
    *("run_id", "seller_id", "origin_id", "node_id", "supplier_id", "quantity", "buys", "value"),
    *("cost", "currency", "leaves_on", "arrives_on", "days_late", "policy_version"),
)
SHOWN_MAX = 60  # candidates of one line
FLIP_LENGTH = 300
WRITTEN_AT_ONCE = 10_000
ASKED = (Mode.TRANSFER, Mode.AFFILIATE, Mode.BUY, Mode.DROP_SHIP)


def write_receipts(
    kind: str,
    run_id: int,
    weighed: Sequence[Weighed],
    standing: Mapping[int, Sequence[Sourcing]],
    outside: Outside,
) -> None:
    """Write what was weighed for each line, with what stands for it already.

    One statement for each ten thousand.
    """
    receipts = [
        SourcingDecision(
            run_id=run_id,
            demand_kind=kind,
            demand_id=each.line.id,
            entity_id=each.entity_id,
            product_id=each.product_id,
            missing=from_steps(each.missing + each.asked),
            currency=each.currency,
            candidates=_candidates(each, standing.get(each.line.id, ()), outside),
            flip=_flip(each, outside)[:FLIP_LENGTH],
            policy_version=next((act.policy_version for act in each.acts), ""),
        )
        for each in weighed
    ]
    SourcingDecision.objects.bulk_create(receipts, batch_size=WRITTEN_AT_ONCE)


def write_sourcings(
    kind: str,
    run_id: int,
    weighed: Sequence[Weighed],
    live: Sequence[Sourcing],
    now: datetime,
) -> None:
    """Write what is proposed or chosen for lines; what is not any more is withdrawn.

    What was called off after it had been asked for is only proposed again. Seven statements at
    most. What stands as it was is not touched.

    Publishes:
        SupplyChosen
    """
    before = {(row.demand_id, row.mode, row.source): row for row in live}
    wanted: dict[Key, tuple[Weighed, Act]] = {
        (each.line.id, act.option.mode.name.lower(), act.option.way.source): (each, act)
        for each in weighed
        for act in each.acts
        if act.option.mode in ASKED and act.act in {"automatic", "propose"}
    }
    stale = [
        row
        for key, row in before.items()
        if row.state == State.PROPOSED and key not in wanted
    ]  # fmt: skip
    move(Sourcing, "withdraw", [row.pk for row in stale], why="Another way is better now",
         ended_at=now)  # fmt: skip
    fresh, moved = [], []
    for key, (each, act) in wanted.items():
        row = before.get(key)
        figures = _figures(each, act, run_id)
        if row is None:
            fresh.append(Sourcing(
                demand_kind=kind, demand_id=key[0], mode=key[1], source=key[2],
                entity_id=each.entity_id, product_id=each.product_id,
                demand_label=each.line.label, decided_at=now, **figures,
            ))  # fmt: skip
        elif row.state == State.PROPOSED and _differs(row, figures):
            for name, value in figures.items():
                setattr(row, name, value)
            row.decided_at = now
            moved.append(row)
    made = Sourcing.objects.bulk_create(fresh, batch_size=WRITTEN_AT_ONCE)
    if moved:
        Sourcing.objects.bulk_update(moved, [*FIGURES, "decided_at"], batch_size=WRITTEN_AT_ONCE)
    rows = {(row.demand_id, row.mode, row.source): row for row in [*before.values(), *made]}
    chosen = [
        rows[key]
        for key, (_, act) in wanted.items()
        if act.act == "automatic" and rows[key].state == State.PROPOSED
    ]
    refused = _called_off(kind, [row.demand_id for row in chosen])
    chosen = [row for row in chosen if (row.demand_id, row.mode, row.source) not in refused]
    move(Sourcing, "choose", [row.pk for row in chosen])
    _tell(made, chosen, stale, weighed, now)
    publish_all(
        [SupplyChosen(sourcing_id=row.pk, entity_id=row.entity_id, mode=row.mode) for row in chosen]
    )


def _called_off(kind: str, ids: Sequence[int]) -> set[Key]:
    """Return what was asked for for these demands before, and did not come. None for none."""
    found = Sourcing.objects.filter(
        demand_id__in=ids, demand_kind=kind, state=State.WITHDRAWN, document_id__isnull=False
    )
    return set(found.values_list("demand_id", "mode", "source")) if ids else set()


def _figures(each: Weighed, act: Act, run_id: int) -> dict[str, Any]:
    option, way = act.option, act.option.way
    steps = option.taken
    if option.mode in {Mode.BUY, Mode.DROP_SHIP}:
        steps = buy_quantity(steps, moq=way.least, multiple=way.multiple)
    return {
        "run_id": run_id,
        "seller_id": way.seller_id,
        "origin_id": way.origin_id,
        "node_id": option.node_id or None,
        "supplier_id": way.supplier_id,
        "quantity": from_steps(option.taken),
        "buys": from_steps(steps),
        "value": act.value,
        "cost": act.cost,
        "currency": each.currency,
        "leaves_on": option.leaves,
        "arrives_on": option.arrives,
        "days_late": act.days_late,
        "policy_version": act.policy_version,
    }


def _differs(row: Sourcing, figures: Mapping[str, Any]) -> bool:
    return any(getattr(row, name) != value for name, value in figures.items() if name != "run_id")


def _tell(
    made: Sequence[Sourcing],
    chosen: Sequence[Sourcing],
    stale: Sequence[Sourcing],
    weighed: Sequence[Weighed],
    now: datetime,
) -> None:
    threads = {each.line.id: each.line.thread for each in weighed}
    ids = {row.pk for row in chosen}
    told = [("choose_supply", row) for row in chosen]
    told += [("propose_supply", row) for row in made if row.pk not in ids]
    told += [("withdraw_supply", row) for row in stale]
    changes = [
        Change(
            entity_id=row.entity_id,
            action=f"inventory.{verb}",
            subject_kind="inventory.sourcing",
            subject_id=row.pk,
            thread=threads.get(row.demand_id, f"{row.demand_kind}:{row.demand_id}"),
            after={"mode": row.mode, "quantity": row.quantity, "value": row.value,
                   "leaves_on": row.leaves_on.isoformat()},
            policy_version=row.policy_version,
        )
        for verb, row in told
    ]  # fmt: skip
    record(changes=changes, actor=None, now=now)


def _candidates(
    each: Weighed, standing: Sequence[Sourcing], outside: Outside
) -> list[dict[str, Any]]:
    """Return the candidates of a line as its receipt keeps them, what stands for it first."""
    code = outside.codes.get(each.product_id, "")
    listed = [
        {
            "mode": row.mode,
            "product": code,
            "place": row.document_label or row.source,
            "leaves": row.leaves_on.isoformat(),
            "date": row.arrives_on.isoformat(),
            "cost": str(row.cost),
            "score": "",
            "available": plain(row.quantity),
            "taken": plain(row.quantity),
            "rejected": "",
            "seller": row.seller_id,
            "document": row.document_label,
        }
        for row in standing
    ]
    shown = sorted(each.options, key=lambda option: (not option.taken, option.score))[:SHOWN_MAX]
    listed += [_candidate(option, code, outside) for option in shown]
    listed += [
        {
            "mode": way.mode.name.lower(), "product": code, "place": way.label, "leaves": "",
            "date": "", "cost": "", "score": "", "available": "", "taken": "0",
            "rejected": Rejection.UNPRICED.value, "seller": way.seller_id, "document": "",
        }
        for way in each.unpriced
    ]  # fmt: skip
    rest = each.missing - sum(option.taken for option in each.options)
    if rest > 0:
        listed.append({
            "mode": "backorder", "product": code, "place": "", "leaves": "", "date": "",
            "cost": "", "score": "", "available": "", "taken": plain(from_steps(rest)),
            "rejected": "", "seller": None, "document": "",
        })  # fmt: skip
    return listed


def _candidate(option: Option, code: str, outside: Outside) -> dict[str, Any]:
    return {
        "mode": option.mode.name.lower(),
        "product": code,
        "place": place_of(option, outside),
        "leaves": option.leaves.isoformat(),
        "date": option.arrives.isoformat(),
        "cost": str(option.cost),
        "score": str(option.score),
        "available": plain(from_steps(option.available)),
        "taken": plain(from_steps(option.taken)),
        "rejected": option.rejected.value if option.rejected and not option.taken else "",
        "seller": option.way.seller_id,
        "document": "",
    }


def place_of(option: Option, outside: Outside) -> str:
    """Return where an option comes from, and where to: "DC-B → DC-A"."""
    target = outside.places[option.node_id]["code"] if option.node_id in outside.places else ""
    return f"{option.way.label} → {target}" if target else option.way.label


def _flip(each: Weighed, outside: Outside) -> str:
    """Return the smallest change that would have altered the choice; empty where none is known."""
    rest = each.missing - sum(option.taken for option in each.options)
    if rest > 0:
        code = outside.codes.get(each.product_id, "")
        return f"{plain(from_steps(rest))} more of {code} anywhere"
    chosen = [option for option in each.options if option.taken]
    if not chosen:
        return ""
    worst = max(option.score for option in chosen)
    for option in each.options:
        name = f"{option.mode.name.lower().replace('_', '-')} from {place_of(option, outside)}"
        if option.taken or option.available <= 0:
            continue
        if option.rejected is Rejection.POLICY and option.score < worst:
            return f"{name}, if the policy allowed it"
        if option.rejected is Rejection.NOT_NEEDED:
            gap = option.score - worst + Decimal("0.01")
            return f"{name}, if it came to {gap:,.2f} {each.currency} less"
    return ""


def plain(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"
