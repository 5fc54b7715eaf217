"""The inbox of one person: narrowed, counted and paged where the requests are kept."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from django.db.models import Q, QuerySet

from erp.accounts.models import User
from erp.governance.models import Approval, ApprovalStep
from erp.governance.rules.approving import rank_of
from erp.governance.selectors._approvals import PAGE, PendingApproval, shown_all
from erp.governance.selectors._entitled import Entitlement, entitlements_of

OPEN_VIEWS = ("", "for-others", "stuck", "mine")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PARTS = 3  # of a cursor: moment, rank, id
DIGITS_MAX = 40


@dataclass(frozen=True, slots=True)
class InboxFilters:
    """What the inbox is narrowed to. `text` is part of label, consequence or a person's name.

    `view`: "" (to decide), for-others, stuck (nobody can decide) or mine (in others' hands).
    """

    view: str = ""
    text: str = ""
    kind: str = ""
    least: Decimal | None = None


@dataclass(frozen=True, slots=True)
class InboxPage:
    """A page of the inbox, the weightiest first. `counts` are of whole views, by their names."""

    rows: list[PendingApproval]
    next_cursor: str
    counts: Mapping[str, int]
    kinds: Sequence[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Where a page begins: behind a rank and an id, as ranks stood at the first page's moment."""

    at: datetime
    rank: Decimal
    id: int

    def __str__(self) -> str:
        return f"{(self.at - EPOCH) // timedelta(microseconds=1)}_{self.rank}_{self.id}"


def inbox(
    *,
    user: User,
    entity_ids: Collection[int],
    filters: InboxFilters,
    now: datetime,
    after: str = "",
    limit: int = PAGE,
) -> InboxPage:
    """Return a page of what is `user`'s to decide or was asked by them, in these entities.

    Ranks grow by the hour: a later page ranks as the first page did, so that nothing is shown
    twice or left out. Eight queries, however many wait.
    """
    rights = entitlements_of(user=user, entity_ids=entity_ids, now=now)
    waiting = Approval.objects.filter(
        Q(pk__in={right.approval_id for right in rights}) | Q(requested_by=user),
        state=Approval.State.PENDING,
        entity_id__in=entity_ids,
    )
    ids = _by_view(waiting, rights)
    cursor = _read(after)
    moment = cursor.at if cursor else now
    wanted = _narrowed(waiting.filter(pk__in=ids[filters.view]), filters)
    ranked = sorted(
        (-rank_of(weight=weight, since=since, now=moment), pk)
        for pk, weight, since in wanted.values_list("pk", "weight", "requested_at")
    )
    if cursor:
        ranked = [each for each in ranked if each > (-cursor.rank, cursor.id)]
    kept = [pk for _rank, pk in ranked[:limit]]
    people = Approval.objects.select_related("entity", "requested_by", "decided_by")
    found = people.in_bulk(kept)
    following = ""
    if len(ranked) > limit:
        rank, pk = ranked[limit - 1]
        following = str(_Cursor(moment, -rank, pk))
    return InboxPage(
        rows=shown_all([found[pk] for pk in kept if pk in found], user, rights=rights, now=now),
        next_cursor=following,
        counts={view: len(ids[view]) for view in OPEN_VIEWS},
        kinds=sorted(set(waiting.values_list("document_kind", flat=True))),
    )


def _by_view(
    waiting: QuerySet[Approval], rights: Sequence[Entitlement]
) -> dict[str, frozenset[int]]:
    """Return which requests stand in which view."""
    every = frozenset(waiting.values_list("pk", flat=True))
    holders: dict[int, int | None] = {}
    for right in rights:
        if not right.unfit:
            holders.setdefault(right.approval_id, right.holder_id)
    mine = every & frozenset(holders)
    stuck = ApprovalStep.objects.filter(approval__in=waiting, state="open").exclude(stranded_why="")
    return {
        "": mine,
        "for-others": frozenset(pk for pk in mine if holders[pk] is not None),
        "stuck": frozenset(stuck.values_list("approval_id", flat=True)),
        "mine": every - mine,
    }


def _narrowed(found: QuerySet[Approval], filters: InboxFilters) -> QuerySet[Approval]:
    if filters.text:
        people = (
            Q(**{f"requested_by__{name}__icontains": filters.text})
            for name in ("username", "first_name", "last_name")
        )
        said = Q(document_label__icontains=filters.text) | Q(consequence__icontains=filters.text)
        for person in people:
            said |= person
        found = found.filter(said)
    if filters.kind:
        found = found.filter(document_kind=filters.kind)
    if filters.least is not None:
        found = found.filter(amount__gte=filters.least)
    return found


def _read(text: str) -> _Cursor | None:
    """Read a cursor; what is none begins at the beginning."""
    parts = text.split("_")
    if len(parts) != PARTS or any(len(part) > DIGITS_MAX for part in parts):
        return None
    try:
        moment = EPOCH + timedelta(microseconds=int(parts[0]))
        found = _Cursor(moment, Decimal(parts[1]), int(parts[2]))
    except (ValueError, OverflowError, InvalidOperation):
        return None
    return found if found.rank.is_finite() else None
