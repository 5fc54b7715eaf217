"""Orders of several companies that are served at once: each by its own company's policy."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from erp.governance.services import Decision, Question, decide
from orders.services._demanding import Head, Want


@dataclass(frozen=True, slots=True)
class Division:
    """Orders, and what they want, that one decision is good for."""

    decision: Decision
    heads: list[Head] = field(default_factory=list)
    wants: list[Want] = field(default_factory=list)


def by_policy(
    chosen: Sequence[Head], wants: Sequence[Want], *, cause: str, now: datetime
) -> list[Division]:
    """Ask the allocation policy once a company; those that decide alike are served together.

    Where something else may go out, a company is served alone: that is its own policy too.
    """
    entity = {head.id: head.entity_id for head in chosen}
    counts: dict[int, int] = {}
    for want in wants:
        counts[entity[want.order_id]] = counts.get(entity[want.order_id], 0) + 1
    questions = [
        Question(each, "inventory.run", 0, {"cause": cause, "demands": counts[each]})
        for each in sorted(counts)
    ]
    decisions = (
        decide(policy="inventory.allocation", questions=questions, now=now, keep=False)
        if questions
        else []
    )
    paired = {entity[want.order_id] for want in wants if want.has_pairs}
    parts: dict[tuple[str, str, int], Division] = {}
    part_of: dict[int, Division] = {}
    for asked, said in zip(questions, decisions, strict=True):
        key = (said.policy_version, said.text, asked.entity_id if paired else 0)
        part_of[asked.entity_id] = parts.setdefault(key, Division(said))
    for head in chosen:
        if head.entity_id in part_of:
            part_of[head.entity_id].heads.append(head)
    for want in wants:
        part_of[entity[want.order_id]].wants.append(want)
    return list(parts.values())
