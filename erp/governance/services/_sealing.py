"""Sealing the audit trail in chains, after the writers: they pay nothing for it."""

import logging
from datetime import datetime
from typing import Any

from django.db import transaction

from erp.governance.models import AuditSealing
from erp.governance.selectors import HEAD, LEAF
from erp.kernel.sql import records, rows

logger = logging.getLogger(__name__)
BATCH = 5_000  # entries in one round
ROUNDS = 200  # in one call

# The highest id, and the transactions that may still bring a smaller one. A writer takes its lock
# on the table before it takes an id, so who got a smaller id and is not over yet stands here.
HORIZON = """
    SELECT (SELECT max(id) FROM governance_auditentry WHERE id > %(upto)s),
           ARRAY(SELECT l.virtualtransaction FROM pg_locks l
                 WHERE l.locktype = 'relation' AND l.relation = 'governance_auditentry'::regclass
                   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                   AND l.mode = 'RowExclusiveLock' AND l.granted AND l.pid <> pg_backend_pid())
"""
STILL_WRITING = """
    SELECT EXISTS (SELECT FROM pg_locks WHERE virtualtransaction = ANY(%(writers)s::text[]))
"""
ROUND_END = """
    SELECT max(id) FROM (
        SELECT id FROM governance_auditentry
        WHERE id > %(after)s AND id <= %(upto)s ORDER BY id LIMIT %(batch)s
    ) AS batch
"""
SEAL = f"""
    WITH entry AS (
        SELECT a.id, a.entity_id, {LEAF} AS leaf
        FROM governance_auditentry a WHERE a.id > %(after)s AND a.id <= %(upto)s
    ), batch AS (
        SELECT entity_id, count(*) AS count, array_agg(id ORDER BY id) AS entry_ids,
               array_agg(leaf ORDER BY id) AS leaves
        FROM entry GROUP BY entity_id
    ), ready AS (
        SELECT b.*, coalesce(l.number, 0) + 1 AS number, %(after)s::bigint AS after,
               %(upto)s::bigint AS upto, coalesce(l.head, ''::bytea) AS previous
        FROM batch b
        LEFT JOIN LATERAL (
            SELECT number, head FROM governance_auditseal k
            WHERE k.entity_id IS NOT DISTINCT FROM b.entity_id ORDER BY number DESC LIMIT 1
        ) AS l ON true
    )
    INSERT INTO governance_auditseal (
        entity_id, number, after, upto, count, entry_ids, leaves, previous, head, sealed_at
    )
    SELECT s.entity_id, s.number, s.after, s.upto, s.count, s.entry_ids, s.leaves, s.previous,
           {HEAD}, %(now)s
    FROM ready s
    RETURNING coalesce(entity_id::text, '') AS chain, number, encode(head, 'hex') AS head, count
"""  # noqa: S608  the parts are our own


@transaction.atomic
def seal_audit(*, now: datetime) -> int:
    """Seal what no running transaction can add to any more; return how many entries that were.

    In rounds of 5,000 entries, one seal for each chain in a round. What may still get a neighbour
    with a smaller id waits for its writers to end, until the next call. Who seals already is left
    alone: then nothing is done.
    """
    AuditSealing.objects.get_or_create(pk=1)
    state = AuditSealing.objects.select_for_update(skip_locked=True).filter(pk=1).first()
    if state is None:
        return 0
    sealed = _seal_pending(state, now)
    if state.pending_upto is None:
        upto, writers = rows(HORIZON, {"upto": state.upto})[0]
        if upto is not None:
            state.pending_upto, state.pending_writers = upto, writers
            sealed += _seal_pending(state, now)
    state.save(update_fields=["upto", "pending_upto", "pending_writers", "heads"])
    return sealed


def _seal_pending(state: AuditSealing, now: datetime) -> int:
    """Seal up to the remembered horizon if the writers of then are gone."""
    if state.pending_upto is None:
        return 0
    if state.pending_writers and rows(STILL_WRITING, {"writers": state.pending_writers})[0][0]:
        return 0
    sealed = 0
    for _round in range(ROUNDS):
        asked: dict[str, Any] = {"after": state.upto, "upto": state.pending_upto, "batch": BATCH}
        end = rows(ROUND_END, asked)[0][0]
        if end is None:
            state.pending_upto, state.pending_writers = None, []
            break
        for seal in records(SEAL, {"after": state.upto, "upto": end, "now": now}):
            state.heads[seal["chain"]] = {"number": seal["number"], "head": seal["head"]}
            sealed += seal["count"]
            logger.info(
                "sealed audit chain %s number %s head %s",
                seal["chain"] or "house",
                seal["number"],
                seal["head"],
            )
        state.upto = end
    return sealed
