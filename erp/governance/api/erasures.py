"""Erasing personal data over REST."""

from typing import ClassVar

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.requests import actor_of
from erp.api.views import ResourceViewSet
from erp.governance import permissions
from erp.governance.api import serializers
from erp.governance.services import ask_erasure


class ErasureViewSet(ResourceViewSet):
    """Requests to erase a record's personal data: a second person must agree."""

    required_permissions: ClassVar = {"create": permissions.ERASE_PERSONAL}
    inputs: ClassVar = {"create": serializers.ErasureInput}
    outputs: ClassVar = {"create": serializers.ErasureOutput}

    def create(self, request: Request) -> Response:
        """Ask for it; it is done as soon as somebody else agrees in the inbox."""
        body = self.body()
        asked = ask_erasure(
            kind=body["kind"],
            code=body["code"],
            entity_id=self.entity_id(body["entity"]),
            reason=body["reason"],
            actor=actor_of(request),
            now=timezone.now(),
        )
        return Response({"approval": asked.pk, "state": str(asked.state)}, status=201)
