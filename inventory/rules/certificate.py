"""Checks a plan against its demand and supply, from what it gives alone, and certifies it."""

from typing import Any

import numpy as np

from inventory.rules.allocation import Plan, Rule, Sources, Wants


def certify(demand: Wants, supply: Sources, made: Plan) -> dict[str, Any]:
    """Return what is wrong with a plan (`faults`), and how each class of lines fared (`classes`).

    Never more than there is or was asked; and no line could gain without one that ranks before it
    losing. `excused` are short lines of which the second is not said: they are all or nothing, or
    more than rank binds them (shares, protection, hands, substitutes).
    """
    line, row = made.line[made.taker], made.taken_from
    given, used = np.zeros(len(demand), np.int64), np.zeros(len(supply), np.int64)
    np.add.at(given, line, made.taken[made.taking])
    np.add.at(used, row, made.spent)
    short = given < demand.steps
    number = np.unique(demand.group, return_inverse=True)[1]
    complete = (demand.rules & ~demand.soft & int(Rule.SHIP_COMPLETE)) != 0
    lacking = np.isin(number, number[short]) & np.isin(number, number[complete])
    judged, left_over, out_of_turn = _gains(demand, supply, made, (short, number, line, row, used))
    faults = {
        "more_than_there_is": int((used > supply.steps).sum()),
        "more_than_asked": int((given > demand.steps).sum()),
        "from_a_closed_node": int((supply.is_open[row] == 0).sum()),
        "not_complete": int((lacking & (given > 0)).sum()),
        "left_over": left_over,
        "out_of_turn": out_of_turn,
    }
    classes = [
        {"class": int(c), "asked": int(demand.steps[at].sum()), "given": int(given[at].sum())}
        for c in np.unique(demand.priority)
        for at in [demand.priority == c]
    ]
    excused = int(short.sum()) - judged
    return {"holds": not any(faults.values()), "faults": faults, "excused": excused} | {
        "classes": classes
    }


def _gains(demand: Wants, supply: Sources, made: Plan, found: Any) -> tuple[int, int, int]:
    """Count the lines judged, and what they could have had: left over, or taken out of turn."""
    short, number, line, row, used = found
    classes = (
        (demand.priority, demand.due) if made.policy.day_first else (demand.due, demand.priority)
    )
    turn = np.argsort(np.lexsort((demand.id, *classes)))
    whole = int(Rule.SHIP_COMPLETE | Rule.NO_SPLIT)
    bound = ((demand.rules & whole) != 0) | (demand.nodes_max > 0)
    first = np.full(len(demand), len(demand))
    np.minimum.at(first, number[bound], turn[bound])
    turn = np.where(first[number] < len(demand), first[number], turn)  # a group goes as a whole
    last = np.full(len(supply), -1)
    np.maximum.at(last, row, turn[line])
    free = ~np.isin(number, number[bound]) & (made.demand.rules & int(Rule.LINE_COMPLETE) == 0)
    judged = np.flatnonzero(short & free & (not made.policy.binds_more_than_rank))
    shelf = supply.owner << 32 | supply.product
    order = np.argsort(shelf, kind="stable")
    key = (demand.owner << 32 | demand.product)[judged]
    begin, end = (np.searchsorted(shelf[order], key, side) for side in ("left", "right"))
    who, count = np.repeat(judged, end - begin), end - begin
    at = order[np.arange(len(who)) + np.repeat(begin - np.cumsum(count) + count, count)]
    may = (supply.is_open[at] != 0) & (supply.expires[at] >= demand.fresh_until[who])
    for place, nodes in enumerate(demand.sets):
        may &= (demand.only[who] != place) | np.isin(supply.node[at], list(nodes))
    left, early = may & (used[at] < supply.steps[at]), may & (last[at] > turn[who])
    return len(judged), int(left.sum()), int(early.sum())
