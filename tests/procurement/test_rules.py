"""procurement/rules.py: how much to buy, and what deliveries are worth."""

from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from erp.kernel.sql import rows
from procurement.rules import quantity_to_buy, received_value, rounded, total_of

quantities = st.decimals("0.001", "99999.999", places=3)
prices = st.decimals("0", "99999.9999", places=4)

IN_SQL = """
    SELECT (div(w, m) + (mod(w, m) > 0)::int) * m
    FROM (SELECT greatest(%s::numeric, %s::numeric) AS w, %s::numeric AS m) asked
"""


class TestQuantityToBuy:
    @given(need=quantities, moq=quantities, multiple=quantities)
    def test_covers_the_need_in_the_fewest_whole_lots(self, need, moq, multiple) -> None:
        bought = quantity_to_buy(need=need, moq=moq, multiple=multiple)

        assert bought >= need
        assert bought >= moq
        assert bought % multiple == 0
        assert bought - multiple < max(need, moq)

    def test_says_the_same_in_sql(self, db: None) -> None:
        for need in ("0.001", "7", "12", "12.001", "99999.999"):
            for moq in ("0", "1", "12.5"):
                for multiple in ("0.001", "0.3", "1", "6", "7.001"):
                    here = quantity_to_buy(
                        need=Decimal(need), moq=Decimal(moq), multiple=Decimal(multiple)
                    )
                    assert rows(IN_SQL, [need, moq, multiple])[0][0] == here


class TestReceivedValue:
    @given(price=prices, parts=st.lists(quantities, min_size=1, max_size=8))
    def test_parts_add_up_to_the_rounded_whole(self, price, parts) -> None:
        before, worth = Decimal(0), Decimal(0)
        for part in parts:
            worth += received_value(before=before, now=part, unit_price=price)
            before += part

        assert worth == rounded(before * price)


class TestTotalOf:
    @given(st.lists(st.tuples(quantities, prices), max_size=20))
    def test_rounds_once(self, lines) -> None:
        assume(lines)

        off = total_of(lines) - sum(quantity * price for quantity, price in lines)

        assert abs(off) <= Decimal("0.005")
