"""Who agrees to what whose requests: pairs and rings of mutual approval."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from erp.kernel.sql import records, rows

RINGS_MAX = 200
LENGTH_MAX = 4

EDGES = """
    person AS (
        SELECT id, coalesce(nullif(employee_ref, ''), '#' || id) AS key FROM accounts_user
    ), edge AS (
        SELECT d.key AS approver, r.key AS asker, a.currency, count(*) AS times,
               sum(a.amount) AS amount
        FROM governance_approvalstep s
        JOIN governance_approval a ON a.id = s.approval_id
        JOIN person d ON d.id = s.decided_by_id
        JOIN person r ON r.id = a.requested_by_id
        WHERE s.state = 'approved' AND s.decided_at >= %(since)s
          AND a.entity_id = ANY(%(entities)s) AND d.key <> r.key
        GROUP BY 1, 2, 3
    )
"""
# Each ring once, from its first person on; the shortest first, since the walk goes in breadth.
RINGS = f"""
    WITH RECURSIVE {EDGES}, way AS (SELECT DISTINCT approver, asker FROM edge), walk AS (
        SELECT approver AS first, asker AS last, ARRAY[approver, asker] AS path
        FROM way WHERE asker > approver
        UNION ALL
        SELECT w.first, y.asker, w.path || y.asker
        FROM walk w JOIN way y ON y.approver = w.last
        WHERE w.last <> w.first AND cardinality(w.path) <= %(length)s
          AND (y.asker = w.first OR (y.asker > w.first AND y.asker <> ALL(w.path)))
    )
    SELECT path FROM walk WHERE last = first LIMIT %(limit)s
"""  # noqa: S608  the part is our own
BETWEEN = (
    f"WITH {EDGES} SELECT * FROM edge WHERE approver = ANY(%(keys)s) AND asker = ANY(%(keys)s)"  # noqa: S608
)
NAMES = """
    SELECT coalesce(nullif(employee_ref, ''), '#' || id),
           min(coalesce(nullif(trim(first_name || ' ' || last_name), ''), username))
    FROM accounts_user
    WHERE coalesce(nullif(employee_ref, ''), '#' || id) = ANY(%(keys)s) GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often one person agreed to what another asked for, and to how much in each currency."""

    approver: str
    asker: str
    times: int
    amounts: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class ApprovalRing:
    """Two to four people each of whom agreed to what the next asked for."""

    people: Sequence[str]
    agreements: Sequence[Agreement]

    @property
    def times(self) -> int:
        """How often at least: the ring is as strong as its weakest link."""
        return min(each.times for each in self.agreements)


def approval_rings(
    *, entity_ids: Collection[int], since: datetime, limit: int = RINGS_MAX
) -> list[ApprovalRing]:
    """Return pairs and rings of up to four people who approved for one another since `since`.

    All accounts of one employee are one person. At most `limit`, the shortest first, then those
    that met most often. Three queries.
    """
    asked: dict[str, Any] = {"since": since, "entities": sorted(entity_ids)}
    paths = [row[0] for row in rows(RINGS, {**asked, "length": LENGTH_MAX, "limit": limit})]
    keys = sorted({key for path in paths for key in path})
    names = dict(rows(NAMES, {"keys": keys}))
    links: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for each in records(BETWEEN, {**asked, "keys": keys}) if keys else []:
        links.setdefault((each["approver"], each["asker"]), []).append(each)
    rings = [
        ApprovalRing(
            people=[names[key] for key in path[:-1]],
            agreements=[_agreement(names, links[pair]) for pair in pairwise(path)],
        )
        for path in paths
    ]
    return sorted(rings, key=lambda ring: (len(ring.people), -ring.times))


def _agreement(names: Mapping[str, str], found: Sequence[Mapping[str, Any]]) -> Agreement:
    return Agreement(
        approver=names[found[0]["approver"]],
        asker=names[found[0]["asker"]],
        times=sum(each["times"] for each in found),
        amounts={each["currency"]: each["amount"] for each in found if each["currency"]},
    )
