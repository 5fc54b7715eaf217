"""The audit trail."""

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
import structlog
from django.db import transaction

from erp.accounts.models import User
from erp.governance.models import AuditEntry
from erp.kernel.prepared import Prepared
from erp.kernel.sql import run

# What many changes have in common is sent once.
RECORD = Prepared("""
    INSERT INTO governance_auditentry (
        at, actor_id, on_behalf_of_id, actor_kind, request_id, entity_id, action, subject_kind,
        subject_id, thread,
        before, after, reason, policy_version
    )
    SELECT %(now)s::timestamptz, %(actor)s::bigint, %(behalf)s::bigint, %(kind)s, %(request)s,
           about.entity_id, about.action, about.kind, change.subject_id, change.thread,
           nullif(change.before, 'null'), nullif(change.after, 'null'), about.reason, about.version
    FROM ROWS FROM (
        unnest(%(subject_ids)s::bigint[]), unnest(%(threads)s::text[]), unnest(%(alike)s::int[]),
        jsonb_array_elements(%(befores)s::jsonb), jsonb_array_elements(%(afters)s::jsonb)
    ) WITH ORDINALITY AS change (subject_id, thread, alike, before, after, turn)
    JOIN ROWS FROM (
        unnest(%(entities)s::bigint[]), unnest(%(actions)s::text[]),
        unnest(%(subject_kinds)s::text[]), unnest(%(reasons)s::text[]), unnest(%(versions)s::text[])
    ) WITH ORDINALITY AS about (entity_id, action, kind, reason, version, number)
        ON about.number = change.alike
    ORDER BY change.turn
""")
PERSONAL = """
    INSERT INTO governance_personaldatum (commitment, subject, salt, value)
    SELECT * FROM unnest(
        %(commitments)s::text[], %(subjects)s::text[], %(salts)s::text[], %(values)s::text[]
    )
    ON CONFLICT (commitment) DO NOTHING
"""
REQUEST_ID_MAX = 64


class Personal:
    """A personal value of `subject` ("orders.customer:12") in a change: it can be erased later."""

    __slots__ = ("commitment", "salt", "subject", "value")

    def __init__(self, subject: str, value: str) -> None:
        self.subject, self.value = subject, value
        self.salt = secrets.token_hex(16)
        self.commitment = hashlib.sha256((self.salt + value).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one document. `thread` ("orders.order:12") is the timeline that shows it.

    `action` is `<app>.<verb>`. `before` and `after` hold what changed, as plain values; dates,
    moments and decimals become text. `entity_id` is None for what belongs to no entity.
    """

    entity_id: int | None
    action: str
    subject_kind: str
    subject_id: int
    thread: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    reason: str = ""
    policy_version: str = ""


@transaction.atomic(savepoint=False)  # a step of its caller: it has no refusal of its own
def record(
    *,
    changes: Sequence[Change],
    actor: User | None,
    now: datetime,
    on_behalf_of: User | None = None,
) -> None:
    """Write who made `changes`, in the transaction that makes them. One statement.

    `actor` None is the house itself. The request's id stands in each entry, so that one request's
    changes can be found together. `Personal` values stand beside the trail, by a second statement.
    """
    if not changes:
        return
    personal: list[Personal] = []
    alike: dict[tuple[Any, ...], int] = {}  # what is the same, numbered from one
    numbers = [
        alike.setdefault(
            (each.entity_id, each.action, each.subject_kind, each.reason, each.policy_version),
            len(alike) + 1,
        )
        for each in changes
    ]
    entities, actions, kinds, reasons, versions = zip(*alike, strict=True)
    run(
        RECORD,
        {
            "now": now,
            "actor": actor and actor.pk,
            "behalf": on_behalf_of and on_behalf_of.pk,
            "kind": actor.kind if actor else AuditEntry.ActorKind.SYSTEM.value,
            "request": request_id(),
            "subject_ids": [change.subject_id for change in changes],
            "threads": [change.thread for change in changes],
            "alike": numbers,
            "befores": as_json_list([change.before for change in changes], personal),
            "afters": as_json_list([change.after for change in changes], personal),
            "entities": list(entities),
            "actions": list(actions),
            "subject_kinds": list(kinds),
            "reasons": list(reasons),
            "versions": list(versions),
        },
    )
    if personal:
        run(
            PERSONAL,
            {
                "commitments": [each.commitment for each in personal],
                "subjects": [each.subject for each in personal],
                "salts": [each.salt for each in personal],
                "values": [each.value for each in personal],
            },
        )


def request_id() -> str:
    """Return the id of the request being answered; empty in a task or a command."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))[:REQUEST_ID_MAX]


def as_json(
    values: Mapping[str, Any] | None,
    personal: list[Personal] | None = None,
) -> str | None:
    """Return plain values as JSON text, decimals as text. `personal` takes what stands beside."""
    if values is None:
        return None
    default = _plain if personal is None else _committing(personal)
    return orjson.dumps(dict(values), default=default, option=orjson.OPT_UTC_Z).decode()


def as_json_list(
    each: Sequence[Mapping[str, Any] | None],
    personal: list[Personal] | None = None,
) -> str:
    """Return what `as_json` says of each, as one list; None is null."""
    default = _plain if personal is None else _committing(personal)
    return orjson.dumps(each, default=default, option=orjson.OPT_UTC_Z).decode()


def _committing(personal: list[Personal]) -> Callable[[Any], Any]:
    def plain(value: Any) -> Any:
        if isinstance(value, Personal):
            personal.append(value)
            return {"personal": value.commitment}
        return _plain(value)

    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot be kept in the audit trail")
