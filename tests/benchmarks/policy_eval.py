"""How many decisions a second a policy answers, for a batch of cases that all differ.

The table has 14 rows over 9 facts: numbers, texts, flags, dates, a list, a range, a comparison of
two facts, an emptiness. The floor is the same rule written by hand as one Python function with
nested conditions, one call a case: no table, no version, no check of the facts' types.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from erp.accounts.models import Entity
from erp.governance.models import Policy
from erp.governance.services import Question, activate_version, ask_policy, write_version

CODE = "bench.release"
TODAY = date(2026, 11, 22)
FACTS = {
    "limit": "number", "exposure": "number", "total": "number", "overdue_days": "number",
    "margin": "number", "tier": "text", "channel": "text", "on_hold": "flag", "expires": "date",
}  # fmt: skip
OUTCOMES = {"hold": "flag", "role": "text"}


def rows() -> list[dict[str, Any]]:
    """Return the table's rows."""
    said: list[tuple[list[Any], bool, str]] = [
        ([["on_hold", "=", True]], True, "credit"),
        ([["expires", "<", TODAY.isoformat()]], True, "credit"),
        ([["tier", "=", "A"], ["exposure", ">", {"field": "limit", "times": "1.1"}]], True, "lead"),
        ([["tier", "=", "A"]], False, ""),
        ([["exposure", ">", {"field": "limit"}]], True, "credit"),
        ([["overdue_days", ">", 60]], True, "controller"),
        ([["overdue_days", "between", [31, 60]], ["total", ">", 500]], True, "credit"),
        ([["margin", "<", "0.02"], ["channel", "in", ["web", "edi"]]], True, "pricing"),
        ([["margin", "<", 0]], True, "pricing"),
        ([["limit", "is empty", True], ["total", ">", 100]], True, "credit"),
        ([["channel", "=", "phone"], ["total", ">", 10_000]], True, "desk"),
        ([["tier", "in", ["C", "D"]], ["total", ">", 5_000]], True, "desk"),
        ([["tier", "=", "B"]], False, "b"),
        ([], False, ""),
    ]
    return [{"when": when, "then": {"hold": hold, "role": role}} for when, hold, role in said]


def by_hand(facts: Mapping[str, Any]) -> tuple[bool, str]:  # noqa: C901, PLR0911
    """Answer one case as the table does."""
    limit, exposure, total = facts["limit"], facts["exposure"], facts["total"]
    margin, tier, channel = facts["margin"], facts["tier"], facts["channel"]
    overdue = facts["overdue_days"]
    if facts["on_hold"]:
        return True, "credit"
    if facts["expires"] < TODAY:
        return True, "credit"
    if tier == "A":
        over = limit is not None and exposure > limit * Decimal("1.1")
        return (True, "lead") if over else (False, "")
    if limit is not None and exposure > limit:
        return True, "credit"
    if overdue > 60:
        return True, "controller"
    if 31 <= overdue <= 60 and total > 500:
        return True, "credit"
    if margin < Decimal("0.02") and channel in {"web", "edi"}:
        return True, "pricing"
    if margin < 0:
        return True, "pricing"
    if limit is None and total > 100:
        return True, "credit"
    if channel == "phone" and total > 10_000:
        return True, "desk"
    if tier in {"C", "D"} and total > 5_000:
        return True, "desk"
    return (False, "b") if tier == "B" else (False, "")


def cases(count: int) -> list[dict[str, Any]]:
    """Return facts that differ from one another and reach every row."""
    random = Random(7)
    return [
        {
            "limit": None if random.random() < 0.05 else Decimal(random.randrange(1_000, 50_000)),
            "exposure": Decimal(random.randrange(0, 45_000)) / 100 * 100,
            "total": Decimal(random.randrange(1_000, 2_000_000)) / 100,
            "overdue_days": max(0, random.randrange(-200, 90)),
            "margin": Decimal(random.randrange(-200, 4_000)) / 10_000,
            "tier": random.choice("ABCD"),
            "channel": random.choice(["web", "edi", "phone", "mail"]),
            "on_hold": random.random() < 0.03,
            "expires": TODAY + timedelta(days=random.randrange(-30, 700)),
        }
        for _ in range(count)
    ]


def run(*, lines: int = 100_000, rounds: int = 5, **_more: object) -> dict[str, object]:
    """Take turns and compare; `product` and `floor` are decisions a second, medians of `rounds`."""
    began = time.perf_counter()
    entity_id = _company()
    facts = cases(lines)
    questions = [Question(entity_id, "orders.order", n, each) for n, each in enumerate(facts)]
    now = timezone.now()
    setup = time.perf_counter() - began
    ours: list[float] = []
    theirs: list[float] = []
    cpu: list[float] = []
    wrong = lines
    for _ in range(rounds):
        used = time.process_time()
        with transaction.atomic():
            answers, seconds = _timed(lambda: ask_policy(policy=CODE, questions=questions, now=now))
        cpu.append((time.process_time() - used) * 1_000 / lines)
        ours.append(lines / seconds)
        expected, seconds = _timed(lambda: [by_hand(each) for each in facts])
        theirs.append(lines / seconds)
        said = [(a.decision.outcome["hold"], a.decision.outcome["role"]) for a in answers]
        wrong = sum(one != other for one, other in zip(said, expected, strict=True))
    product, floor = statistics.median(ours), statistics.median(theirs)
    return {
        "name": "policy_eval",
        "product": round(product),
        "floor": round(floor),
        "ratio": round(product / floor, 3),
        "unit": "decisions/s",
        "cpu_ms": round(statistics.median(cpu), 5),
        "setup": round(setup, 2),
        "rows_per_s": round(product),
        "rows": len(rows()),
        "facts": len(FACTS),
        "cases": lines,
        "wrong": wrong,
    }


def _company() -> int:
    """Put the table into force and return an entity that asks."""
    policy = {"title": "Benchmark", "fields": FACTS, "outcomes": OUTCOMES}
    Policy.objects.update_or_create(code=CODE, defaults=policy)
    people = get_user_model().objects
    author = people.get_or_create(username="bench-author")[0]
    boss = people.get_or_create(username="bench-boss")[0]
    now = timezone.now()
    version = write_version(
        policy=CODE, entity_id=None, table={"rows": rows()}, author=author, now=now
    )
    activate_version(version_id=version.pk, actor=boss, now=now)
    named = {"name": "Bench", "currency": "USD", "country": "US"}
    return int(Entity.objects.get_or_create(code="BENCH", defaults=named)[0].pk)


def _timed(work: Callable[[], Sequence[Any]]) -> tuple[Sequence[Any], float]:
    began = time.perf_counter()
    found = work()
    return found, time.perf_counter() - began
