"""Looks elsewhere for what a pass of allocation left short."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from django.db import transaction

from inventory.models import Sourcing
from inventory.rules import as_steps
from inventory.services._lacking import Lacks
from inventory.services.sourcing._reading import Outside, read_outside
from inventory.services.sourcing._weighing import Weighed, weigh
from inventory.services.sourcing._writing import write_receipts, write_sourcings

State = Sourcing.State


@transaction.atomic(savepoint=False)  # a step of its caller: it refuses nothing
def weigh_outside(
    *,
    kind: str,
    lacks: Lacks | None,
    run_id: int,
    now: datetime,
    but: Collection[int] = (),
) -> list[Weighed]:
    """Weigh for short lines what other nodes, companies and suppliers have, and what comes.

    Every line's receipt names each way with its score or why it was passed over. What is best is
    proposed or chosen, as the policy `inventory.sourcing` says; what was asked for before is not
    asked for again. Nothing is looked for for the lines `but`. Some thirty statements, however
    many lines; none where none is short. The caller has locked the documents of the lines.

    Publishes:
        SupplyChosen
    """
    wanted = _without(lacks, but)
    if wanted is None:
        return []
    outside = read_outside(kind, wanted, now)
    if outside is None:
        return []
    live = Sourcing.objects.lock_live(kind, wanted.wants.id.tolist())
    standing: dict[int, list[Sourcing]] = defaultdict(list)
    for row in live:
        if row.state != State.PROPOSED:
            standing[row.demand_id].append(row)
    rest = _less(wanted, standing)
    weighed = weigh(kind, rest, outside, _covered(live, outside))
    weighed = _with_asked(weighed, wanted, standing, outside)
    write_receipts(kind, run_id, weighed, standing, outside)
    write_sourcings(kind, run_id, weighed, live, now)
    return weighed


def _without(lacks: Lacks | None, but: Collection[int]) -> Lacks | None:
    if lacks is None:
        return None
    chosen = ~np.isin(lacks.wants.id, list(but))
    return replace(lacks, wants=lacks.wants.at(chosen)) if chosen.any() else None


def _less(lacks: Lacks, standing: Mapping[int, Sequence[Sourcing]]) -> Lacks:
    """Return what is lacking beside what was asked for already."""
    ids = lacks.wants.id.tolist()
    covered = [sum(as_steps(row.quantity) for row in standing.get(each, ())) for each in ids]
    left = lacks.wants.steps - np.array(covered, np.int64)
    wants = replace(lacks.wants, steps=np.maximum(left, 0))
    return replace(lacks, wants=wants.at(left > 0))


def _covered(live: Sequence[Sourcing], outside: Outside) -> dict[tuple[int, int], int]:
    """Return what of the coming goods was asked for by these lines, by company and product."""
    found: dict[tuple[int, int], int] = defaultdict(int)
    for row in live:
        key = (row.entity_id, row.product_id)
        situation = outside.world.found.get(key)
        labels = {coming.label for coming in situation.coming} if situation else set()
        if row.state == State.ASKED and row.document_label in labels:
            found[key] += as_steps(row.quantity)
    return found


def _with_asked(
    weighed: Sequence[Weighed],
    wanted: Lacks,
    standing: Mapping[int, Sequence[Sourcing]],
    outside: Outside,
) -> list[Weighed]:
    """Return what has a receipt to write: with what was asked for before, in the order of rank."""
    by_line = {each.line.id: each for each in weighed}
    wants = wanted.wants
    columns = (wants.id, wants.owner, wants.product, wants.steps)
    found = []
    for line_id, owner, product, steps in zip(*(c.tolist() for c in columns), strict=True):
        each, asked = by_line.get(line_id), standing.get(line_id, ())
        if each is None and asked and line_id in outside.lines:
            each = Weighed(outside.lines[line_id], owner, product, 0, asked[0].currency)
        if each is not None and (each.options or each.unpriced or asked):
            left = each.missing
            found.append(replace(each, asked=steps - left))
    return found
