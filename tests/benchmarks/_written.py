"""What a piece of work writes: rows added by table, and their size."""

from collections.abc import Callable
from typing import NamedTuple

from erp.kernel.sql import rows

TABLES = """
    SELECT relname FROM pg_class
    WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
    ORDER BY relname
"""
# How far the floor's rows may be from the product's in size, by table.
LIKE = 0.15


class Written(NamedTuple):
    """Rows that one table has more than before, and how many bytes they are."""

    rows: int
    size: int


def written(work: Callable[[], object]) -> dict[str, Written]:
    """Do `work` and return what it added, by table."""
    before = _counted()
    work()
    return {
        table: Written(found.rows - before[table].rows, found.size - before[table].size)
        for table, found in _counted().items()
        if found.rows != before[table].rows
    }


def assert_alike(product: dict[str, Written], floor: dict[str, Written]) -> None:
    """Refuse a floor that writes fewer or more rows than the product, or other sizes of them."""
    ours = {table: found.rows for table, found in product.items()}
    theirs = {table: found.rows for table, found in floor.items()}
    assert ours == theirs, f"product {ours}, floor {theirs}"
    for table, found in product.items():
        ratio = floor[table].size / found.size
        assert abs(ratio - 1) <= LIKE, f"{table}: the floor's rows are {ratio:.2f} as large"


def _counted() -> dict[str, Written]:
    parts = " UNION ALL ".join(
        f"SELECT '{name}', count(*), coalesce(sum(pg_column_size(t.*)), 0) FROM \"{name}\" t"  # noqa: S608
        for (name,) in rows(TABLES)
    )
    return {name: Written(count, int(size)) for name, count, size in rows(parts)}
