"""Says of matches with denied parties if they are real, and lets go whom they no longer stop."""

from collections.abc import Collection
from datetime import datetime
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.sql import rows
from orders.models import Hold, PartyMatch
from orders.services._holding import ReasonMissing
from orders.services._reevaluating import reevaluate_holds
from orders.services.complying._stopping import let_go_on_the_floor

# An order bears its consignee's name and its customer's.
OF_PARTY = """
    SELECT o.id FROM orders_order o
    WHERE EXISTS (
        SELECT FROM orders_hold h
        WHERE h.order_id = o.id AND h.kind = 'compliance' AND h.state = 'active')
      AND EXISTS (
        SELECT FROM orders_partyrole r WHERE r.party_id = %(party)s
          AND ((r.subject_kind = 'orders.order' AND r.subject_id = o.id)
            OR (r.subject_kind = 'orders.customer' AND r.subject_id = o.customer_id)))
    ORDER BY o.id
"""
WAITING = """
    SELECT o.id FROM orders_order o
    WHERE (%(entity)s::bigint IS NULL OR o.entity_id = %(entity)s::bigint)
      AND (%(customer)s::bigint IS NULL OR o.customer_id = %(customer)s::bigint)
      AND EXISTS (SELECT FROM orders_hold h
                  WHERE h.order_id = o.id AND h.kind = 'compliance' AND h.state = 'active')
    ORDER BY o.id
"""
CONCERNED = """
    SELECT DISTINCT a.entity_id FROM orders_partyrole r
    JOIN orders_creditaccount a ON a.customer_id = CASE r.subject_kind
        WHEN 'orders.customer' THEN r.subject_id
        ELSE (SELECT o.customer_id FROM orders_order o WHERE o.id = r.subject_id) END
    WHERE r.party_id = %(party)s
"""


class MatchReviewed(DomainError):
    """Somebody else has said already if the match is real, or it has lapsed."""

    code: ClassVar[str] = "match_reviewed"


@transaction.atomic
def review_match(
    *, match_id: int, is_real: bool, reason: str, actor: User, now: datetime
) -> PartyMatch:
    """Confirm or reject a match; rejected, the pair is not asked about until either side changes.

    Orders that only it held are let go. Reviewing again in the same way changes nothing. Locks the
    match, then the orders.

    Raises:
        PartyMatch.DoesNotExist: there is no such match.
        ReasonMissing: no reason is given.
        MatchReviewed: it was reviewed otherwise, or has lapsed.
    """
    if not reason.strip():
        raise ReasonMissing("Say why.")
    match = PartyMatch.objects.select_for_update().get(pk=match_id)
    wanted = PartyMatch.State.CONFIRMED if is_real else PartyMatch.State.REJECTED
    if match.state == wanted:
        return match
    if match.state != PartyMatch.State.OPEN:
        raise MatchReviewed(f"This match is {match.get_state_display().lower()} already.")
    (match.confirm if is_real else match.reject)(
        by_id=actor.pk, at=now, reason=reason.strip()[:300]
    )
    match.save(update_fields=["state", "reviewed_by", "reviewed_at", "review_reason"])
    changes = [
        Change(
            entity_id=entity_id,
            action=f"orders.{'confirm' if is_real else 'reject'}_match",
            subject_kind="orders.partymatch",
            subject_id=match.pk,
            thread=f"orders.party:{match.party_id}",
            before={"state": "open"},
            after={"state": str(wanted.value), "score": match.score},
            reason=reason.strip()[:300],
        )
        for (entity_id,) in rows(CONCERNED, {"party": match.party_id}) or [(None,)]
    ]
    record(changes=changes, actor=actor, now=now)
    if not is_real:
        ids = [row[0] for row in rows(OF_PARTY, {"party": match.party_id})]
        clear_compliance(ids, "A match was rejected", now)
    return match


@transaction.atomic
def clear_waiting(
    *, entity_id: int | None, customer_id: int | None, cause: str, now: datetime
) -> list[int]:
    """Ask again about the orders that the law holds, after a rule, licence or certificate came.

    Return those of which the hold is gone. Locks accounts and orders. Publishes HoldLifted and
    OrderReleased.
    """
    params = {"entity": entity_id, "customer": customer_id}
    return clear_compliance([row[0] for row in rows(WAITING, params)], cause, now)


def clear_compliance(order_ids: Collection[int], cause: str, now: datetime) -> list[int]:
    """Lift the compliance holds that nothing stands behind any more; return the orders.

    In turn of priority and id: what one takes of a licence the next does not have.
    """
    kinds = [Hold.Kind.COMPLIANCE.value]
    found = reevaluate_holds(order_ids=order_ids, cause=cause, actor=None, now=now, kinds=kinds)
    floor = let_go_on_the_floor(order_ids, cause, now)
    return [*(each.order_id for each in found if each.cleared), *floor]
