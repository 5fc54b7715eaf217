"""orders/services/_submitting.py when several people submit at once."""

from collections.abc import Callable
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.db import connection

from orders.models import CreditAccount, Order
from orders.services import submit_order, submit_orders
from tests.orders import factories as make

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Run the calls in threads that start together; return what each came to."""
    barrier, found = Barrier(len(calls)), [None] * len(calls)

    def run(index: int, call: Callable[[], object]) -> None:
        barrier.wait()
        try:
            found[index] = call()
        except Exception as error:  # noqa: BLE001  the test looks at it
            found[index] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=each) for each in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_releases_exactly_one_of_two_orders_for_one_limit() -> None:
    part = make.priced("60")
    for _ in range(50):
        on = make.account(limit="100")
        ids = [make.created(on, make.line(part)).pk for _ in range(2)]

        at_once(*(lambda pk=pk: submit_order(order_id=pk, actor=None, now=make.NOW) for pk in ids))

        asked = Order.objects.filter(pk__in=ids)
        assert asked.filter(state="held", released_at=None).count() == 1
        assert asked.filter(released_at=make.NOW).count() == 1
        assert CreditAccount.objects.get(pk=on.pk).committed == 60


def test_submits_one_order_once_however_many_ask() -> None:
    on = make.account(limit="100")
    order = make.created(on, make.line(make.priced("60")))

    found = at_once(
        *(lambda: submit_order(order_id=order.pk, actor=None, now=make.NOW) for _ in range(4))
    )

    assert not [each for each in found if isinstance(each, Exception)]
    assert Order.objects.get().released_at == make.NOW
    assert CreditAccount.objects.get(pk=on.pk).committed == Decimal(60)


def test_does_not_lock_itself_out_where_batches_overlap() -> None:
    part = make.priced("1")
    accounts = [make.account() for _ in range(6)]
    ids = [make.created(on, make.line(part)).pk for on in accounts]

    found = at_once(
        *(
            lambda ids=ids: submit_orders(order_ids=ids, actor=None, now=make.NOW)
            for ids in (ids, ids[::-1], ids[::2], ids[1::2])
        )
    )

    assert not [each for each in found if isinstance(each, Exception)]
    assert not Order.objects.filter(released_at=None).exists()
    assert {on.committed for on in CreditAccount.objects.all()} == {1}
