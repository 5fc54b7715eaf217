"""What the resource of KPIs shows. Shares, amounts and hours are decimals as text."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from erp.insight.selectors import Day, Figure, Kpi, KpiRow, Unit


class KpiOutput(serializers.Serializer[Any]):
    """A figure over a period. Money is by currency: different ones are never added."""

    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    definition = serializers.CharField()
    unit = serializers.ChoiceField(choices=[unit.value for unit in Unit])
    numerator = serializers.CharField(allow_null=True)
    denominator = serializers.CharField(allow_null=True)
    value = serializers.CharField(allow_null=True)
    rows = serializers.IntegerField()
    amounts = serializers.DictField()
    series = serializers.ListField()


def listed(kpi: Kpi) -> dict[str, Any]:
    return {
        "code": kpi.code,
        "label": kpi.label,
        "definition": kpi.definition,
        "unit": kpi.unit.value,
        "target": kpi.target or None,
    }


def shown(figure: Figure, days: list[Day]) -> dict[str, Any]:
    """Return a figure as `KpiOutput` describes it. Mixed money has no single value."""
    mixed = figure.kpi.unit is Unit.MONEY and len(figure.by_currency) > 1
    return listed(figure.kpi) | {
        "numerator": None if mixed else text(figure.numerator),
        "denominator": None if mixed else text(figure.denominator),
        "value": None if mixed else text(value_of(figure)),
        "rows": figure.rows,
        "amounts": {currency: text(amount) for currency, amount in figure.by_currency.items()},
        "series": [
            {
                "date": day.day,
                "numerator": text(day.numerator),
                "denominator": text(day.denominator),
                "value": text(day.value),
            }
            for day in days
        ],
    }


def value_of(figure: Figure) -> Decimal | None:
    return figure.numerator if figure.kpi.unit is Unit.MONEY else figure.value


def shown_row(row: KpiRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "entity": row.entity,
        "date": row.day,
        "part": row.bucket,
        "label": row.label,
        "ref": row.ref,
        "party": row.party,
        "detail": row.detail,
        "numerator": text(row.hits),
        "denominator": text(row.parts),
        "amount": text(row.amount),
        "currency": row.currency,
    }


def text(value: Decimal | int | None) -> str | None:
    if value is None:
        return None
    exact = Decimal(value).quantize(Decimal("0.0001")).normalize()
    return f"{exact:f}"
