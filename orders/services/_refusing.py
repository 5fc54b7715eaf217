"""What is refused when an order is taken down, each with the field at fault."""

from collections.abc import Sequence
from typing import ClassVar, Self

from erp.kernel.errors import DomainError


class DraftRefused(DomainError):
    """An order cannot be taken as it was written. `errors` names every field at fault."""

    code: ClassVar[str] = "draft_refused"

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field
        self.errors: list[dict[str, str]] = [
            {"field": field, "code": self.code, "message": message}
        ]

    def along_with(self, others: Sequence["DraftRefused"]) -> Self:
        """Return this refusal, which now also names what the others name."""
        self.errors += [error for other in others for error in other.errors]
        return self


class NoLines(DraftRefused):
    """An order without lines asks for nothing."""

    code = "no_lines"


class TooManyLines(DraftRefused):
    """More lines than one order may have."""

    code = "too_many_lines"


class CustomerNotServed(DraftRefused):
    """The customer has no account with this entity."""

    code = "customer_not_served"


class UnknownProduct(DraftRefused):
    """There is no such product."""

    code = "unknown_product"


class BlockedProduct(DraftRefused):
    """The product is not sold."""

    code = "blocked_product"


class UnknownUom(DraftRefused):
    """The product is not counted in that unit."""

    code = "unknown_uom"


class BadQuantity(DraftRefused):
    """A quantity is not above zero, too large, or not whole thousandths of the base unit."""

    code = "bad_quantity"


class NoPrice(DraftRefused):
    """No contract and no list says what the product costs on that day in that currency."""

    code = "no_price"


class BadAmount(DraftRefused):
    """A price, discount, freight or sum is negative, too exact or too large for its column."""

    code = "bad_amount"


class BadReference(DraftRefused):
    """A text is too long, or names something that is not there."""

    code = "bad_reference"
