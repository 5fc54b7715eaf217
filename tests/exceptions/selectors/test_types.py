"""exceptions/selectors/_types.py and the types that it registers"""

from datetime import datetime
from decimal import Decimal

import pytest

from erp.accounts.models import Entity
from exceptions.selectors import TYPES, case_type
from tests.exceptions import factories


@pytest.mark.parametrize("code", list(TYPES))
class TestEveryType:
    def test_finds_nothing_in_an_empty_world(
        self, code: str, entity: Entity, now: datetime
    ) -> None:
        assert case_type(code).find(now=now) == []
        assert case_type(code).find(now=now, subject_ids=[1], order_ids=[1]) == []


class TestShortage:
    def test_prices_what_is_missing(self, entity: Entity, now: datetime) -> None:
        item = factories.product(code="HX-220")
        supply = factories.purchase(item)
        line = factories.short_line(
            600, missing=412, unit_price=20, item=item,
            account=factories.account("A", penalty_rate="0.02"),
        )  # fmt: skip

        (found,) = case_type("orders.shortage").find(now=now)

        assert found.subject_id == line.pk
        assert found.exposure.revenue == 412 * 20
        assert found.exposure.days_late == 6  # due in 3 days, supplied in 9
        assert found.exposure.penalty == Decimal("988.80")  # 8,240 x 2 % x 6 days
        assert found.exposure.expected_loss == Decimal("9816.80")  # 0.95 x 8,240 + 988.80 + 1,000
        assert found.summary == (
            f"412 of 600 HX-220 short for 26 Nov; {supply.number} is due 2 Dec;"
            " penalty 2.00 % a day"
        )

    @pytest.mark.parametrize("state", ["draft", "released", "allocated", "cancelled", "closed"])
    def test_is_none_where_allocation_has_not_failed(
        self, state: str, entity: Entity, now: datetime
    ) -> None:
        factories.short_line(state=state)

        assert case_type("orders.shortage").find(now=now) == []
