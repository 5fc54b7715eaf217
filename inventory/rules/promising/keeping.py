"""What of a supply is left to one segment of demand, when parts are kept for others."""

from collections.abc import Sequence
from dataclasses import dataclass

from inventory.rules.allocation.columns import Protection, Segment
from inventory.rules.allocation.protecting import reach

ANYWHERE = 0


@dataclass(frozen=True, slots=True)
class Shares:
    """The shares of one owner's product, in thousandths, as far as they are not used up."""

    tree: Sequence[Segment]
    kept: Sequence[Protection]

    def left(self, segment: int, node: int | None, free: int, whole: int) -> int:
        """Return how much of `free` at a node (None: anywhere) a segment may be promised.

        `whole` is what is free anywhere. Shares of too little shrink alike, as allocation has it;
        what is withheld is rounded up.
        """
        mine, above = reach(self.tree, segment)
        allowed = free
        for scope, there in ((ANYWHERE, whole), (node or ANYWHERE, free)):
            held = [each for each in self.kept if each.node == scope]
            total = sum(each.floor for each in held)
            others = sum(each.floor for each in held if each.segment not in mine)
            if total > there > 0:
                others = -(-others * there // total)
            caps = [each.cap for each in held if each.segment in above]
            allowed = min(allowed, there - others, *caps)
        return max(allowed, 0)
