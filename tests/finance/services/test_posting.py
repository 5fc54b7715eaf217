"""Tests finance/services/_posting.py and the guards of finance/models/ledger.py."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, InternalError, transaction

from erp.accounts.models import User
from erp.governance.models import AuditEntry
from erp.kernel.sql import rows, run
from finance.models import JournalEntry, JournalLine, Period
from finance.services import (
    AlreadyPosted,
    NotBalanced,
    NotByHand,
    PeriodClosed,
    reverse_entry,
    write_entry,
)
from tests.finance import factories
from tests.finance.factories import NOW, TODAY, World, close_month, drift, product, shipped

RAW = """
    WITH e AS (
        INSERT INTO finance_journalentry
            (entity_id, kind, cause_kind, cause_id, date, posted_at, memo)
        VALUES (%(entity)s, 'manual', 'test', %(cause)s, '2026-11-22', now(), '') RETURNING id
    )
    INSERT INTO finance_journalline (entry_id, account_id, debit, credit)
    SELECT e.id, a.id, l.debit, l.credit
    FROM e, unnest(%(purposes)s::text[], %(debits)s::numeric[], %(credits)s::numeric[])
        AS l (purpose, debit, credit)
    JOIN finance_account a ON a.purpose = l.purpose AND a.entity_id = %(accounts)s
