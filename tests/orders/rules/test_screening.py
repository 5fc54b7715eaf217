"""orders/rules/screening.py, naming.py and geography.py"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.rules.geography import country_code
from orders.rules.naming import Name, digest
from orders.rules.screening import (
    FLOOR,
    Index,
    Listed,
    address_score,
    name_score,
    overall,
    same_country,
)

WORDS = ["alfa", "zvezda", "trading", "north", "star", "petro", "chem", "gulf", "marine", "orient"]
words = st.lists(
    st.one_of(st.sampled_from(WORDS), st.text("abcdefgé", min_size=1, max_size=9)),
    min_size=1,
    max_size=5,
)
names = words.map(" ".join)


def score(one: str, other: str) -> int:
    return name_score(Name.of(one), Name.of(other))


class TestNameScore:
    @given(names, names)
    def test_is_symmetric_and_within_bounds(self, one: str, other: str) -> None:
        assert 0 <= score(one, other) == score(other, one) <= 100

    @given(names)
    def test_of_equal_names_is_a_hundred(self, name: str) -> None:
        assert score(name, name) == 100

    @given(words.flatmap(lambda w: st.tuples(st.just(w), st.permutations(w))), names)
    def test_does_not_depend_on_the_order_of_words(
        self, pair: tuple[list[str], list[str]], other: str
    ) -> None:
        first, second = (" ".join(each) for each in pair)
        assert score(first, second) == 100
        assert score(first, other) == score(second, other)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("ALFA TRADING LLC", "Alfa Trading"),
            ("Müller & Söhne GmbH", "muller sohne"),
            ("S.A. Petrochem", "PetroChem SA"),
            ("O'Brien Marine Ltd.", "OBRIEN MARINE"),
            ("Łódź Øst Æther", "lodz ost aether"),
        ],
    )
    def test_puts_spelling_and_company_forms_aside(self, one: str, other: str) -> None:
        assert score(one, other) == 100

    def test_sees_through_a_slip_that_changes_the_order_of_words(self) -> None:
        assert score("Alfa Zvezda Trading", "Alfa Svezda Trading") >= 80

    def test_counts_a_name_within_a_longer_one(self) -> None:
        assert score("Gulf Petrochem", "Gulf Petrochem Marine Services") == 90
        assert score("Gulf", "Gulf Petrochem Marine Services") < FLOOR
        assert score("Al Bo", "Al Bo Petrochem Marine") < FLOOR  # too short to tell anything

    def test_of_nothing_is_nothing(self) -> None:
        assert score("", "") == score("...", "Alfa") == 0

    def test_keeps_a_name_of_nothing_but_company_forms(self) -> None:
        assert score("The Group Ltd", "group the ltd") == 100


class TestAddress:
    @given(names, names)
    def test_is_symmetric(self, one: str, other: str) -> None:
        assert address_score(one, other) == address_score(other, one)

    def test_is_unknown_where_one_is_missing(self) -> None:
        assert address_score("", "12 Dock Road") is None
        assert address_score("12 Dock Road, Dubai", "dubai 12 dock road") == 100

    @given(st.integers(0, 100), st.one_of(st.none(), st.integers(0, 100)))
    def test_weighs_a_quarter(self, name: int, address: int | None) -> None:
        found = overall(name, address)
        assert min(name, name if address is None else address) <= found <= 100
        assert overall(name, None) == name
        assert overall(100, 100) == 100


class TestIndex:
    @given(st.lists(st.tuples(names, names), max_size=25), st.lists(names, max_size=12))
    def test_finds_exactly_what_a_loop_over_all_pairs_finds(
        self, listed: list[tuple[str, str]], asked: list[str]
    ) -> None:
        entries = [Listed(n, 1, each, "", "") for n, each in enumerate(listed)]

        found = list(Index(entries).alike([Name.of(name) for name in asked]))

        by_loop = []
        for name in asked:
            best = {e.id: max(score(name, each) for each in e.names) for e in entries}
            by_loop.append({key: best[key] for key in best if best[key] >= FLOOR})
        assert [{e.id: s for e, s in each.items()} for each in found] == by_loop

    def test_of_no_entries_finds_nobody(self) -> None:
        assert list(Index([]).alike([Name.of("Alfa")])) == [{}]


class TestDigest:
    def test_is_of_the_words_and_nothing_else(self) -> None:
        assert digest("Alfa  TRADING", "x") == digest("trading álfa", "X")
        assert digest("Alfa Trading", "x") != digest("Alfa", "Trading x")
        assert digest("Alfa Ltd") != digest("Alfa")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("US", "US"), ("usa", "US"), ("United States", "US"), ("UK", "GB"), ("Germany", "DE"),
        ("Deutschland", "DE"), ("DEU", "DE"), ("Hong Kong", "HK"), ("Côte d'Ivoire", "CI"),
        ("Erewhon", ""), ("", ""),
    ],
)  # fmt: skip
def test_reads_countries_as_people_write_them(text: str, code: str) -> None:
    assert country_code(text) == code


def test_does_not_know_if_it_is_the_same_country_where_one_is_missing() -> None:
    assert same_country("Germany", "DE") is True
    assert same_country("Germany", "FR") is False
    assert same_country("Germany", "") is None
