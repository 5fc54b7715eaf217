"""What binds lines that wait: the nodes that their orders insist on, and their segments."""

from collections.abc import Collection
from typing import Protocol

from inventory.rules import Rule
from inventory.services.promising import Bound
from orders.selectors import segments_of
from orders.services._insisting import NO_TERMS, terms_of

LINE = "orders.line"


class Binding(Protocol):
    """A line, and whether anybody insists on anything or is of any segment."""

    @property
    def id(self) -> int: ...
    @property
    def order_id(self) -> int: ...
    @property
    def has_segments(self) -> bool: ...
    @property
    def has_terms(self) -> bool: ...


def segments_by_order(lines: Collection[Binding]) -> dict[int, int]:
    """Return the segments of these lines' orders; no query where there are no segments."""
    return segments_of(order_ids={line.order_id for line in lines if line.has_segments})


def bounds_of(lines: Collection[Binding]) -> dict[tuple[str, int], Bound]:
    """Return what binds lines, by kind and id; what is only wished for does not.

    No query where nobody insists on anything, else three at most.
    """
    segments = segments_by_order(lines)
    terms = terms_of({line.order_id for line in lines if line.has_terms})
    bounds = {}
    for line in lines:
        own = terms.get(line.order_id, NO_TERMS)
        nodes = None if own.soft & Rule.ONLY_NODES else own.nodes
        bound = Bound(nodes, segments.get(line.order_id, 0))
        if bound != Bound():
            bounds[LINE, line.id] = bound
    return bounds