"""


def raw(where: World, *lines: tuple[str, int, int], cause: int = 1, accounts: int = 0) -> int:
    """Write an entry by SQL alone, as somebody might who goes round the services."""
    return run(
        RAW,
        {
            "entity": where.entity.pk,
            "accounts": accounts or where.entity.pk,
            "cause": cause,
            "purposes": [line[0] for line in lines],
            "debits": [line[1] for line in lines],
            "credits": [line[2] for line in lines],
        },
    )


def write(where: World, *lines: tuple[str, str], cause: int = 1, on: date = TODAY) -> int:
    return write_entry(
        entity_id=where.entity.pk,
        lines=[(purpose, Decimal(amount)) for purpose, amount in lines],
        memo="A correction",
        date=on,
        cause_id=cause,
        actor=User.objects.get_or_create(username="controller")[0],
        now=NOW,
    )


class TestTheLedgerItself:
    def test_takes_what_balances(self, world: World) -> None:
        assert raw(world, ("bank", 5, 0), ("revenue", 0, 5)) == 2

    @pytest.mark.parametrize(
        "lines",
        [
            [("bank", 5, 0), ("revenue", 0, 4)],
            [("bank", 5, 0)],
            [],
            [("bank", 5, 5)],
            [("bank", -5, 0), ("revenue", 0, -5)],
        ],
    )
    def test_refuses_what_does_not_balance(
        self, world: World, lines: list[tuple[str, int, int]]
    ) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            raw(world, *lines)

        assert not JournalEntry.objects.exists()

    def test_refuses_one_unbalanced_entry_among_many(self, world: World) -> None:
        both = """
            WITH e AS (
                INSERT INTO finance_journalentry
                    (entity_id, kind, cause_kind, cause_id, date, posted_at, memo)
                SELECT %(entity)s, 'manual', 'test', n, '2026-11-22', now(), ''
                FROM generate_series(1, 2) AS n RETURNING id, cause_id
            )
            INSERT INTO finance_journalline (entry_id, account_id, debit, credit)
            SELECT e.id, a.id, CASE a.purpose WHEN 'bank' THEN 5 ELSE 0 END,
                   CASE a.purpose WHEN 'bank' THEN 0 ELSE 4 + e.cause_id %% 2 END
            FROM e, finance_account a
            WHERE a.entity_id = %(entity)s AND a.purpose IN ('bank', 'revenue')
        """

        with pytest.raises(IntegrityError, match="differ"), transaction.atomic():
            run(both, {"entity": world.entity.pk})

        assert not JournalLine.objects.exists()

    def test_refuses_fractions_of_a_cent(self, world: World) -> None:
        half = RAW.replace("l.debit, l.credit", "l.debit + 0.005 * sign(l.debit), l.credit")

        with pytest.raises(IntegrityError, match="whole_cents"), transaction.atomic():
            run(
                half.replace("l.credit\n", "l.credit + 0.005 * sign(l.credit)\n"),
                {
                    "entity": world.entity.pk, "accounts": world.entity.pk, "cause": 1,
                    "purposes": ["bank", "revenue"], "debits": [5, 0], "credits": [0, 5],
                },
            )  # fmt: skip

    def test_refuses_another_entitys_account(self, world: World) -> None:
        other = factories.world("DE01", "EUR")

        with pytest.raises(IntegrityError, match="another entity"), transaction.atomic():
            raw(world, ("bank", 5, 0), ("revenue", 0, 5), accounts=other.entity.pk)

    def test_refuses_lines_that_come_later_even_balanced(self, world: World) -> None:
        raw(world, ("bank", 5, 0), ("revenue", 0, 5))
        later = """
            INSERT INTO finance_journalline (entry_id, account_id, debit, credit)
            SELECT entry_id, account_id, credit, debit FROM finance_journalline"""

        with pytest.raises(IntegrityError, match="posted before"), transaction.atomic():
            run(later)

        assert JournalLine.objects.count() == 2

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE finance_journalentry SET memo = 'x'",
            "UPDATE finance_journalline SET debit = debit + 1 WHERE debit > 0",
            "DELETE FROM finance_journalline",
            "DELETE FROM finance_journalentry",
        ],
    )
    def test_refuses_to_change_what_is_posted(self, world: World, statement: str) -> None:
        raw(world, ("bank", 5, 0), ("revenue", 0, 5))

        with pytest.raises(InternalError, match="Cannot update or delete"), transaction.atomic():
            run(statement)

        assert rows("SELECT sum(debit), sum(credit) FROM finance_journalline") == [(5, 5)]

    def test_opens_the_month_that_is_posted_into(self, world: World) -> None:
        run("DELETE FROM finance_period")

        raw(world, ("bank", 5, 0), ("revenue", 0, 5))

        month = Period.objects.get()
        assert (month.starts, month.ends) == (date(2026, 11, 1), date(2026, 12, 1))
        assert month.state == "open"

    def test_refuses_a_closed_month(self, world: World) -> None:
        close_month("2026-11-01")

        with pytest.raises(IntegrityError, match="closed period"), transaction.atomic():
            raw(world, ("bank", 5, 0), ("revenue", 0, 5))


class TestWriteEntry:
    def test_posts_and_says_who(self, world: World) -> None:
        made = write(world, ("bank", "10.50"), ("rounding", "-10.50"))

        assert JournalEntry.objects.get(pk=made).posted_by is not None
        assert AuditEntry.objects.get(action="finance.write_entry").subject_id == made

    def test_refuses_to_move_what_documents_prove(self, world: World) -> None:
        with pytest.raises(NotByHand, match="receivable"):
            write(world, ("receivable", "10"), ("rounding", "-10"))

    @pytest.mark.parametrize(
        "lines",
        [
            [("bank", "10"), ("rounding", "-9.99")],
            [("bank", "0.001"), ("rounding", "-0.001")],
            [],
            [("bank", "0"), ("rounding", "0")],
        ],
    )
    def test_refuses_what_is_not_money(self, world: World, lines: list[tuple[str, str]]) -> None:
        with pytest.raises(NotBalanced):
            write(world, *lines)

        assert not JournalEntry.objects.exists()

    def test_refuses_the_same_number_twice(self, world: World) -> None:
        write(world, ("bank", "10"), ("rounding", "-10"))

        with pytest.raises(AlreadyPosted), transaction.atomic():
            write(world, ("bank", "11"), ("rounding", "-11"))

    def test_refuses_a_closed_month_and_takes_a_soft_closed_one(self, world: World) -> None:
        close_month("2026-10-01")
        close_month("2026-11-01", state="soft_closed")

        with pytest.raises(PeriodClosed), transaction.atomic():
            write(world, ("bank", "10"), ("rounding", "-10"), on=date(2026, 10, 31))
        write(world, ("bank", "10"), ("rounding", "-10"))


class TestReverseEntry:
    def reverse(self, entry_id: int) -> int:
        actor = User.objects.get_or_create(username="controller")[0]
        return reverse_entry(entry_id=entry_id, actor=actor, reason="Mistyped", now=NOW)

    def test_writes_the_opposite_once(self, world: World) -> None:
        made = write(world, ("bank", "10.50"), ("rounding", "-10.50"))

        opposite = self.reverse(made)

        sides = JournalLine.objects.filter(entry_id=opposite).values_list(
            "account__purpose", "debit", "credit"
        )
        assert set(sides) == {
            ("bank", Decimal(0), Decimal("10.50")),
            ("rounding", Decimal("10.50"), Decimal(0)),
        }
        with pytest.raises(AlreadyPosted), transaction.atomic():
            self.reverse(made)
        assert drift() == {}

    def test_refuses_what_a_document_caused(self, world: World) -> None:
        shipped(world, (product(world), "1", "5"))
        posted = JournalEntry.objects.get(kind="shipment")

        with pytest.raises(NotByHand, match="correct that document"):
            self.reverse(posted.pk)

        assert not JournalEntry.objects.filter(kind="reversal").exists()
