"""What the policy says of promising."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from erp.governance.services import Question, decide
from inventory.rules.promising import Pace
from inventory.selectors import Terms

CODE = "inventory.promising"


@dataclass(frozen=True, slots=True)
class PromiseTerms:
    """How one entity promises. With `latest_safe`, far-off demand waits for replenishment."""

    terms: Terms
    latest_safe: bool
    slack_days: int
    policy_version: str


@transaction.atomic(savepoint=False)  # it writes nothing and refuses nothing
def promise_terms(*, entity_id: int, now: datetime) -> PromiseTerms:
    """Return what the policy in force says for an entity."""
    question = Question(entity_id, "accounts.entity", entity_id, {"entity": str(entity_id)})
    (found,) = decide(policy=CODE, questions=[question], now=now, keep=False)
    said = found.outcome
    p50 = int(said["late_p50_days"])
    return PromiseTerms(
        Terms(int(said["horizon_days"]), Pace(p50, max(p50, int(said["late_p90_days"])))),
        bool(said["latest_safe"]),
        int(said["slack_days"]),
        found.policy_version,
    )
