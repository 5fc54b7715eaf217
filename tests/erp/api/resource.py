"""A resource for the tests of erp/api: notes, kept as inbox messages."""

from typing import Any, ClassVar

from django.urls import include, path
from django.utils import timezone
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from erp.api.filters import ChoiceFilter, Filter, IdFilter, MomentFilter, TextFilter
from erp.api.problems import NotFound
from erp.api.serializers import AmountInput, ObjectInput, QuantityInput, StrictSerializer, TextInput
from erp.api.views import ResourceViewSet, one_by_one, unknown_resource
from erp.kernel.errors import DomainError
from erp.outbox.models import InboxMessage
from erp.outbox.services import first_time


class NoteTaken(DomainError):
    code = "note_taken"


class LineInput(StrictSerializer):
    product = TextInput(max_length=40)
    quantity = QuantityInput()
    price = AmountInput(required=False)


class NoteInput(StrictSerializer):
    text = TextInput()
    lines = LineInput(many=True, required=False)
    constraints = ObjectInput(required=False)
    choice = serializers.ChoiceField(choices=["a", "b"], required=False)


class NoteOutput(serializers.Serializer[Any]):
    number = serializers.CharField()


def take_note(text: str) -> dict[str, Any]:
    if text == "bug":
        raise ZeroDivisionError
    is_new = first_time(source="notes", message_id=text, now=timezone.now())
    if text.startswith("refuse"):
        raise NoteTaken(f"{text} is refused.")
    if not is_new:
        raise NoteTaken(f"{text} is taken.")
    return {"number": text}


class NoteViewSet(ResourceViewSet):
    queryset = InboxMessage.objects.all()
    required_permissions: ClassVar = dict.fromkeys(
        ("list", "create", "partial_update", "retrieve", "bulk_create"), "accounts.view_entity"
    )
    filters: ClassVar[dict[str, Filter]] = {
        "source": ChoiceFilter("source", choices=("notes", "letters")),
        "text": TextFilter("message_id"),
        "number": IdFilter("pk"),
        "after": MomentFilter("received_at__gte"),
    }
    inputs: ClassVar = {"create": NoteInput, "bulk_create": NoteInput}
    outputs: ClassVar = {"create": NoteOutput, "list": NoteOutput}
    ordering = "-received_at"
    ordering_fields = ("received_at", "message_id")
    lookup_field = "message_id"

    def list(self, request: Request) -> Response:
        self.scope()
        return self.page(
            InboxMessage.objects.values("id", "source", "message_id", "received_at"),
        )

    def retrieve(self, request: Request, message_id: str) -> Response:
        found = self.get_queryset().filter(message_id=message_id).first()
        if found is None:
            raise NotFound
        return Response({"text": found.message_id, "source": found.source})

    def create(self, request: Request) -> Response:
        return Response(take_note(self.body()["text"]), status=201)

    def partial_update(self, request: Request, message_id: str) -> Response:
        self.check_version(self.retrieve(request, message_id).data)
        InboxMessage.objects.filter(message_id=message_id).update(source="letters")
        return self.retrieve(request, message_id)

    @action(detail=False, methods=["post"], url_path="bulk")
    def bulk_create(self, request: Request) -> Response:
        return self.bulk(NoteInput, one_by_one(lambda item: take_note(item["text"])))

    @action(detail=False, methods=["post"])
    def unnamed(self, request: Request) -> Response:
        return Response({})


router = SimpleRouter()
router.register("notes", NoteViewSet, basename="note")
urlpatterns = [
    path("", include("erp.api.urls")),
    path("api/v1/", include(router.urls)),
    path("api/<path:rest>", unknown_resource),
]
