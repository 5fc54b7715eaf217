"""erp/accounts/services/_numbering.py"""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections, transaction

from erp.accounts.models import Entity
from erp.accounts.services import take_numbers


@pytest.mark.django_db
class TestTakeNumbers:
    def test_each_series_of_each_company_counts_for_itself(self, entity: Entity) -> None:
        other = Entity.objects.create(code="DE01", name="X", currency="EUR", country="DE")

        assert take_numbers(entity_id=entity.pk, series="INV", count=3) == range(1, 4)
        assert take_numbers(entity_id=entity.pk, series="INV", count=1) == range(4, 5)
        assert take_numbers(entity_id=entity.pk, series="CM", count=1) == range(1, 2)
        assert take_numbers(entity_id=other.pk, series="INV", count=1) == range(1, 2)

    def test_numbers_of_a_rolled_back_document_were_never_taken(self, entity: Entity) -> None:
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            take_numbers(entity_id=entity.pk, series="INV", count=5)
            raise ZeroDivisionError

        assert take_numbers(entity_id=entity.pk, series="INV", count=1) == range(1, 2)

    @pytest.mark.parametrize("count", [0, -1])
    def test_refuses_to_take_none(self, entity: Entity, count: int) -> None:
        with pytest.raises(ValueError, match="cannot take"):
            take_numbers(entity_id=entity.pk, series="INV", count=count)


@pytest.mark.django_db(transaction=True)
def test_together_they_leave_no_gap_and_take_none_twice(entity: Entity) -> None:
    def take(n: int) -> list[int]:
        try:
            with transaction.atomic():
                taken = list(take_numbers(entity_id=entity.pk, series="INV", count=n % 3 + 1))
                if n % 5 == 0:
                    transaction.set_rollback(True)
                    return []
                return taken
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        taken = sorted(number for numbers in pool.map(take, range(40)) for number in numbers)

    assert taken == list(range(1, len(taken) + 1))
