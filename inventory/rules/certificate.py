"""Checks a plan against its demand and supply, from what it gives alone, and certifies it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from inventory.rules.allocation import (
    Consent,
    Mode,
    Plan,
    Rule,
    Segment,
    Sources,
    Substitution,
    Wants,
)
from inventory.rules.allocation.columns import Flags, Ints


def certify(demand: Wants, supply: Sources, made: Plan) -> dict[str, Any]:
    """Return what is wrong with a plan (`faults`), and how each class of lines fared (`classes`).

    Never more than there is or was asked, nothing that a line may not take; and no line could gain
    without one that ranks before it losing. `excused` are short lines of which the last is not
    said: they are all or nothing, or more than rank binds them (shares, protection, hands, lanes).
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
    hard = line[(demand.soft[line] & int(Rule.ONLY_NODES | Rule.FRESH)) == 0]
    moved = bool(made.policy.lanes)  # what is moved first leaves from elsewhere
    faults = {
        "more_than_there_is": int((used > supply.steps).sum()),
        "more_than_asked": int((given > demand.steps).sum()),
        "from_a_closed_node": int((supply.is_open[row] == 0).sum()),
        "not_complete": int((lacking & (given > 0)).sum()),
        "not_allowed": 0
        if moved
        else int((~_may(demand, supply, line, row))[np.isin(line, hard)].sum()),
        "not_instead": _wrong_exchanges(demand, supply, made, line, row),
        "too_many_hands": _too_many_hands(supply, made, line, row),
        "beyond_shares": _beyond_shares(demand, supply, made, line, row),
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


def _may(demand: Wants, supply: Sources, who: Ints, at: Ints) -> Flags:
    """Test if each line may be served from each supply, by node and shelf life."""
    may: Flags = supply.expires[at] >= demand.fresh_until[who]
    for place, nodes in enumerate(demand.sets):
        may &= (demand.only[who] != place) | np.isin(supply.node[at], list(nodes))
    return may


def _agrees(demand: Wants, who: Ints, pair: Substitution, today: int) -> Flags:
    """Test if each line takes the other product of a pair unasked."""
    said = demand.consent[who]
    forbids = (demand.rules[who] & int(Rule.NO_SUBSTITUTES)) != 0
    asks = (said == Consent.EVERY_TIME) | (said == Consent.NEVER) | forbids
    if pair.consent in {Consent.NEVER, Consent.EVERY_TIME} or not pair.since <= today <= pair.until:
        return np.zeros(len(who), bool)
    agrees: Flags = ~asks & ((said == Consent.ALWAYS) | (pair.consent == Consent.ALWAYS))
    return agrees


def _wrong_exchanges(demand: Wants, supply: Sources, made: Plan, line: Ints, row: Ints) -> int:
    """Count what is given of another product without leave, or not in the pair's exact ratio."""
    taken, spent, today = made.taken[made.taking], made.spent, made.policy.today
    other = demand.product[line] != supply.product[row]
    wrong = int((~other & (taken != spent)).sum())
    pairs = {(pair.product, pair.by): pair for pair in made.policy.substitutions}
    for at in np.flatnonzero(other):
        pair = pairs.get((int(demand.product[line[at]]), int(supply.product[row[at]])))
        is_exact = pair and taken[at] * pair.per == spent[at] * pair.units
        soft = demand.soft[line[at]] & int(Rule.NO_SUBSTITUTES)
        wrong += not (
            pair and is_exact and (soft or _agrees(demand, line[at : at + 1], pair, today)[0])
        )
    return wrong


def _too_many_hands(supply: Sources, made: Plan, line: Ints, row: Ints) -> int:
    """Count the nodes that would pick more lines than they can."""
    if made.policy.lanes:
        return 0
    node = np.unique(np.stack([supply.node[row], line]), axis=1)[0]
    return sum(int((node == at).sum()) > most for at, most in made.policy.capacity)


def _beyond_shares(demand: Wants, supply: Sources, made: Plan, line: Ints, row: Ints) -> int:
    """Count the segments that were given more than their cap, or what is kept for others."""
    policy, wrong = made.policy, 0
    if not (policy.protects and policy.protections):
        return 0
    chains = _chains(policy.segments)
    may = {segment: _may_use(policy.segments, chains, segment) for segment in chains}
    for key in {(p.owner, p.product, p.node) for p in policy.protections}:
        owner, product, node = key
        here = (supply.owner == owner) & (supply.product == product) & (supply.mode < Mode.BUY)
        here &= (supply.node == node) | (node == 0)
        there = int(supply.steps[here & (supply.is_open != 0)].sum())
        kept = [p for p in policy.protections if (p.owner, p.product, p.node) == key]
        all_kept = max(sum(p.floor for p in kept), there, 1)
        got = dict.fromkeys(chains, 0)
        for segment, steps in zip(
            demand.segment[line[here[row]]].tolist(), made.spent[here[row]].tolist(), strict=True
        ):
            got[segment if segment in chains else 0] += steps
        for usable in may.values():
            others = sum(p.floor * there // all_kept for p in kept if p.segment not in usable)
            mine = sum(steps for who, steps in got.items() if may[who] <= usable)
            wrong += mine > there - others
        wrong += sum(sum(got[w] for w in chains if p.segment in chains[w]) > p.cap for p in kept)
    return wrong


def _chains(segments: Sequence[Segment]) -> dict[int, list[int]]:
    """Return each segment with those above it, itself first; 0 is nobody's."""
    parent = {each.id: each.parent for each in segments}
    chains: dict[int, list[int]] = {0: []}
    for each in segments:
        chain = [each.id]
        while parent[chain[-1]] in parent:
            chain.append(parent[chain[-1]])
        chains[each.id] = chain
    return chains


def _may_use(
    segments: Sequence[Segment], chains: Mapping[int, list[int]], segment: int
) -> frozenset[int]:
    """Return whose shares one may use: its own, those above, and of lower rank what lends."""
    by_id = {each.id: each for each in segments}
    lower = {
        beside.id
        for tier in chains[segment]
        for beside in segments
        if beside.parent == by_id[tier].parent and beside.rank > by_id[tier].rank
    }
    lent = {each.id for each in segments if each.lends and lower & set(chains[each.id])}
    return frozenset({0, *chains[segment], *lent})


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
    late = np.zeros(len(supply), np.int64)  # what the last in turn took of each
    np.add.at(late, row, np.where(turn[line] == last[row], made.spent, 0))
    free = ~np.isin(number, number[bound]) & (made.demand.rules & int(Rule.LINE_COMPLETE) == 0)
    judged = np.flatnonzero(short & free & (not made.policy.binds_more_than_rank))
    given = np.zeros(len(demand), np.int64)
    np.add.at(given, line, made.taken[made.taking])
    lacks = demand.steps - given
    who, at, units, per = _chances(demand, supply, made, judged)
    may = (supply.is_open[at] != 0) & _may(demand, supply, who, at) & (lacks[who] >= units)
    spare = supply.steps[at] - used[at]
    left = may & (spare >= per)
    early = may & (last[at] > turn[who]) & (spare + late[at] >= per)
    return len(judged), int(left.sum()), int(early.sum())


def _chances(
    demand: Wants, supply: Sources, made: Plan, judged: Ints
) -> tuple[Ints, Ints, Ints, Ints]:
    """Return each short line with each supply of its product or of another it takes unasked."""
    ones = np.ones(len(judged), np.int64)
    parts = [(judged, demand.product[judged], ones, ones)]
    ranked = judged[np.argsort(demand.product[judged], kind="stable")]
    for pair in made.policy.substitutions:
        of = slice(*np.searchsorted(demand.product[ranked], [pair.product, pair.product + 1]))
        who = ranked[of][_agrees(demand, ranked[of], pair, made.policy.today)]
        by, units, per = (np.full(len(who), n, np.int64) for n in (pair.by, pair.units, pair.per))
        parts.append((who, by, units, per))
    line, product, units, per = (np.concatenate(column) for column in zip(*parts, strict=True))
    shelf = supply.owner << 32 | supply.product
    order = np.argsort(shelf, kind="stable")
    key = demand.owner[line] << 32 | product
    begin, end = (np.searchsorted(shelf[order], key, side) for side in ("left", "right"))
    count = end - begin
    place = np.repeat(np.arange(len(line)), count)
    at = order[np.arange(len(place)) + np.repeat(begin - np.cumsum(count) + count, count)]
    return line[place], at, units[place], per[place]
