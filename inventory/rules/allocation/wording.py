"""Says a receipt in sentences."""

from collections.abc import Mapping

from inventory.rules.allocation.columns import Mode, Rejection, Rule
from inventory.rules.allocation.plans import Candidate, Verdict
from inventory.rules.steps import from_steps

WHY = {
    Rejection.CLOSED: "it is closed",
    Rejection.NOT_ALLOWED: "the line may not be served from there",
    Rejection.EMPTY: "nothing was free",
    Rejection.TAKEN: "lines before it took what was free",
    Rejection.NOT_NEEDED: "it was not needed",
    Rejection.SPLIT: "the order leaves from few nodes, and it is none of them",
    Rejection.INCOMPLETE: "the whole could not be served",
    Rejection.TOO_OLD: "it would not keep long enough",
    Rejection.NO_SUBSTITUTE: "nothing else may be sent instead",
    Rejection.NEEDS_CONSENT: "the customer has to agree to another product first",
    Rejection.PROTECTED: "what is left is kept for others",
    Rejection.AT_CAPACITY: "it has no hands left for another line",
    Rejection.SPLIT_TOO_SMALL: "a part so small is not worth sending",
    Rejection.NOT_WORTH_IT: "waiting costs less",
    Rejection.SHARED: "the line has its fair share",
    Rejection.POLICY: "the policy does not allow it",
    Rejection.UNPRICED: "nobody can say what it costs",
}
WAY = {
    Mode.STOCK: "",
    Mode.INBOUND: " of what is on its way to",
    Mode.TRANSFER: " moved to",
    Mode.AFFILIATE: " of another company at",
    Mode.SUBSTITUTE: " as another product from",
    Mode.BUY: " to be bought for",
    Mode.DROP_SHIP: " straight from",
}
DROPPED = {
    Rule.SHIP_COMPLETE: "that the order leaves complete",
    Rule.LINE_COMPLETE: "that the line leaves complete",
    Rule.NO_SPLIT: "that it leaves from one node",
    Rule.NO_SUBSTITUTES: "that nothing else is sent",
    Rule.ONLY_NODES: "which nodes it leaves from",
    Rule.FRESH: "how long it keeps",
    Rule.NODES_MAX: "from how many nodes it leaves",
}


def explain(verdict: Verdict, nodes: Mapping[int, str], products: Mapping[int, str]) -> list[str]:
    """Return what one line got and why, in sentences; nodes and products by what people call them.

    First what it got, then what was not kept of its wishes, then each candidate that gave nothing,
    last what would have been enough.
    """
    gave = [each for each in verdict.candidates if each.taken]
    sources = " and ".join(_gave(each, nodes) for each in gave)
    asked, given = _plain(verdict.asked), _plain(verdict.given)
    said = [f"Asked {asked}, got {given}" + (f": {sources}." if gave else ".")]
    said += [f"Not kept: {text}." for rule, text in DROPPED.items() if rule in verdict.dropped]
    said += [
        f"{nodes[each.node]} gave nothing{WAY[each.mode] and f' ({each.mode.name.lower()})'}:"
        f" {WHY[each.rejected]}."
        for each in verdict.candidates
        if each.rejected is not None
    ]
    gaps = [
        f"{_plain(gap.steps)} more of {products[gap.product]}"
        + (f" at {nodes[gap.node]}" if gap.node else "")
        for gap in verdict.flip
    ]
    return said + ([f"{' and '.join(gaps)} would have been enough."] if gaps else [])


def _gave(each: Candidate, nodes: Mapping[int, str]) -> str:
    return f"{_plain(each.taken)}{WAY[each.mode] or ' from'} {nodes[each.node]}"


def _plain(steps: int) -> str:
    return f"{from_steps(steps).normalize():f}"
