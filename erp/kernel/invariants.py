"""What must hold at every commit, and how many rows break it."""

from collections.abc import Mapping
from dataclasses import dataclass

from erp.kernel.sql import rows


@dataclass(frozen=True, slots=True)
class Invariant:
    """A promise and its check: `statement` selects the violations; the first column names each."""

    code: str
    promise: str
    statement: str


@dataclass(frozen=True, slots=True)
class Finding:
    """How many rows break a promise, and the first few of them."""

    code: str
    promise: str
    violations: int
    sample: list[str]


def check(invariant: Invariant, *, sample: int = 5) -> Finding:
    """Run one check. One query, which reads whole tables: for `verify`, not for pages."""
    found = rows(invariant.statement)
    return Finding(
        code=invariant.code,
        promise=invariant.promise,
        violations=len(found),
        sample=[" ".join(map(str, row)) for row in found[:sample]],
    )


def by_code(findings: list[Finding]) -> Mapping[str, int]:
    """Return the number of violations of each promise."""
    return {finding.code: finding.violations for finding in findings}
