"""Column types whose precision is a business decision (ADR 0006)."""

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Func


class QuantityField(models.DecimalField[Decimal, Decimal]):
    """A count of a product's base unit, to a thousandth."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_digits": 15, "decimal_places": 3} | kwargs)


class AmountField(models.DecimalField[Decimal, Decimal]):
    """Money in the document's currency, to a hundredth of a cent."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_digits": 19, "decimal_places": 4} | kwargs)


class RateField(models.DecimalField[Decimal, Decimal]):
    """A share of one: 0.05 is five per cent. To a hundredth of a per cent of a per cent."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_digits": 9, "decimal_places": 6} | kwargs)


class ExchangeRateField(models.DecimalField[Decimal, Decimal]):
    """How much of one currency is given for one of another, to a billionth."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_digits": 18, "decimal_places": 9} | kwargs)


class NextNumber(models.Func):
    """A document number out of a PostgreSQL sequence, as a column default: `SO-10001`.

    Gaps are allowed (a rolled-back insert leaves one); gap-free series are taken with
    `erp.accounts.services.take_numbers`, last thing in the transaction.
    """

    output_field = models.CharField()
    arity = 0

    def __init__(self, prefix: str, sequence: str) -> None:
        self.prefix, self.sequence = prefix, sequence
        super().__init__()

    def as_sql(self, *args: Any, **kwargs: Any) -> tuple[str, tuple[str | int, ...]]:
        return f"('{self.prefix}' || nextval('{self.sequence}'))", ()

    def deconstruct(self) -> tuple[str, tuple[str, str], dict[str, Any]]:
        return "erp.kernel.fields.NextNumber", (self.prefix, self.sequence), {}


class Span(Func):
    """A range that holds one whole number, so that equality is an overlap."""

    function = "int8range"
    template = "int8range(%(expressions)s, %(expressions)s, '[]')"

    def as_sql(self, *args: Any, **context: Any) -> Any:
        sql, params = super().as_sql(*args, **context)
        return sql, (*params, *params)
