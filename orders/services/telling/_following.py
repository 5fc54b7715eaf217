"""Says who is told of the milestones of an order, or of every order of a customer."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from orders.models import CreditAccount, Milestone, MilestoneSubscription, Order

Channel = MilestoneSubscription.Channel


class BadSubscription(DomainError):
    """Nobody can be told so: no account, no address, or no such milestone."""

    code: ClassVar[str] = "bad_subscription"


@dataclass(frozen=True, slots=True)
class SubscriptionDraft:
    """Who is told: with `order_id` of that order, else of every order of the customer.

    `kinds` empty: of every milestone.
    """

    entity_id: int
    customer_id: int
    channel: str
    address: str = ""
    order_id: int | None = None
    kinds: Collection[str] = ()


@transaction.atomic
def follow_milestones(
    *, draft: SubscriptionDraft, actor: User | None, now: datetime
) -> MilestoneSubscription:
    """Subscribe a party; the same one again changes of what it is told, and is one subscription.

    What was reached before is not told. Locks the account.

    Raises:
        BadSubscription: the customer has no account there or not that order, the channel or a
            milestone is unknown, or the address is no e-mail address.
    """
    address = draft.address.strip()
    _refuse(draft, address)
    account = CreditAccount.objects.select_for_update(of=["self"], no_key=True).filter(
        entity_id=draft.entity_id, customer_id=draft.customer_id
    )
    if not account:
        raise BadSubscription("The customer has no account with this entity.")
    mine = {"entity_id": draft.entity_id, "customer_id": draft.customer_id}
    if draft.order_id and not Order.objects.filter(pk=draft.order_id, **mine).exists():
        raise BadSubscription("The customer has no such order.")
    kinds = [kind for kind in Milestone.values if kind in draft.kinds]
    what = {**mine, "order_id": draft.order_id, "channel": draft.channel, "address": address}
    found = MilestoneSubscription.objects.filter(**what, is_active=True).first()
    if found and found.kinds == kinds:
        return found
    if found:
        found.kinds = kinds
        found.save(update_fields=["kinds"])
    else:
        found = MilestoneSubscription.objects.create(
            **what, kinds=kinds, created_at=now, created_by=actor
        )
    _record(found, "orders.follow_milestones", actor, now)
    return found


@transaction.atomic
def stop_following(
    *, subscription_id: int, actor: User | None, now: datetime
) -> MilestoneSubscription:
    """Tell a party nothing more; what is due already still goes out. Stopped again, it stays.

    Raises:
        MilestoneSubscription.DoesNotExist: there is no such subscription.
    """
    found = MilestoneSubscription.objects.select_for_update().get(pk=subscription_id)
    if found.is_active:
        found.is_active = False
        found.save(update_fields=["is_active"])
        _record(found, "orders.stop_following", actor, now)
    return found


def _refuse(draft: SubscriptionDraft, address: str) -> None:
    if draft.channel not in Channel.values:
        raise BadSubscription("There is no such channel.")
    if not {*draft.kinds} <= {*Milestone.values}:
        raise BadSubscription("There is no such milestone.")
    if draft.channel != Channel.EMAIL:
        return
    try:
        validate_email(address)
    except ValidationError:
        raise BadSubscription("That is no e-mail address.") from None


def _record(found: MilestoneSubscription, action: str, actor: User | None, now: datetime) -> None:
    of_order = found.order_id is not None
    change = Change(
        entity_id=found.entity_id,
        action=action,
        subject_kind="orders.milestonesubscription",
        subject_id=found.pk,
        thread=f"orders.order:{found.order_id}"
        if of_order
        else f"orders.customer:{found.customer_id}",
        after={"channel": found.channel, "address": found.address, "milestones": found.kinds},
    )
    record(changes=[change], actor=actor, now=now)
