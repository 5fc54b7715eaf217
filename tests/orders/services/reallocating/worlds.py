"""Small shortages: who ordered a product of which there is too little."""

from inventory.models import Product, Reservation, Stock
from orders.models import Order
from tests.orders import factories as make


def ordered(part: Product, quantity: int, tier: str = "C", **values: object) -> Order:
    """Have a customer of a tier order it, and stock kept for it as far as there is some."""
    return make.allocated(
        make.account(make.customer(tier=tier)), make.line(part, quantity), **values
    )


def held(order: Order) -> int:
    """Return what the first line of an order holds; the mirror and the reservations agree."""
    line = make.lines_of(order)[0]
    kept = Reservation.objects.filter(
        demand_kind="orders.line", demand_id=line.pk, closed_at=None
    ).values_list("quantity", flat=True)
    assert sum(kept) == line.reserved
    return int(line.reserved)


def books_balance() -> None:
    """Check that what is reserved is what lines hold, and no more than there is."""
    for row in Stock.objects.all():
        open_ones = Reservation.objects.filter(stock=row, closed_at=None)
        assert row.reserved == sum(open_ones.values_list("quantity", flat=True))
        assert 0 <= row.reserved <= row.on_hand
