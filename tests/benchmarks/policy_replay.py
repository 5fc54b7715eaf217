"""A stricter credit policy over the ninety days of the demo: which orders it would have held.

The draft, the replay and its pieces are the services that the page and its worker call. The floor
is one SQL statement that reads the same recorded inputs and tests the one condition that is new.
"""

import time
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.utils import timezone

from erp.accounts.models import Entity
from erp.governance.models import PolicyReplay, PolicyVersion
from erp.governance.selectors import named_changes, replay_changes
from erp.governance.services import advance_replay, ask_replay, claim_replay, write_version
from erp.kernel.sql import rows

CODE = "orders.release.credit"
DAYS = 90
USED = "0.5"  # of the limit: past it an order is held
HELD = {"hold": True, "owner_role": "credit", "reason": "More than half of the limit is used."}
SHOWN = 5
FLOOR = """
    SELECT count(*) FROM governance_decisionrecord d
    JOIN governance_policyversion v ON v.id = d.version_id
    JOIN governance_policy p ON p.id = v.policy_id
    WHERE p.code = %s AND d.at >= %s AND (d.inputs ->> 'used')::numeric > %s
      AND d.outcome ->> 'hold' = 'false'
"""


def run(*, scale: float = 1.0, **_more: Any) -> dict[str, object]:
    """Make the demo of a size, replay the change once, and list what changes."""
    began = time.perf_counter()
    call_command("demo", scale=scale)
    setup = time.perf_counter() - began
    clock, burnt = time.perf_counter(), time.process_time()
    replay = replayed()
    seconds, cpu = time.perf_counter() - clock, time.process_time() - burnt
    clock = time.perf_counter()
    rows(FLOOR, [CODE, replay.since, USED])
    floor = time.perf_counter() - clock
    changed = named_changes(replay_changes(replay).order_by("-amount", "-id"))
    unnamed = [name.name for change, name in changed if not name.url]
    assert changed, "the change moves nobody"
    assert not unnamed, f"without a number: {unnamed[:SHOWN]}"
    return {
        "product": round(replay.done / seconds),
        "floor": round(replay.done / floor),
        "ratio": round(floor / seconds, 4),
        "unit": "decisions/s",
        "cpu_ms": round(1000 * cpu / max(1, replay.done), 4),
        "seconds": round(seconds, 2),
        "decisions": replay.done,
        "changed": len(changed),
        "first": [
            f"{name.name} {change.amount} {change.currency}" for change, name in changed[:SHOWN]
        ],
        "setup": f"demo of scale {scale} in {setup:.0f} s, {DAYS} days, one more row in {CODE}",
    }


def replayed() -> PolicyReplay:
    """Write the stricter draft and replay it to its end, piece by piece as the worker does."""
    author = get_user_model().objects.get(username="controller")
    now = timezone.now()
    standing = PolicyVersion.objects.get(policy__code=CODE, entity=None, state="active")
    stricter = {"when": [["used", ">", USED]], "then": HELD}
    table = {**standing.table, "rows": [stricter, *standing.table["rows"]]}
    draft = write_version(policy=CODE, entity_id=None, table=table, author=author, now=now)
    entities = list(Entity.objects.values_list("pk", flat=True))
    asked = ask_replay(version_id=draft.pk, entity_ids=entities, days=DAYS, actor=author, now=now)
    claimed = claim_replay(now=now + timedelta(seconds=1))
    assert claimed == asked.pk, "another replay is waiting"
    while advance_replay(replay_id=asked.pk, now=now):
        pass
    return PolicyReplay.objects.get(pk=asked.pk)
