"""Undoes a way out through the domains' services, and opens its case again where that is so."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.kernel.errors import DomainError
from exceptions.models import ExceptionCase, PlayRun
from exceptions.rules.catalogue import PLAY_KINDS
from exceptions.services._buying import set_days
from exceptions.services._freeing import set_prices
from exceptions.services._playing import GateClosed
from exceptions.services._refreshing import refresh
from exceptions.services._running import move_stock
from exceptions.services._telling import tell_of
from exceptions.services._waiting import go_on
from exceptions.services._working import NothingSaid
from inventory.services.tracking import release_lot
from inventory.services.transferring import cancel_transfer
from orders.models import Hold
from orders.services import Amendment, amend_order, keep_backorder, place_hold
from procurement.services import cancel_order

Made = Mapping[str, Any]
Undoer = Callable[[PlayRun, str, User, datetime], None]


class CannotUndo(DomainError):
    """The play is one of those that are not undone; the sentence says why."""

    code: ClassVar[str] = "cannot_undo"


class TooLateToUndo(DomainError):
    """The time in which it could be undone is over."""

    code: ClassVar[str] = "too_late_to_undo"


class NothingToUndo(DomainError):
    """No such play was run on the case."""

    code: ClassVar[str] = "nothing_to_undo"


@transaction.atomic
def undo_play(*, case_id: int, key: str, reason: str, actor: User, now: datetime) -> PlayRun:
    """Undo the last run of a play, all of it or nothing, and look at the condition again.

    The run stays on the case, with who undid it and why. Undoing again changes nothing. Locks the
    type, the case, the run, then what the services lock.

    Raises:
        ExceptionCase.DoesNotExist: there is no such case.
        NothingToUndo: no such play was run on it.
        CannotUndo: such a play is not undone.
        TooLateToUndo: the policy gives no more time.
        GateClosed: the person might not run it either.
        NothingSaid: no reason is given.
        DomainError: a step was refused; the sentence is that service's.
    """
    found = ExceptionCase.objects.get(pk=case_id)
    ExceptionCase.objects.settle([found.type])
    case = ExceptionCase.objects.lock(case_id)
    run = PlayRun.objects.select_for_update().filter(case=case, key=key).order_by("-pk").first()
    if run is None:
        raise NothingToUndo("No such way out was taken.")
    if run.undone_at is not None:
        return run
    _refuse_unfit(run, case, reason, actor, now)
    UNDOERS[key](run, reason, actor, now)
    run.undone_at, run.undone_by, run.undo_reason = now, actor, reason.strip()[:300]
    run.save(update_fields=["undone_at", "undone_by", "undo_reason"])
    tell_of(
        [case],
        "undo_play",
        actor=actor,
        now=now,
        before={"outcome": run.outcome, "by_itself": run.run_by_id is None},
        reason=f"{run.chosen['title']} undone: {reason.strip()}",
        policy_version=run.policy_version,
    )
    refresh(type=case.type, subject_ids=[case.subject_id], now=now)
    return run


def _refuse_unfit(
    run: PlayRun, case: ExceptionCase, reason: str, actor: User, now: datetime
) -> None:
    kind = PLAY_KINDS[run.key]
    if not kind.undo:
        raise CannotUndo(f"{kind.label} is not undone. {kind.final}")
    if run.undo_until is None or now > run.undo_until:
        raise TooLateToUndo("The time in which it could be undone is over.")
    permission = run.chosen.get("permission", "")
    if permission and not actor.has_perm(permission, case.entity_id):
        raise GateClosed(f"{run.chosen['gate']} may undo this.")
    if not reason.strip():
        raise NothingSaid("Say why it is undone.")


def _promise(run: PlayRun, reason: str, actor: User, now: datetime) -> None:
    """Give the promise again that the line had, where that can still be kept."""
    promised = str(run.made["promised"])
    if promised and date.fromisoformat(promised) >= now.date():
        keep_backorder(
            line_id=int(run.made["line_id"]),
            promised_date=date.fromisoformat(promised),
            actor=actor,
            now=now,
        )


def _redate(run: PlayRun, reason: str, actor: User, now: datetime) -> None:
    order_id = int(run.chosen["facts"]["order_id"])
    wanted = date.fromisoformat(str(run.made["requested"]))
    amendment = Amendment(requested_date=wanted, reason=reason)
    amend_order(order_id=order_id, amendment=amendment, actor=actor, now=now)
    _promise(run, reason, actor, now)


def _transfer(run: PlayRun, reason: str, actor: User, now: datetime) -> None:
    cancel_transfer(transfer_id=int(run.made["transfer_id"]), reason=reason, actor=actor, now=now)
    _promise(run, reason, actor, now)


def _buy(run: PlayRun, reason: str, actor: User, now: datetime) -> None:
    cancel_order(order_id=int(run.made["purchase_id"]), actor=actor, reason=reason, now=now)
    _promise(run, reason, actor, now)


def _call_off(run: PlayRun, reason: str, actor: User, now: datetime) -> None:
    purchase_id = int(run.made["purchase_id"])
    cancel_order(order_id=purchase_id, actor=actor, reason=reason, now=now)


def _stay(run: PlayRun, reason: str, actor: User, now: datetime) -> None:
    cancel_transfer(transfer_id=int(run.made["transfer_id"]), reason=reason, actor=actor, now=now)


def _unblock(run: PlayRun, reason: str, actor: User, now: datetime) -> None:
    release_lot(lot_id=int(run.made["lot_id"]), reason=reason, actor=actor, now=now)


def _release(run: PlayRun, reason: str, actor: User, now: datetime) -> None:
    role = str(run.chosen["facts"]["owner_role"])
    order_id = int(run.made["order_id"])
    place_hold(order_id=order_id, reason=reason, actor=actor, now=now, owner_role=role)


def _wait(run: PlayRun, reason: str, actor: User, now: datetime) -> None:
    go_on(case_id=run.case_id, actor=actor, now=now, reason=reason)


def _price(run: PlayRun, reason: str, actor: User, now: datetime) -> None:
    """Give the lines their former prices; whoever owned the hold looks at them again."""
    order_id = int(run.made["order_id"])
    set_prices(order_id, str(run.made["prices"]), reason, actor, now)
    if not Hold.objects.filter(order_id=order_id, state="active").exists():
        role = str(run.chosen["facts"]["owner_role"])
        place_hold(order_id=order_id, reason=reason, actor=actor, now=now, owner_role=role)


def _days(run: PlayRun, reason: str, actor: User, now: datetime) -> None:
    set_days(int(run.made["purchase_id"]), str(run.made["former"]), reason, actor, now)


def _off_the_shelf(run: PlayRun, reason: str, actor: User, now: datetime) -> None:
    move_stock(run.made, ("available", str(run.made["status"])), reason, actor, now)


def _on_the_books(run: PlayRun, reason: str, actor: User, now: datetime) -> None:
    move_stock(run.made, ("", str(run.made["status"])), reason, actor, now)


UNDOERS: Mapping[str, Undoer] = {
    "backorder": _promise,
    "pegged_inbound": _promise,
    "redate": _redate,
    "transfer": _transfer,
    "transfer_group": _transfer,
    "buy": _buy,
    "buy_expedited": _buy,
    "drop_ship": _call_off,
    "release": _release,
    "keep_held": _wait,
    "honour_contract": _price,
    "reprice": _price,
    "accept_late": _days,
    "put_back": _off_the_shelf,
    "write_off": _on_the_books,
    "stock_up": _call_off,
    "move_in": _stay,
    "move_lot": _stay,
    "block_lot": _unblock,
    "chase": _wait,
}
