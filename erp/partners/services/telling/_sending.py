"""Writes what is to be told outside, hands it out to be sent, and keeps what came of it."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.outside import Reply
from erp.kernel.sql import records, rows, run
from erp.partners.models import Webhook, WebhookDelivery
from erp.partners.rules.signing import headers, next_wait

LEASE = timedelta(seconds=60)  # longer than a call may last
SAID_MAX = 500
TELL = """
    INSERT INTO partners_webhookdelivery
        (webhook_id, event_id, event, key, body, state, attempts, created_at, due_at, last_said)
    SELECT w.id, new.event_id, new.event, new.key, new.body, 'pending', 0, %(now)s, %(now)s, ''
    FROM unnest(%(entities)s::bigint[], %(ids)s::text[], %(events)s::text[], %(keys)s::text[],
        %(bodies)s::jsonb[]) AS new (entity_id, event_id, event, key, body)
    JOIN partners_webhook w ON w.entity_id = new.entity_id AND w.events ? new.event
    ON CONFLICT (webhook_id, event_id) DO NOTHING
"""
# Of one aggregate a later fact waits for the earlier; what another worker has in hand is theirs.
CLAIM = """
    WITH due AS (
        SELECT d.id FROM partners_webhookdelivery d
        JOIN partners_webhook w ON w.id = d.webhook_id AND w.paused_at IS NULL
        WHERE d.state = 'pending' AND d.due_at <= %(now)s
          AND (d.claimed_until IS NULL OR d.claimed_until <= %(now)s)
          AND NOT EXISTS (
              SELECT FROM partners_webhookdelivery earlier
              WHERE earlier.webhook_id = d.webhook_id AND earlier.key = d.key
                AND earlier.id < d.id AND earlier.state = 'pending' AND d.key <> ''
          )
        ORDER BY d.due_at, d.id LIMIT %(limit)s
        FOR UPDATE OF d SKIP LOCKED
    )
    UPDATE partners_webhookdelivery d
    SET attempts = d.attempts + 1, claimed_until = %(until)s
    FROM due, partners_webhook w
    WHERE d.id = due.id AND w.id = d.webhook_id
    RETURNING d.id, d.event_id, d.body::text AS body, w.url, w.secret,
        CASE WHEN w.former_until > %(now)s THEN w.former_secret ELSE '' END AS former
"""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One telling in hand: where to, with what on it. `body` is JSON."""

    delivery_id: int
    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Telling:
    """One fact for the outside. `event_id` is told each system once; `at` is when it happened."""

    entity_id: int
    event_id: str
    event: str
    key: str
    at: datetime
    data: Mapping[str, Any]


@transaction.atomic
def tell_outside(*, facts: Sequence[Telling], now: datetime) -> int:
    """Write a telling for each webhook that listens; return how many are new. One statement."""
    if not facts:
        return 0
    return run(
        TELL,
        {
            "now": now,
            "entities": [one.entity_id for one in facts],
            "ids": [one.event_id for one in facts],
            "events": [one.event for one in facts],
            "keys": [one.key for one in facts],
            "bodies": [json.dumps(_cloud_event(one)) for one in facts],
        },
    )


@transaction.atomic
def claim_tellings(*, now: datetime, limit: int = 20) -> list[Outgoing]:
    """Take what is due in hand for a minute, signed as of `now`. Skips what others have in hand."""
    asked = {"now": now, "until": now + LEASE, "limit": limit}
    return [_outgoing(row, now) for row in records(CLAIM, asked)]


@transaction.atomic
def settle_telling(*, delivery_id: int, reply: Reply, now: datetime) -> WebhookDelivery:
    """Keep what came of one try: taken, tried again later, or given up after the ninth.

    Locks the telling. What was settled meanwhile stays as it is.

    Raises:
        WebhookDelivery.DoesNotExist: there is none such.
    """
    found = WebhookDelivery.objects.lock(delivery_id)
    if found.state != WebhookDelivery.State.PENDING:
        return found
    found.last_status, found.last_said = reply.status, reply.said[:SAID_MAX]
    found.claimed_until = None
    wait = next_wait(found.attempts)
    if reply.is_taken:
        found.take(at=now)
    elif wait is None:
        found.give_up(at=now)
    else:
        found.due_at = now + wait
    found.save()
    return found


@transaction.atomic
def replay_tellings(
    *, delivery_ids: Collection[int], actor: User | None, now: datetime
) -> list[int]:
    """Send again what was taken or given up, under the same id; return which. Locks them."""
    done = []
    waiting = WebhookDelivery.objects.select_for_update(of=("self",)).select_related("webhook")
    for found in waiting.filter(pk__in=delivery_ids).order_by("pk"):
        if found.state == WebhookDelivery.State.PENDING:
            continue
        found.replay(at=now)
        found.save()
        done.append(found.pk)
        change = Change(
            entity_id=found.webhook.entity_id,
            action="partners.replay_telling",
            subject_kind="partners.webhook",
            subject_id=found.webhook_id,
            thread=f"partners.webhook:{found.webhook_id}",
            after={"event": found.event, "event_id": found.event_id},
        )
        record(changes=[change], actor=actor, now=now)
    return done


@transaction.atomic
def try_webhook(*, webhook_id: int, actor: User | None, now: datetime) -> WebhookDelivery:
    """Write a telling that says nothing, to see whether it is taken.

    Raises:
        Webhook.DoesNotExist: there is none such.
    """
    webhook = Webhook.objects.get(pk=webhook_id)
    ((number,),) = rows(
        "SELECT count(*) FROM partners_webhookdelivery WHERE webhook_id = %s", [webhook_id]
    )
    said = Telling(
        webhook.entity_id, f"test-{webhook_id}-{number}", "webhook.test", "", now,
        {"by": actor.username if actor else ""},
    )  # fmt: skip
    return WebhookDelivery.objects.create(
        webhook=webhook, event_id=said.event_id, event=said.event, body=_cloud_event(said),
        created_at=now, due_at=now,
    )  # fmt: skip


def _cloud_event(one: Telling) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": one.event_id,
        "source": f"/entities/{one.entity_id}",
        "type": one.event,
        "subject": one.key,
        "time": one.at.isoformat(),
        "datacontenttype": "application/json",
        "data": dict(one.data),
    }


def _outgoing(row: Mapping[str, Any], now: datetime) -> Outgoing:
    body = json.dumps(json.loads(row["body"]), separators=(",", ":"), sort_keys=True).encode()
    secrets = [one for one in (row["secret"], row["former"]) if one]
    signed = headers(secrets, event_id=row["event_id"], at=now, body=body)
    return Outgoing(row["id"], row["url"], body, signed)
