"""orders/services/reallocating when several people decide at once."""

import pytest

from orders.models import Reallocation
from orders.services import allocate_orders
from orders.services.reallocating import Overtaken, commit_run
from tests.orders import factories as make
from tests.orders.services.reallocating.test_committing import proposed
from tests.orders.services.reallocating.worlds import books_balance, held, ordered
from tests.orders.services.test_submitting_together import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def commit(run: Reallocation) -> object:
    return commit_run(reallocation_id=run.pk, actor=None, now=make.NOW)


@pytest.mark.parametrize("again", range(4))
def test_of_two_who_share_out_the_same_stock_one_wins_and_the_other_is_told(again: int) -> None:
    part = make.priced("10")
    make.stocked(part, 5)
    early, late = ordered(part, 5), ordered(part, 4, "A")
    first = proposed(product_ids=[part.pk])
    second = proposed(product_ids=[part.pk], strategy={"C": "lose"})

    found = at_once(lambda: commit(first), lambda: commit(second))

    refused = [each for each in found if isinstance(each, Overtaken)]
    assert len(refused) == 1
    assert early.number in str(refused[0])
    assert held(late) == 4
    assert held(early) in {0, 1}
    books_balance()


def test_the_same_one_committed_twice_at_once_is_done_once() -> None:
    part = make.priced("10")
    make.stocked(part, 5)
    early, late = ordered(part, 5), ordered(part, 4, "A")
    run = proposed()

    found = at_once(*(lambda: commit(run) for _ in range(3)))

    assert not [each for each in found if isinstance(each, Exception)]
    assert (held(early), held(late)) == (1, 4)
    books_balance()


@pytest.mark.parametrize("again", range(3))
def test_sharing_out_while_others_allocate_keeps_every_promise(again: int) -> None:
    part = make.priced("10")
    make.stocked(part, 9)
    orders = [ordered(part, 3 + n % 3, "CDAB"[n % 4]) for n in range(6)]
    ids = [each.pk for each in orders]
    run = proposed(product_ids=[part.pk])
    make.stocked(part, 2, node=make.node("DC-Z"))

    found = at_once(
        lambda: commit(run),
        lambda: allocate_orders(order_ids=ids, cause="race", now=make.NOW),
        lambda: allocate_orders(order_ids=ids[::-1], cause="race", now=make.NOW),
    )

    assert not [e for e in found if isinstance(e, Exception) and not isinstance(e, Overtaken)]
    books_balance()
