"""What the resources of bins take and give."""

from typing import Any

from rest_framework import serializers

from erp.api.serializers import QuantityInput, StrictSerializer, TextInput
from inventory.models import Bin

LINES_MAX = 500
ID_MAX = 2**63 - 1


class BinInput(StrictSerializer):
    """A bin of a node. `capacity` and `minimum` are base units; a null capacity has no bound."""

    node = TextInput(max_length=20)
    code = TextInput(max_length=20)
    kind = serializers.ChoiceField(choices=Bin.Kind.values, required=False)
    sequence = serializers.IntegerField(min_value=0, max_value=2**31 - 1, required=False)
    capacity = QuantityInput(required=False, allow_null=True)
    product = TextInput(max_length=40, required=False, allow_null=True)
    minimum = QuantityInput(required=False, allow_zero=True)
    is_active = serializers.BooleanField(required=False)


class BinPatch(BinInput):
    """What is to change of a bin."""

    node = None  # type: ignore[assignment]
    code = None  # type: ignore[assignment]


class BinMoveLineInput(StrictSerializer):
    """So much of a balance, by its id, out of one bin into another, by code.

    Without `from` it stands on the floor; without `to` it goes there.
    """

    stock = serializers.IntegerField(min_value=1, max_value=ID_MAX)
    quantity = QuantityInput()
    to = TextInput(max_length=20, required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {**super().get_fields(), "from": TextInput(max_length=20, required=False)}


class BinMoveInput(StrictSerializer):
    lines = serializers.ListField(child=BinMoveLineInput(), min_length=1, max_length=LINES_MAX)


class BinOutput(serializers.Serializer[Any]):
    """A bin; a pick face may be the home of `product`, filled up below `minimum`."""

    id = serializers.IntegerField()
    node = serializers.CharField()
    code = serializers.CharField()
    kind = serializers.CharField()
    sequence = serializers.IntegerField()
    capacity = serializers.CharField(allow_null=True)
    product = serializers.CharField(allow_null=True)
    minimum = serializers.CharField()
    is_active = serializers.BooleanField()


class BinStockOutput(serializers.Serializer[Any]):
    """So much of one balance in a bin, in base units."""

    stock = serializers.IntegerField()
    product = serializers.CharField()
    entity = serializers.CharField()
    lot = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    quantity = serializers.CharField()


class BinMoveOutput(serializers.Serializer[Any]):
    """One move; an empty `from` or `to` is the floor."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    kind = serializers.CharField()
    stock = serializers.IntegerField()
    product = serializers.CharField()
    node = serializers.CharField()
    quantity = serializers.CharField()
