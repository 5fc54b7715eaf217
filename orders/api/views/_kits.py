"""Kits: what is sold as one, and what it is made of."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers as fields
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import Filter, FlagFilter, TextFilter
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.requests import actor_of
from erp.api.serializers import QuantityInput, StrictSerializer, TextInput
from erp.api.views import ResourceViewSet
from orders import permissions
from orders.selectors import KitPage, kit_list, kit_page, parts_of, product_ids
from orders.services.kitting import PARTS_MAX, KitPart, save_kit


class KitPartInput(StrictSerializer):
    """So many base units of a product in one kit."""

    product = TextInput(max_length=40)
    quantity = QuantityInput()


class KitChangeInput(StrictSerializer):
    """What changes of a kit; what is left out stays, the parts are replaced as a whole."""

    is_active = fields.BooleanField(required=False)
    valid_from = fields.DateField(required=False, allow_null=True)
    valid_until = fields.DateField(required=False, allow_null=True)
    parts = KitPartInput(many=True, required=False, max_length=PARTS_MAX, allow_empty=False)  # type: ignore[call-arg]


class KitInput(KitChangeInput):
    """A product that is sold as several. Written again it is changed: once is as often as twice."""

    product = TextInput(max_length=40)
    parts = KitPartInput(many=True, max_length=PARTS_MAX, allow_empty=False)  # type: ignore[call-arg]


class KitViewSet(ResourceViewSet):
    """Kits, addressed by the code of the product they are sold as."""

    lookup_field = "code"
    required_permissions: ClassVar = {
        "list": permissions.VIEW_KIT,
        "retrieve": permissions.VIEW_KIT,
        "create": permissions.CHANGE_KIT,
        "partial_update": permissions.CHANGE_KIT,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "is_active": FlagFilter("is_active"),
        "part": TextFilter("components__product__code"),
    }
    ordering_fields = ("id",)
    inputs: ClassVar = {"create": KitInput, "partial_update": KitChangeInput}

    def list(self, request: Request) -> Response:
        return self.page(kit_list(), _summaries)

    def retrieve(self, request: Request, code: str) -> Response:
        return Response(_shown(self._kit(code)))

    def create(self, request: Request) -> Response:
        body = self.body()
        code = body["product"].upper()
        product_id = product_ids(codes=[code]).get(code)
        if product_id is None:
            raise ValidationError(
                {"product": [ErrorDetail("There is no such product.", "unknown")]}
            )
        self._save(request, product_id, body)
        headers = {"Location": f"/api/v1/kits/{code}/"}
        return Response(_shown(self._kit(code)), status=201, headers=headers)

    def partial_update(self, request: Request, code: str) -> Response:
        """Change what it is made of, on which days, or whether it is sold as a kit at all."""
        page, body = self._kit(code), self.body()
        self.check_version(_shown(page))
        kept = {
            "is_active": page.is_active,
            "valid_from": page.valid_from,
            "valid_until": page.valid_until,
            "parts": [{"product": p.product, "quantity": p.quantity} for p in page.parts],
        }
        self._save(request, page.product_id, kept | body)
        return self.retrieve(request, code)

    def _save(self, request: Request, product_id: int, body: Mapping[str, Any]) -> None:
        save_kit(
            product_id=product_id,
            parts=_parts(body["parts"]),
            actor=actor_of(request),
            now=timezone.now(),
            is_active=body.get("is_active", True),
            valid_from=body.get("valid_from"),
            valid_until=body.get("valid_until"),
        )

    def _kit(self, code: str) -> KitPage:
        page = kit_page(code=code, entity_ids=self.scope())
        if page is None:
            raise NotFound(f"There is no kit {code[:40]!r}.")
        return page


def _parts(asked: Iterable[Mapping[str, Any]]) -> list[KitPart]:
    known = product_ids(codes={each["product"] for each in asked})
    found = [known.get(each["product"].upper()) for each in asked]
    if None in found:
        said = {"product": [ErrorDetail("There is no such product.", "unknown")]}
        raise ValidationError({"parts": [said if pk is None else {} for pk in found]})
    return [KitPart(pk or 0, each["quantity"]) for pk, each in zip(found, asked, strict=True)]


def _shown(page: KitPage) -> dict[str, Any]:
    return {
        "product": page.product,
        "name": page.name,
        "is_active": page.is_active,
        "valid_from": page.valid_from,
        "valid_until": page.valid_until,
        "created_at": page.created_at,
        "parts": [
            {
                "product": part.product,
                "base_uom": part.uom,
                "quantity": part.quantity,
                "available": part.available,
            }
            for part in page.parts
        ],
        "buildable": page.buildable,
    }


def _summaries(found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    kits = list(found)
    parts = parts_of(kit_ids=[row["id"] for row in kits])
    return [
        {
            "product": row["code"],
            **{n: v for n, v in row.items() if n not in {"id", "code"}},
            "parts": parts[row["id"]],
        }
        for row in kits
    ]
