"""Checks orders and lets them go on."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Submitted:
    """What submitting came to: `state` is released or held, `holds` the kinds that stopped it."""

    id: int
    number: str
    state: str
    holds: Sequence[str]
