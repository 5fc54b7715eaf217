"""erp/kernel/prepared.py, through erp/kernel/sql.py."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import DataError, connection, transaction

from erp.kernel.prepared import FEW, Prepared
from erp.kernel.sql import records, rows, run

pytestmark = pytest.mark.django_db
SUM = Prepared("SELECT sum(n) AS total FROM unnest(%(ns)s::numeric[]) AS n WHERE n > %(least)s")


def prepared_statements() -> list[str]:
    return [row[0] for row in rows("SELECT statement FROM pg_prepared_statements")]


class TestPrepared:
    def test_gives_what_the_statement_gives(self) -> None:
        for _ in range(8):  # from the sixth time on the plan is the generic one
            assert rows(SUM, {"ns": [1, 2, Decimal("3.5")], "least": 1}) == [(Decimal("5.5"),)]
        assert records(SUM, {"ns": [], "least": 1}) == [{"total": None}]

    def test_is_prepared_once_a_connection(self) -> None:
        once = Prepared("SELECT %(a)s::int + %(b)s::int + %(a)s AS only_once")

        assert rows(once, {"a": 1, "b": 2}) == [(4,)]
        assert rows(once, {"b": 5, "a": 2}) == [(9,)]

        assert sum("only_once" in text for text in prepared_statements()) == 1

    def test_outlives_a_transaction_that_is_undone(self) -> None:
        broken = Prepared("SELECT 1 / %(n)s::int AS a_division")

        with pytest.raises(DataError), transaction.atomic():
            rows(broken, {"n": 0})

        assert rows(broken, {"n": 1}) == [(1,)]

    def test_leaves_batches_to_the_planner(self) -> None:
        large = Prepared("SELECT count(*) AS of_a_batch FROM unnest(%(ns)s::int[]) AS n")

        assert rows(large, {"ns": list(range(FEW + 1))}) == [(FEW + 1,)]

        assert not any("of_a_batch" in text for text in prepared_statements())

    def test_can_be_switched_off(self, settings) -> None:
        settings.DATABASE_PREPARES = False
        plain = Prepared("SELECT %(n)s::int AS switched_off")

        assert rows(plain, {"n": 3}) == [(3,)]

        assert not any("switched_off" in text for text in prepared_statements())

    def test_takes_moments_nulls_texts_and_percent_signs(self) -> None:
        each = Prepared(
            "SELECT %(at)s::timestamptz, %(none)s::bigint, %(text)s::text LIKE 'a%%', 7 %% 4"
        )
        at = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)

        assert rows(each, {"at": at, "none": None, "text": "a'b%"}) == [(at, None, True, 3)]

    def test_counts_what_it_touched(self) -> None:
        change = Prepared("UPDATE accounts_entity SET name = %(name)s WHERE code = %(code)s")

        assert run(change, {"name": "x", "code": "nobody"}) == 0

    def test_is_prepared_anew_on_another_connection(self) -> None:
        again = Prepared("SELECT %(n)s::int AS on_each_connection")
        rows(again, {"n": 1})
        assert connection.connection is not None
        assert rows(again, {"n": 2}) == [(2,)]

    def test_is_planned_again_after_a_while(self, monkeypatch) -> None:
        again = Prepared("SELECT %(n)s::int AS planned_again")
        rows(again, {"n": 1})
        monkeypatch.setattr("erp.kernel.prepared.KEPT_S", -1.0)

        assert rows(again, {"n": 2}) == [(2,)]
        assert rows(again, {"n": 3}) == [(3,)]

        assert sum("planned_again" in text for text in prepared_statements()) == 1
