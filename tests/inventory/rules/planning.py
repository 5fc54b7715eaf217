"""Plans rows: what the tests of the allocation rules say in rows, the engine takes in columns."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from inventory.rules import (
    Plan,
    Policy,
    Source,
    Sources,
    Take,
    Verdict,
    Want,
    Wants,
    certify,
    plan,
)


class Planned(NamedTuple):
    takes: list[Take]
    verdicts: list[Verdict]
    plan: Plan


def planned(
    wants: Sequence[Want], sources: Sequence[Source], policy: Policy | None = None
) -> Planned:
    """Plan, and hold the verifier's word against the plan."""
    demand, supply = Wants.of(wants), Sources.of(sources)
    made = plan(demand, supply, policy or Policy())
    certificate = certify(demand, supply, made)
    assert certificate["holds"], certificate
    return Planned(made.takes(), made.verdicts(), made)


def want(number: int, steps: int, **values: Any) -> Want:
    return Want(
        **{
            "id": number,
            "owner": 1,
            "product": 1,
            "steps": steps,
            "rank": (50, 1, number),
            "group": number,
        }
        | values
    )


def source(number: int, node: int, steps: int, *, product: int = 1, **values: Any) -> Source:
    return Source(number, values.pop("owner", 1), product, node, steps, **values)


def taken(made: Planned) -> list[tuple[int, int, int]]:
    """Return (line, node, steps) of every take."""
    return [(take.want, take.node, take.steps) for take in made.takes]
