"""orders/rules/pricing.py"""

from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.rules import (
    Candidate,
    Chosen,
    Offer,
    Standing,
    best_stack,
    choose,
    free_goods,
    promoted,
)

D = Decimal
STANDINGS = {
    "contract": Standing(D(10)),
    "group": Standing(D(20)),
    "list": Standing(D(30), promotions=True, discount_max=D("0.25")),
}
PRICES = st.decimals("0", "100000", places=4)
SHARES = st.decimals("0", "1", places=6)
OFFERS = st.lists(
    st.builds(
        Offer,
        id=st.integers(1, 9),
        code=st.just("P"),
        kind=st.sampled_from(["percent", "amount", "free"]),
        percent=SHARES,
        amount=PRICES,
        buy_quantity=st.decimals("0.001", "50", places=3),
        free_quantity=st.decimals("0.001", "9", places=3),
        stack=st.sampled_from(["", "A", "B"]),
    ),
    max_size=5,
    unique_by=lambda offer: offer.id,
)
QUANTITIES = st.decimals("0.001", "9999", places=3)


def listed(price: str, **values: object) -> Candidate:
    return Candidate("list", 1, D(price), **values)


def percent(number: int, share: str, stack: str = "") -> Offer:
    return Offer(number, f"P{number}", "percent", percent=D(share), stack=stack)


def chosen(
    *candidates: Candidate, offers: list[Offer] | None = None, discount: str = "0"
) -> Chosen:
    found = choose(candidates, STANDINGS, offers or [], quantity=D(10), discount=D(discount))
    assert found is not None
    return found


class TestChoose:
    @pytest.mark.parametrize(
        ("kinds", "wins"),
        [
            (["contract", "group", "list"], "contract"),
            (["group", "list"], "group"),
            (["contract", "list"], "contract"),
            (["contract", "group"], "contract"),
            (["list"], "list"),
        ],
    )
    def test_follows_the_ranks_whatever_is_cheaper(self, kinds: list[str], wins: str) -> None:
        for cheapest in kinds:
            candidates = [Candidate(k, 1, D(1 if k == cheapest else 9)) for k in kinds]
            for order in permutations(candidates):
                assert chosen(*order).basis["kind"] == wins

    def test_follows_other_ranks_too(self) -> None:
        standings = STANDINGS | {"list": Standing(D(1))}
        candidates = [Candidate("contract", 1, D(3)), Candidate("list", 2, D(4))]

        found = choose(candidates, standings, quantity=D(1))

        assert found is not None
        assert found.unit_price == 4

    def test_has_no_price_without_candidates(self) -> None:
        assert choose([], STANDINGS, quantity=D(1)) is None

    def test_writes_a_receipt(self) -> None:
        found = chosen(
            Candidate("contract", 7, D("4.1000"), D("100"), "", "CASE"),
            Candidate("list", 8, D("4.6"), owner="RETAIL"),
        )

        assert found.source == "contract per CASE from 100, not list RETAIL 4.6"
        assert found.basis == {
            "kind": "contract",
            "price": 7,
            "break": "100",
            "unit_price": "4.1000",
            "lost": [{"kind": "list", "price": 8, "unit_price": "4.6"}],
        }

    def test_names_the_promotion_and_the_price_before_it(self) -> None:
        found = chosen(listed("10"), offers=[percent(3, "0.1")])

        assert (found.unit_price, found.source) == (9, "list 10, promotion P3")
        assert (found.basis["promotions"], found.basis["codes"]) == ([3], ["P3"])

    def test_a_contract_takes_no_promotion(self) -> None:
        found = chosen(Candidate("contract", 1, D(8)), listed("10"), offers=[percent(3, "0.1")])

        assert found.unit_price == 8
        assert "promotions" not in found.basis

    def test_a_typed_discount_uses_up_the_room(self) -> None:
        offer = percent(1, "0.2")

        assert chosen(listed("10"), offers=[offer], discount="0.05").unit_price == 8
        assert chosen(listed("10"), offers=[offer], discount="0.06").unit_price == D("8.1")
        assert chosen(listed("10"), offers=[offer], discount="0.25").unit_price == 10

    @given(PRICES, OFFERS, SHARES, QUANTITIES)
    def test_never_passes_the_limit_nor_zero(
        self, price: Decimal, offers: list[Offer], typed: Decimal, quantity: Decimal
    ) -> None:
        found = choose([listed(str(price))], STANDINGS, offers, quantity=quantity, discount=typed)

        assert found is not None
        assert 0 <= found.unit_price <= price
        assert price - found.unit_price <= price * max(D(0), D("0.25") - typed)
        assert found.unit_price == round(found.unit_price, 4)

    @given(PRICES, OFFERS, QUANTITIES, st.randoms(use_true_random=False))
    def test_does_not_depend_on_the_order(self, price, offers, quantity, random) -> None:
        candidates = [
            Candidate("list", 1, price),
            Candidate("group", 2, price / 2),
            Candidate("contract", 3, price / 3),
        ][: random.randint(1, 3)]
        mixed, shuffled = list(offers), list(candidates)
        random.shuffle(mixed)
        random.shuffle(shuffled)

        one = choose(candidates, STANDINGS, offers, quantity=quantity)
        other = choose(shuffled, STANDINGS, mixed, quantity=quantity)

        assert one == other


class TestPromoted:
    def test_is_rounded_half_up_and_up_at_the_limit(self) -> None:
        third = [percent(1, "0.333333")]

        assert promoted(D("0.1000"), [percent(1, "0.0005")], D(1)) == D("0.1000")
        assert promoted(D("10"), third, D(1)) == D("6.6667")
        assert promoted(D("0.0003"), third, D("0.25")) == D("0.0003")

    def test_stops_at_zero(self) -> None:
        off = Offer(1, "A", "amount", amount=D(50))

        assert promoted(D(10), [off, percent(2, "0.5")], D(1)) == 0


class TestBestStack:
    def test_adds_those_of_one_stack_and_no_others(self) -> None:
        together = [percent(1, "0.05", "S"), percent(2, "0.07", "S")]

        assert best_stack([*together, percent(3, "0.11")], D(10)) == together
        assert best_stack([*together, percent(3, "0.13")], D(10)) == [percent(3, "0.13")]

    def test_of_equals_takes_the_lowest_id(self) -> None:
        assert best_stack([percent(2, "0.1"), percent(1, "0.1")], D(10)) == [percent(1, "0.1")]


class TestFreeGoods:
    @pytest.mark.parametrize(
        ("quantity", "given"), [("9.999", []), ("10", [1]), ("19", [1]), ("20", [2])]
    )
    def test_come_each_time_the_quantity_is_reached(self, quantity: str, given: list[int]) -> None:
        offer = Offer(1, "F", "free", buy_quantity=D(10), free_quantity=D(1))

        assert [amount for _, amount in free_goods([offer], D(quantity))] == given
