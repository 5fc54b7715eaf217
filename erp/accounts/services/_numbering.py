"""Gap-free document numbers."""

from django.db import transaction

from erp.kernel.sql import rows

TAKE = """
    INSERT INTO accounts_numberseries AS s (entity_id, series, next_number)
    VALUES (%(entity)s, %(series)s, 1 + %(count)s)
    ON CONFLICT (entity_id, series) DO UPDATE SET next_number = s.next_number + %(count)s
    RETURNING next_number - %(count)s
"""


@transaction.atomic
def take_numbers(*, entity_id: int, series: str, count: int) -> range:
    """Take `count` consecutive numbers of a gap-free series; roll back and they were never taken.

    Locks the series until the transaction ends, so take numbers last (ADR 0008). One statement.

    Raises:
        ValueError: `count` is less than one.
    """
    if count < 1:
        raise ValueError(f"cannot take {count} numbers")
    params = {"entity": entity_id, "series": series, "count": count}
    first = int(rows(TAKE, params)[0][0])
    return range(first, first + count)
