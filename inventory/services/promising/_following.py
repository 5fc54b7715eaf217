"""Who follows which calendar: nodes and carriers here, others as the apps above keep them."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from erp.governance.services import Change, record
from erp.outbox.publishing import publish_all
from inventory.events import CalendarChanged
from inventory.models import Calendar, Carrier, Node
from inventory.selectors import Attach, FollowerKind, follower_kinds, register_followers
from inventory.services._keeping import BadMasterData

if TYPE_CHECKING:
    from erp.accounts.models import User


@transaction.atomic
def follow_calendar(
    *,
    code: str,
    followers: Mapping[str, Collection[str]],
    entity_ids: Collection[int],
    actor: "User | None",
    now: datetime,
    leaves: bool = False,
) -> int:
    """Let followers, by kind and code, follow a calendar, or follow it no more; return how many.

    Only those of these entities, where the kind belongs to one. Locks them by id within each kind.

    Raises:
        BadMasterData: there is no such calendar, kind or follower.

    Publishes:
        CalendarChanged
    """
    calendar = None if "\0" in code else Calendar.objects.filter(code=code).first()
    if calendar is None:
        raise BadMasterData(0, "code", f"There is no calendar {code[:40]!r}.")
    changed, kinds = 0, {kind.name: kind for kind in follower_kinds()}
    for name, codes in sorted(followers.items()):
        if name not in kinds:
            raise BadMasterData(0, name, f"Nobody of the kind {name[:40]!r} follows calendars.")
        kind = kinds[name]
        within = kind.within(entity_ids)
        found = dict(within.filter(code__in=list(codes)).values_list("code", "pk"))
        for place, wanted in enumerate(codes):
            if wanted not in found:
                raise BadMasterData(0, f"{name}[{place}]", f"There is no {wanted[:40]!r}.")
        locked = within.model.objects.filter(pk__in=found.values()).order_by("pk")
        kept = locked.select_for_update().values_list("pk", "code", "calendar_id")
        moving = {pk: own for pk, own, follows in kept if (follows == calendar.pk) is leaves}
        if moving:
            target = None if leaves else calendar.pk
            said = "" if leaves else code
            kind.attach(rows=moving, calendar_id=target, code=said, actor=actor, now=now)
        changed += len(moving)
    if changed:
        tell_of_calendar(calendar.pk, code, "Others follow calendar", followers)
    return changed


def tell_of_calendar(
    calendar_id: int, code: str, cause: str, followers: Mapping[str, Collection[str]]
) -> None:
    """Publish that promises by this calendar, or of these followers, may be others now."""
    publish_all(
        [
            CalendarChanged(
                calendar_id=calendar_id,
                code=code,
                cause=f"{cause} {code}",
                followers=";".join(
                    f"{kind}:{','.join(codes)}" for kind, codes in sorted(followers.items())
                ),
            )
        ]
    )


def attach_rows(model: type[Node] | type[Carrier], kind: str) -> Attach:
    """Return how rows of one of our own models follow a calendar."""

    def attach(
        *,
        rows: Mapping[int, str],
        calendar_id: int | None,
        code: str,
        actor: "User | None",
        now: datetime,
    ) -> None:
        model.objects.filter(pk__in=list(rows)).update(calendar_id=calendar_id)
        record_following(rows=rows, kind=kind, code=code, actor=actor, now=now)

    return attach


@transaction.atomic(savepoint=False)  # a step of its caller: it refuses nothing
def record_following(
    *, rows: Mapping[int, str], kind: str, code: str, actor: "User | None", now: datetime
) -> None:
    """Write into the audit trail that rows (id -> code) of a kind follow a calendar, or none."""
    changes = [
        Change(
            entity_id=None,
            action=f"{kind.partition('.')[0]}.follow_calendar",
            subject_kind=kind,
            subject_id=row_id,
            thread=f"{kind}:{row_id}",
            after={"code": own, "calendar": code},
        )
        for row_id, own in rows.items()
    ]
    record(changes=changes, actor=actor, now=now)


register_followers(
    FollowerKind(
        "nodes",
        lambda entity_ids: Node.objects.filter(entity_id__in=entity_ids),
        attach_rows(Node, "inventory.node"),
    )
)
register_followers(
    FollowerKind(
        "carriers",
        lambda _entity_ids: Carrier.objects.all(),
        attach_rows(Carrier, "inventory.carrier"),
    )
)
