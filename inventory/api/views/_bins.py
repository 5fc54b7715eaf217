"""Bins over REST: what lies in them, what moved, what is to be put away and brought down."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import ChoiceFilter, Filter, FlagFilter, MomentFilter, TextFilter, query_values
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.requests import actor_of
from erp.api.views import Item, ResourceViewSet
from inventory import permissions
from inventory.api import bin_serializers as serializers
from inventory.models import Bin, BinMove, Node, Stock
from inventory.selectors import (
    bin_ids,
    bin_page,
    low_faces,
    products_by_code,
    to_put_away,
)
from inventory.services.binning import BinDraft, BinTransfer, move_in_bins, save_bin

FIELDS = (
    "id", "node__code", "code", "kind", "sequence", "capacity", "product__code", "minimum",
    "is_active",
)  # fmt: skip
NAMES = {"node__code": "node", "product__code": "product"}


def seen(rows: QuerySet[Bin], entity_ids: frozenset[int]) -> QuerySet[Bin]:
    """Narrow bins to nodes of these companies, and nodes where they own something."""
    held = Stock.objects.filter(entity_id__in=entity_ids).values("node_id")
    return rows.filter(Q(node__entity_id__in=entity_ids) | Q(node_id__in=held))


class BinViewSet(ResourceViewSet):
    """Places within nodes. Their node's people change them; owners of goods there see them."""

    required_permissions: ClassVar = {
        "list": permissions.VIEW_BIN,
        "retrieve": permissions.VIEW_BIN,
        "stock": permissions.VIEW_BIN,
        "create": permissions.CHANGE_BIN,
        "partial_update": permissions.CHANGE_BIN,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "node": TextFilter("node__code"),
        "code": TextFilter("code"),
        "starts_with": TextFilter("code__istartswith"),
        "kind": ChoiceFilter("kind", choices=tuple(Bin.Kind.values)),
        "product": TextFilter("product__code"),
        "is_active": FlagFilter("is_active"),
    }
    ordering = "id"
    ordering_fields = ("id", "sequence", "code")
    inputs: ClassVar = {
        "create": serializers.BinInput,
        "partial_update": serializers.BinPatch,
    }
    outputs: ClassVar = dict.fromkeys(
        ("list", "retrieve", "create", "partial_update"), serializers.BinOutput
    ) | {"stock": serializers.BinStockOutput}

    def list(self, request: Request) -> Response:
        return self.page(seen(Bin.objects.all(), self.scope()).values(*FIELDS), _rows)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self._one(pk))

    def create(self, request: Request) -> Response:
        values = self.body()
        node = Node.objects.filter(code=values.pop("node"), entity_id__in=self.scope()).first()
        if node is None:
            raise NotFound("There is no such node.")
        if Bin.objects.filter(node=node, code=values["code"]).exists():
            message = f"{node.code} has a {values['code']} already."
            raise ValidationError({"code": [ErrorDetail(message, "taken")]})
        return Response(self._one(str(self._save(node.pk, values))), status=201)

    def partial_update(self, request: Request, pk: str) -> Response:
        self.check_version(self._one(pk))
        kept = Bin.objects.filter(pk=int(pk), node__entity_id__in=self.scope()).first()
        if kept is None:
            raise NotFound("There is no such bin.")
        before = {
            "code": kept.code,
            "kind": kept.kind,
            "sequence": kept.sequence,
            "capacity": kept.capacity,
            "product_id": kept.product_id,
            "minimum": kept.minimum,
            "is_active": kept.is_active,
        }
        self._save(kept.node_id, before | self.body())
        return Response(self._one(pk))

    @action(detail=True)
    def stock(self, request: Request, pk: str) -> Response:
        """Answer what lies in it of the caller's entities."""
        query_values(request, {})
        head = self._one(pk)
        page = bin_page(node=head["node"], code=head["code"], entity_ids=self.scope())
        return Response(
            {
                "results": [
                    {
                        "stock": each.stock_id,
                        "product": each.product,
                        "entity": each.entity,
                        "lot": each.lot or None,
                        "status": each.status,
                        "quantity": each.quantity,
                    }
                    for each in (page.contents if page else ())
                ],
                "next": None,
                "previous": None,
            }
        )

    def _save(self, node_id: int, values: dict[str, Any]) -> int:
        if "product" in values:
            code = values.pop("product")
            values["product_id"] = products_by_code([code]).get(code) if code else None
            if code and values["product_id"] is None:
                message = f"There is no product {code!r}."
                raise ValidationError({"product": [ErrorDetail(message, "does_not_exist")]})
        draft = BinDraft(node_id=node_id, **values)
        return save_bin(draft=draft, actor=actor_of(self.request), now=timezone.now())

    def _one(self, pk: str) -> Item:
        rows = seen(Bin.objects.all(), self.scope()).values(*FIELDS)
        found = rows.filter(pk=int(pk)).first() if _is_id(pk) else None
        if found is None:
            raise NotFound(f"There is no bin {pk[:50]!r}.")
        return _rows([found])[0]


