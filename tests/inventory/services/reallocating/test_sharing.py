"""inventory/services/reallocating: what is rehearsed is what is done, and it adds up."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random

import pytest

from inventory.models import AllocationRun, Product, Reservation, Stock
from inventory.rules import Policy, Strategy
from inventory.services import allocate
from inventory.services.reallocating import (
    Claimant,
    Field,
    Shared,
    commit_reallocation,
    rehearse_reallocation,
)
from tests.inventory.factories import NOW, company, demand, node, product, stocked

pytestmark = pytest.mark.django_db
SEEDS = range(12)


class World:
    """Two products at three nodes, and lines that hold some of it and want more."""

    def __init__(self, seed: int, *strategies: Strategy) -> None:
        chance = Random(seed)
        self.parts: list[Product] = [product(f"P-{n}") for n in range(2)]
        for part in self.parts:
            for name in ("DC-A", "DC-B", "DC-C"):
                stocked(part, chance.randint(1, 9), node=node(name))
        lines = [
            demand(
                chance.choice(self.parts), chance.randint(1, 6), id=n, priority=chance.randint(1, 3)
            )
            for n in range(1, 11)
        ]
        allocate(demands=lines, cause="test", policy_version="", now=NOW)
        for part in self.parts:
            stocked(part, chance.randint(1, 3), node=node("DC-A"))
        had = {each.id: held(each.id) for each in lines}
        ranks = [chance.randint(1, 3) for _ in lines]
        self.claimants = [
            Claimant(
                id=each.id,
                product_id=each.product_id,
                wanting=each.quantity - had[each.id],
                node_id=None,
                priority=rank,
                due=each.due,
                group_id=each.id,
                strategy=chance.choice(strategies or list(Strategy)),
            )
            for each, rank in zip(lines, ranks, strict=True)
        ]

    def field(self, claimants: Sequence[Claimant] | None = None) -> Field:
        return Field(
            kind="orders.line",
            entity_id=company().pk,
            claimants=self.claimants if claimants is None else claimants,
            policy=Policy(),
        )

    def again(self) -> Field:
        """Return the field as it is after it was shared out."""
        wanted = {each.id: each.wanting for each in self.claimants}
        return self.field(
            [
                Claimant(
                    id=each.id, product_id=each.product_id,
                    wanting=wanted[each.id] + self.before[each.id] - held(each.id),
                    node_id=None, priority=each.priority, due=each.due, group_id=each.group_id,
                    strategy=each.strategy,
                )
                for each in self.claimants
            ]
        )  # fmt: skip

    def committed(self) -> Shared:
        self.before = {each.id: held(each.id) for each in self.claimants}
        foreseen = rehearse_reallocation(field=self.field(), now=NOW)
        return commit(self.field(), foreseen)


def held(demand_id: int) -> Decimal:
    found = Reservation.objects.filter(
        demand_kind="orders.line", demand_id=demand_id, closed_at=None
    )
    return sum(found.values_list("quantity", flat=True), Decimal(0))


def expected_of(shared: Shared) -> dict[int, tuple[Decimal, Decimal]]:
    lines = shared.lines.values()
    return {each.id: (each.before, each.after) for each in lines if each.before != each.after}


def commit(field: Field, foreseen: Shared) -> Shared:
    return commit_reallocation(
        field=field, expected=expected_of(foreseen), cause="test", policy_version="v", now=NOW
    )


@pytest.mark.parametrize("seed", SEEDS)
class TestAnyField:
    def test_what_is_rehearsed_is_what_is_done(self, seed: int) -> None:
        world = World(seed)
        foreseen = rehearse_reallocation(field=world.field(), now=NOW)

        done = commit(world.field(), foreseen)

        assert done.lines == foreseen.lines
        assert {n: held(n) for n in done.lines} == {n: e.after for n, e in done.lines.items()}
        assert AllocationRun.objects.get(pk=done.run_id).certificate["holds"]

    def test_never_more_than_there_is(self, seed: int) -> None:
        World(seed).committed()

        for row in Stock.objects.all():
            kept = Reservation.objects.filter(stock=row, closed_at=None)
            assert sum(kept.values_list("quantity", flat=True)) == row.reserved <= row.on_hand

    def test_each_strategy_keeps_its_word(self, seed: int) -> None:
        world = World(seed)
        done = world.committed()

        for each in world.claimants:
            line = done.lines[each.id]
            if each.strategy <= Strategy.GAIN:
                assert line.after >= line.before
            if each.strategy is Strategy.FILL:
                assert line.after <= line.before
            if each.strategy is Strategy.LOSE:
                assert line.after == 0
            assert line.after <= line.before + each.wanting

    def test_doing_it_again_changes_nothing(self, seed: int) -> None:
        world = World(seed)
        world.committed()

        again = rehearse_reallocation(field=world.again(), now=NOW)

        assert expected_of(again) == {}

    def test_the_order_in_which_lines_are_given_does_not_matter(self, seed: int) -> None:
        world = World(seed)
        mixed = world.claimants.copy()
        Random(seed + 1).shuffle(mixed)

        one = rehearse_reallocation(field=world.field(), now=NOW)
        other = rehearse_reallocation(field=world.field(mixed), now=NOW)

        assert one.lines == other.lines
        assert one.gained == other.gained

    def test_nothing_is_left_that_who_may_gain_still_wants(self, seed: int) -> None:
        world = World(seed, Strategy.GAIN, Strategy.REDISTRIBUTE)
        done = world.committed()
        rest = [
            demand(
                Product.objects.get(pk=each.product_id),
                done.lines[each.id].before + each.wanting - done.lines[each.id].after,
                id=each.id,
            )
            for each in world.claimants
            if done.lines[each.id].before + each.wanting > done.lines[each.id].after
        ]

        if rest:
            found = allocate(demands=rest, cause="test", policy_version="", now=NOW)
            assert not any(found.given.values())


def test_what_was_not_expected_is_not_done() -> None:
    world = World(3, Strategy.LOSE)
    kept = {each.id: held(each.id) for each in world.claimants}
    assert any(kept.values())

    found = commit_reallocation(
        field=world.field(), expected={}, cause="test", policy_version="", now=NOW
    )

    assert found.run_id is None
    assert found.differing({}) == sorted(n for n, quantity in kept.items() if quantity)
    assert {each.id: held(each.id) for each in world.claimants} == kept
