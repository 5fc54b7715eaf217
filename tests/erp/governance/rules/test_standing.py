"""erp/governance/rules/standing.py: which version is in force at a moment."""

from datetime import datetime, timedelta

from erp.governance.rules import EVERYBODY, Term, in_force, nearest
from erp.governance.rules.standing import decides_until, superseded
from tests.conftest import NOW

DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)


def key_at(terms: list[Term[str]], now: datetime) -> str:
    return in_force(terms, now)[EVERYBODY].key


class TestInForce:
    def test_the_one_that_began_last_decides_from_its_first_moment_on(self) -> None:
        terms = [Term("new", EVERYBODY, NOW), Term("old", EVERYBODY, NOW - DAY)]

        assert key_at(terms, NOW - MOMENT) == "old"
        assert key_at(terms, NOW) == "new"

    def test_one_with_an_end_lies_over_the_one_below(self) -> None:
        terms = [Term("base", EVERYBODY, NOW - DAY), Term("sale", EVERYBODY, NOW, NOW + DAY)]

        found = [key_at(terms, NOW + step) for step in (-MOMENT, DAY * 0, DAY - MOMENT, DAY)]

        assert found == ["base", "sale", "sale", "base"]

    def test_before_the_first_began_it_decides_already(self) -> None:
        assert key_at([Term("only", EVERYBODY, NOW)], NOW - DAY) == "only"
        assert in_force([Term("own", (7, ""), NOW)], NOW - DAY) == {}

    def test_the_nearest_scope_wins(self) -> None:
        scopes = [EVERYBODY, (7, ""), (7, "N1")]
        found = in_force([Term(str(scope), scope, NOW) for scope in scopes], NOW)

        def key(entity: int, node: str) -> str:
            term = nearest(found, entity, node)
            assert term is not None
            return term.key

        assert [key(7, "N1"), key(7, "N2"), key(8, "N1")] == list(
            map(str, [(7, "N1"), (7, ""), EVERYBODY])
        )


class TestSuperseded:
    def test_by_an_open_successor_that_has_begun_or_by_its_end(self) -> None:
        old, new = Term("old", EVERYBODY, NOW - DAY), Term("new", EVERYBODY, NOW)
        sale = Term("sale", EVERYBODY, NOW - DAY / 2, NOW)

        assert not superseded(old, [old, new], NOW - MOMENT)
        assert superseded(old, [old, new], NOW)
        assert not superseded(old, [old, sale], NOW)
        assert superseded(sale, [old, sale], NOW)
        assert decides_until(old, [old, new, sale]) == NOW
        assert decides_until(new, [old, new, sale]) is None