class BinMoveViewSet(ResourceViewSet):
    """Every move between bins, never changed itself; made here for put-away and for any other."""

    required_permissions: ClassVar = {
        "list": permissions.VIEW_BIN,
        "create": permissions.MOVE_IN_BINS,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "product": TextFilter("stock__product__code"),
        "node": TextFilter("stock__node__code"),
        "kind": ChoiceFilter("kind", choices=tuple(BinMove.Kind.values)),
        "created_after": MomentFilter("at__gte"),
        "created_before": MomentFilter("at__lt"),
    }
    inputs: ClassVar = {"create": serializers.BinMoveInput}
    outputs: ClassVar = {"list": serializers.BinMoveOutput}

    def list(self, request: Request) -> Response:
        return self.page(self._moves(), _moves)

    def create(self, request: Request) -> Response:
        """Put away, bring down or move: all lines or none."""
        lines = self.body()["lines"]
        mine = Stock.objects.filter(
            pk__in={line["stock"] for line in lines}, entity_id__in=self.scope()
        )
        nodes = dict(mine.values_list("pk", "node_id"))
        for line in lines:
            if line["stock"] not in nodes:
                raise NotFound(f"There is no balance {line['stock']}.")
        named = {
            (nodes[line["stock"]], line[side])
            for line in lines
            for side in ("from", "to")
            if line.get(side)
        }
        known = bin_ids(named)
        moves = [
            BinTransfer(
                stock_id=line["stock"],
                quantity=line["quantity"],
                source_id=_bin(known, nodes[line["stock"]], place, line, "from"),
                target_id=_bin(known, nodes[line["stock"]], place, line, "to"),
            )
            for place, line in enumerate(lines)
        ]
        ids = move_in_bins(moves=moves, actor=actor_of(request), now=timezone.now())
        made = self._moves().filter(pk__in=ids).order_by("pk")
        return Response({"results": _moves(list(made))}, status=201)

    def _moves(self) -> Any:
        return BinMove.objects.filter(stock__entity_id__in=self.scope()).values(
            "id", "at", "kind", "stock_id", "stock__product__code", "stock__node__code",
            "source__code", "target__code", "quantity", "cause_kind", "cause_id",
        )  # fmt: skip


class PutAwayViewSet(ResourceViewSet):
    """What stands unput at a node (`?node=`), and which bins to put it into."""

    required_permissions: ClassVar = {"list": permissions.VIEW_BIN}

    def list(self, request: Request) -> Response:
        asked = query_values(request, {"node": TextFilter(), "product": TextFilter()})
        found = to_put_away(
            node=_node(asked),
            product=asked.get("product") or "",
            entity_ids=self.scope(),
            limit=500,
        )
        return _listed(
            {
                "stock": each.stock_id,
                "product": each.product,
                "entity": each.entity,
                "lot": each.lot or None,
                "status": each.status,
                "from": each.source or None,
                "quantity": each.quantity,
                "to": [{"bin": code, "quantity": part} for _, code, part in each.parts],
                "rest": each.rest,
            }
            for each in found
        )


class ReplenishmentViewSet(ResourceViewSet):
    """Pick faces of a node (`?node=`) below their minimum, and what to bring down to them."""

    required_permissions: ClassVar = {"list": permissions.VIEW_BIN}

    def list(self, request: Request) -> Response:
        asked = query_values(request, {"node": TextFilter()})
        found = low_faces(
            node=_node(asked), entity_ids=self.scope(), today=timezone.localdate(), limit=500
        )
        return _listed(
            {
                "bin": each.bin,
                "product": each.product,
                "level": each.level,
                "minimum": each.minimum,
                "wanted": each.wanted,
                "lines": [
                    {
                        "stock": part.stock_id,
                        "from": part.bin,
                        "lot": part.lot or None,
                        "quantity": part.quantity,
                    }
                    for part in each.parts
                ],
            }
            for each in found
        )


def _listed(items: Any) -> Response:
    return Response({"results": list(items), "next": None, "previous": None})


def _node(asked: Mapping[str, Any]) -> str:
    if not asked.get("node"):
        raise ValidationError({"node": [ErrorDetail("Say which node.", "required")]})
    return str(asked["node"])


def _bin(
    known: Mapping[tuple[int, str], int],
    node_id: int,
    place: int,
    line: Mapping[str, Any],
    side: str,
) -> int | None:
    code = line.get(side)
    if not code:
        return None
    if (node_id, code) not in known:
        message = f"There is no bin {code!r} at that node."
        raise ValidationError({f"lines.{place}.{side}": [ErrorDetail(message, "does_not_exist")]})
    return known[node_id, code]


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19  # noqa: PLR2004


def _rows(rows: Sequence[dict[str, Any]]) -> list[Item]:
    return [{NAMES.get(key, key): value for key, value in row.items()} for row in rows]


def _moves(rows: Sequence[dict[str, Any]]) -> list[Item]:
    return [
        {
            "id": row["id"],
            "at": row["at"],
            "kind": row["kind"],
            "stock": row["stock_id"],
            "product": row["stock__product__code"],
            "node": row["stock__node__code"],
            "from": row["source__code"],
            "to": row["target__code"],
            "quantity": row["quantity"],
            "cause": f"{row['cause_kind']}:{row['cause_id']}" if row["cause_kind"] else None,
        }
        for row in rows
    ]
