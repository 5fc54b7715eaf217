"""Who is told of the milestones of orders."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers as fields
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import ChoiceFilter, Filter, FlagFilter, TextFilter
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.requests import actor_of
from erp.api.serializers import StrictSerializer, TextInput
from erp.api.views import ResourceViewSet
from orders import permissions
from orders.api import serializers
from orders.models import Milestone, MilestoneSubscription
from orders.selectors import ids_by_code, order_page, subscription_list
from orders.services.telling import SubscriptionDraft, follow_milestones, stop_following

IDS_DIGITS = 18
Channel = MilestoneSubscription.Channel


class SubscriptionInput(StrictSerializer):
    """Who is told: of the order, or without one of every order of the customer.

    Without `kinds` of every milestone. The same party again is one subscription.
    """

    entity = TextInput(max_length=20)
    customer = TextInput(max_length=40)
    order = TextInput(max_length=20, required=False)
    channel = fields.ChoiceField(choices=[Channel.EMAIL.value, Channel.IN_APP.value])
    address = TextInput(max_length=254, required=False)
    kinds = fields.ListField(
        child=fields.ChoiceField(choices=Milestone.values), required=False, max_length=9
    )


class SubscriptionViewSet(ResourceViewSet):
    """Subscriptions to milestones, by id."""

    lookup_field = "id"
    required_permissions: ClassVar = {
        "list": permissions.FOLLOW,
        "create": permissions.FOLLOW,
        "stop": permissions.FOLLOW,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "customer": TextFilter("customer__code"),
        "order": TextFilter("order__number"),
        "channel": ChoiceFilter("channel", choices=tuple(Channel.values)),
        "is_active": FlagFilter("is_active"),
    }
    ordering_fields = ("id",)
    inputs: ClassVar = {"create": SubscriptionInput, "stop": serializers.NothingInput}

    def list(self, request: Request) -> Response:
        return self.page(subscription_list(entity_ids=self.scope()), _shown)

    def create(self, request: Request) -> Response:
        body = self.body()
        entity_id = self.entity_id(body["entity"])
        customer_id = ids_by_code("customer", [body["customer"]]).get(body["customer"])
        if customer_id is None:
            raise _unknown("customer")
        order_id = None
        if body.get("order"):
            found = order_page(number=body["order"], entity_ids=[entity_id], line_limit=1)
            if found is None or found.customer_id != customer_id:
                raise _unknown("order")
            order_id = found.id
        draft = SubscriptionDraft(
            entity_id=entity_id,
            customer_id=customer_id,
            channel=body["channel"],
            address=body.get("address", ""),
            order_id=order_id,
            kinds=body.get("kinds", ()),
        )
        made = follow_milestones(draft=draft, actor=actor_of(request), now=timezone.now())
        return self._answer(made.pk, 201)

    @action(detail=True, methods=["post"])
    def stop(self, request: Request, id: str) -> Response:  # noqa: A002  the address names it
        """Tell the party nothing more."""
        self.body()
        known = id.isascii() and id.isdecimal() and len(id) <= IDS_DIGITS
        if not known or not subscription_list(entity_ids=self.scope()).filter(pk=id).exists():
            raise NotFound("There is no such subscription.")
        stop_following(subscription_id=int(id), actor=actor_of(request), now=timezone.now())
        return self._answer(int(id), 200)

    def _answer(self, subscription_id: int, status: int) -> Response:
        (shown,) = _shown(subscription_list(entity_ids=self.scope()).filter(pk=subscription_id))
        return Response(shown, status=status)


def _shown(found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    codes = {"entity_code", "customer_code", "order_number"}
    return [
        {
            **{name: value for name, value in row.items() if name not in codes},
            "entity": row["entity_code"],
            "customer": row["customer_code"],
            "order": row["order_number"],
        }
        for row in found
    ]


def _unknown(name: str) -> ValidationError:
    return ValidationError({name: [ErrorDetail(f"There is no such {name}.", "unknown")]})
