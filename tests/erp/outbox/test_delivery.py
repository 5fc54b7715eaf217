"""erp/outbox/delivery.py, erp/outbox/claims.py"""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erp.kernel.errors import DomainError
from erp.outbox import delivery, tasks, waking
from erp.outbox.claims import LEASE, claim
from erp.outbox.delivery import ATTEMPTS_MAX, BACKOFF, deliver_due, drain
from erp.outbox.events import DeliveryDied
from erp.outbox.models import Delivery, InboxMessage, Message
from erp.outbox.publishing import publish, publish_all
from erp.outbox.registry import Envelope, Form
from erp.outbox.services import first_time
from tests.erp.outbox.events import Heard, Rang, listening


def note(text: str) -> None:
    first_time(source="tests", message_id=text, now=timezone.now())


def notes() -> set[str]:
    return set(InboxMessage.objects.values_list("message_id", flat=True))


@pytest.mark.django_db
class TestDeliverDue:
    def test_a_handler_hears_each_fact_once(self, now: datetime) -> None:
        heard: list[int] = []
        with listening(lambda event: heard.append(event.bell)):
            publish_all([Rang(bell=0) for _ in range(3)])

            assert deliver_due(now) == 3
            assert deliver_due(now) == 0

        assert heard == [0, 0, 0]
        for row in Delivery.objects.all():
            assert (row.status, row.attempts, row.settled_at) == ("done", 1, now)
            assert row.claimed_at is None

    def test_a_batch_handler_hears_many_at_once_in_order(self, now: datetime) -> None:
        heard: list[list[int]] = []
        with listening(lambda events: heard.append([e.bell for e in events]), form=Form.BATCH):
            publish_all([Rang(bell=n % 7) for n in range(1, 21)])

            assert deliver_due(now) == 20

        assert heard == [[n % 7 for n in range(1, 21)]]

    def test_a_handler_of_messages_sees_them_as_written(self, now: datetime) -> None:
        heard: list[Envelope] = []
        with listening(heard.extend, form=Form.MESSAGES):
            publish(Rang(bell=3, entity_id=9))
            deliver_due(now)

        message = Message.objects.get()
        assert heard == [
            Envelope(
                message_id=message.pk,
                name="tests.rang",
                key="bell:3",
                entity_id=9,
                published_at=message.published_at,
                payload={"bell": 3, "note": "", "entity_id": 9},
            )
        ]

    def test_at_most_limit_are_tried(self, now: datetime) -> None:
        with listening(lambda event: None):
            publish_all([Rang(bell=n) for n in range(5)])

            assert [deliver_due(now, limit=2) for _ in range(4)] == [2, 2, 1, 0]

    def test_its_statements_do_not_grow_with_the_batch(
        self, now: datetime, django_assert_num_queries
    ) -> None:
        with listening(lambda events: None, form=Form.BATCH):
            publish_all([Rang(bell=n) for n in range(200)])
            # claim, hold, run and settle, and three looks at abandoned ones; savepoints around them
            with django_assert_num_queries(18):
                assert deliver_due(now, limit=500) == 200


@pytest.mark.django_db
class TestFailure:
    def test_it_undoes_the_handler_s_work_and_waits(self, now: datetime) -> None:
        def fail(event: Rang) -> None:
            note("half done")
            raise ConnectionError("gone")

        with listening(fail):
            publish(Rang(bell=0))
            deliver_due(now)

        row = Delivery.objects.get()
        assert not notes()
        assert (row.status, row.attempts) == ("pending", 1)
        assert row.due_at == now + timedelta(seconds=2)
        assert row.last_error == "ConnectionError('gone')"
        assert row.claimed_at is None

    def test_it_is_tried_again_and_then_given_up(self, now: datetime) -> None:
        def fail(event: Rang) -> None:
            raise DomainError("no")

        tried = []
        died: list[DeliveryDied] = []
        with (
            listening(fail),
            listening(died.append, name="tests.mourn", event_type=DeliveryDied),
        ):
            publish(Rang(bell=5, entity_id=3))
            moment = now
            for wait in [*BACKOFF, timedelta(days=1)]:
                tried.append(deliver_due(moment))
                assert deliver_due(moment + wait - timedelta(seconds=1)) in {0, 1}
                moment += wait

        row = Delivery.objects.get(handler="tests.listen")
        assert tried == [1] * ATTEMPTS_MAX
        assert (row.status, row.attempts, row.due_at) == ("dead", ATTEMPTS_MAX, None)
        assert died == [
            DeliveryDied(
                delivery_id=row.pk,
                handler="tests.listen",
                event_name="tests.rang",
                event_key="bell:5",
                error="DomainError('no')",
                entity_id=3,
            )
        ]

    def test_the_death_of_a_mourner_is_not_mourned(self, now: datetime) -> None:
        def fail(event: DeliveryDied) -> None:
            raise ZeroDivisionError

        with listening(fail, event_type=DeliveryDied), transaction.atomic():
            publish(
                DeliveryDied(delivery_id=1, handler="x", event_name="y", event_key="", error="z")
            )
            for n in range(20):
                deliver_due(now + timedelta(hours=n))

        assert Delivery.objects.get().status == "dead"

    def test_one_poison_fact_delays_no_other_of_its_batch(self, now: datetime) -> None:
        def choke(events: Sequence[Rang]) -> None:
            for event in events:
                note(f"bell {event.bell}")
                if event.bell == 3:
                    raise ValueError("poison")

        with listening(choke, form=Form.BATCH):
            publish_all([Rang(bell=n) for n in range(1, 6)])
            assert deliver_due(now) == 5

        assert notes() == {"bell 1", "bell 2", "bell 4", "bell 5"}
        assert Delivery.objects.filter(status="done").count() == 4
        assert Delivery.objects.get(status="pending").key == "bell:3"

    def test_one_failing_handler_delays_no_other(self, now: datetime) -> None:
        heard: list[Rang] = []

        def fail(event: Rang) -> None:
            raise ZeroDivisionError

        with listening(fail, name="tests.bad"), listening(heard.append, name="tests.good"):
            publish(Rang(bell=1))
            deliver_due(now)

        assert len(heard) == 1

    def test_a_handler_that_this_release_lacks_is_waited_for(self, now: datetime) -> None:
        with listening(lambda event: None):
            publish(Rang(bell=1))
        deliver_due(now)

        row = Delivery.objects.get()
        assert (row.status, row.attempts) == ("pending", 1)
        assert "tests.listen" in row.last_error

    def test_a_broken_statement_spoils_only_its_own(self, now: datetime) -> None:
        def break_sql(event: Rang) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 / %s", [event.bell])

        with listening(break_sql):
            publish_all([Rang(bell=1), Rang(bell=0), Rang(bell=2)])
            deliver_due(now)

        done = Delivery.objects.filter(status="done").values_list("message__payload__bell")
        assert set(done) == {(1,), (2,)}


@pytest.mark.django_db
class TestOrder:
    def test_a_failure_holds_back_what_follows_of_its_aggregate_alone(self, now: datetime) -> None:
        heard: list[str] = []
        broken = True

        def listen(event: Rang) -> None:
            if broken and event.note == "1a":
                raise ZeroDivisionError
            heard.append(event.note)

        with listening(listen):
            publish_all([Rang(bell=int(n[0]), note=n) for n in ("1a", "1b", "2a", "1c", "2b")])
            deliver_due(now)
            assert heard == ["2a", "2b"]
            followers = Delivery.objects.filter(status="pending").order_by("id")
            assert [(d.attempts, d.claimed_at) for d in followers] == [
                (1, None),
                (0, None),
                (0, None),
            ]
            assert deliver_due(now) == 0
            broken = False
            publish(Rang(bell=1, note="1d"))
            assert deliver_due(now) == 0
            assert deliver_due(now + BACKOFF[0]) == 4

        assert heard == ["2a", "2b", "1a", "1b", "1c", "1d"]

    def test_the_dead_hold_nobody_back(self, now: datetime) -> None:
        heard: list[str] = []

        def listen(event: Rang) -> None:
            if event.note == "a":
                raise ZeroDivisionError
            heard.append(event.note)

        with listening(listen):
            publish_all([Rang(bell=1, note="a"), Rang(bell=1, note="b")])
            for hours in range(ATTEMPTS_MAX + 1):
                deliver_due(now + timedelta(hours=hours))

        assert heard == ["b"]

    def test_a_long_queue_behind_one_failure_does_not_stop_the_rest(self, now: datetime) -> None:
        heard: list[str] = []

        def listen(event: Rang) -> None:
            if event.bell == 1:
                raise ZeroDivisionError
            heard.append(event.note)

        with listening(listen):
            publish_all([Rang(bell=1) for _ in range(30)])
            deliver_due(now, limit=5)
            publish(Rang(bell=2, note="through"))
            assert deliver_due(now, limit=5) == 1

        assert heard == ["through"]

    @settings(
        max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(
        bells=st.lists(st.integers(0, 3), max_size=30),
        failures=st.sets(st.integers(0, 29), max_size=5),
        limit=st.integers(1, 40),
        form=st.sampled_from([Form.SINGLE, Form.BATCH]),
    )
    def test_each_aggregate_is_heard_in_order_and_every_fact_once(
        self, now: datetime, bells: list[int], failures: set[int], limit: int, form: Form
    ) -> None:
        heard: list[tuple[int, int]] = []
        left = dict.fromkeys(failures, 2)

        def listen(event: Rang) -> None:
            n = int(event.note)
            if left.get(n, 0):
                left[n] -= 1
                raise ZeroDivisionError
            heard.append((event.bell, n))

        def listen_to_many(events: Sequence[Rang]) -> None:
            before = list(heard)
            try:
                for event in events:
                    listen(event)
            except ZeroDivisionError:
                heard[:] = before
                raise

        Delivery.objects.all().delete()
        handler = listen if form is Form.SINGLE else listen_to_many
        with listening(handler, form=form):
            publish_all([Rang(bell=bell, note=str(n)) for n, bell in enumerate(bells)])
            for minute in range(60):
                while deliver_due(now + timedelta(minutes=minute), limit=limit):
                    pass

        assert sorted(n for _, n in heard) == list(range(len(bells)))
        for bell in (1, 2, 3):
            of_bell = [n for b, n in heard if b == bell]
            assert of_bell == sorted(of_bell)


@pytest.mark.django_db
class TestCrash:
    def test_a_claim_is_counted_before_the_handler_runs(self, now: datetime) -> None:
        attempts: list[int] = []
        with listening(lambda event: attempts.append(Delivery.objects.get().attempts)):
            publish(Rang(bell=1))
            deliver_due(now)

        assert attempts == [1]

    def test_what_a_dead_worker_took_is_tried_when_its_claim_ran_out(self, now: datetime) -> None:
        heard: list[int] = []
        with listening(lambda event: heard.append(event.bell)):
            publish_all([Rang(bell=1), Rang(bell=1), Rang(bell=2)])
            assert len(claim(now, limit=10, abandoned=False)) == 3  # and then the power fails

            assert deliver_due(now + LEASE - timedelta(seconds=1)) == 0
            assert sum(deliver_due(now + LEASE) for _ in range(4)) == 3

        assert sorted(heard) == [1, 1, 2]
        assert set(Delivery.objects.values_list("attempts", flat=True)) == {2}

    def test_a_handler_that_kills_its_process_is_given_up(self, now: datetime) -> None:
        heard: list[int] = []
        died: list[DeliveryDied] = []
        with (
            listening(lambda event: heard.append(event.bell)),
            listening(died.append, name="tests.mourn", event_type=DeliveryDied),
        ):
            publish(Rang(bell=1))
            for n in range(ATTEMPTS_MAX):
                (taken,) = claim(now + n * LEASE, limit=1, abandoned=n > 0)  # and no outcome
                assert taken.attempts == n + 1
            deliver_due(now + ATTEMPTS_MAX * LEASE)
            deliver_due(now + ATTEMPTS_MAX * LEASE)

        row = Delivery.objects.get(handler="tests.listen")
        assert not heard
        assert (row.status, row.last_error) == ("dead", "the worker died while it ran")
        assert len(died) == 1

    def test_what_kills_its_process_is_soon_alone(self, now: datetime) -> None:
        died: set[int] = set()

        class Killed(BaseException):
            """What kill -9 looks like from inside."""

        def listen(events: Sequence[Rang]) -> None:
            if any(event.bell == 13 for event in events):
                died.add(len(events))
                raise Killed

        with listening(listen, form=Form.BATCH):
            publish_all([Rang(bell=n) for n in range(1, 101)])
            for n in range(60):
                with suppress(Killed):
                    while deliver_due(now + n * LEASE, limit=100):
                        pass

        poison = Delivery.objects.get(status="dead")
        assert poison.key == "bell:13"
        assert died == {100, 50, 5, 1}
        innocent = Delivery.objects.exclude(pk=poison.pk)
        assert set(innocent.values_list("status", flat=True)) == {"done"}
        assert max(innocent.values_list("attempts", flat=True)) <= 4

    def test_a_round_that_takes_long_gives_back_what_it_did_not_begin(
        self, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(delivery, "ROUND_S", -1.0)
        heard: list[Rang] = []
        with listening(heard.append):
            publish(Rang(bell=1))
            deliver_due(now)

        row = Delivery.objects.get()
        assert not heard
        assert (row.attempts, row.claimed_at, row.due_at) == (0, None, None)


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def test_a_crash_between_the_work_and_the_mark_undoes_the_work(
        self, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Killed(BaseException):
            """What kill -9 looks like from inside."""

        def die(*args: object) -> None:
            raise Killed

        real = delivery.settle
        with listening(lambda event: note("done")):
            with transaction.atomic():
                publish(Rang(bell=1))
                connection.run_on_commit.clear()  # nobody is woken
            monkeypatch.setattr(delivery, "settle", die)
            with pytest.raises(Killed):
                deliver_due(now)
            assert not notes()
            assert Delivery.objects.get().status == "pending"

            monkeypatch.setattr(delivery, "settle", real)
            assert deliver_due(now + LEASE) == 1

        assert notes() == {"done"}

    def test_a_lost_wake_up_is_found_by_the_sweep(
        self, settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def lose(*args: object, **more: object) -> None:
            raise ConnectionError

        heard: list[Rang] = []
        settings.CELERY_TASK_ALWAYS_EAGER = False
        monkeypatch.setattr(waking, "_redis", lose)
        try:
            with listening(heard.append):
                with transaction.atomic():
                    publish(Rang(bell=1))
                assert not heard

                tasks.sweep()
        finally:
            waking.breaker.reset()

        assert heard == [Rang(bell=1)]

    @pytest.mark.parametrize("form", [Form.SINGLE, Form.BATCH])
    def test_many_workers_do_each_once_and_in_order(self, form: Form) -> None:
        lock = threading.Lock()
        heard: list[tuple[int, int]] = []

        def listen(event: Rang) -> None:
            note(event.note)
            with lock:
                heard.append((event.bell, int(event.note)))

        def listen_to_many(events: Sequence[Rang]) -> None:
            for event in events:
                listen(event)

        def work(_: int) -> int:
            try:
                return drain(timezone.now, limit=7)
            finally:
                connections.close_all()

        with listening(listen if form is Form.SINGLE else listen_to_many, form=form):
            with transaction.atomic():
                publish_all([Rang(bell=n % 5, note=str(n)) for n in range(200)])
                connection.run_on_commit.clear()
            with ThreadPoolExecutor(6) as pool:
                list(pool.map(work, range(6)))
            drain(timezone.now)

        assert sorted(n for _, n in heard) == list(range(200))
        for bell in (1, 2, 3, 4):
            of_bell = [n for b, n in heard if b == bell]
            assert of_bell == sorted(of_bell)
        assert Delivery.objects.filter(status="done", attempts=1).count() == 200

    def test_a_fact_of_a_handler_is_delivered_in_the_same_drain(self) -> None:
        heard: list[int] = []
        with (
            listening(lambda event: publish(Heard(bell=event.bell))),
            listening(lambda e: heard.append(e.bell), name="tests.next", event_type=Heard),
            transaction.atomic(),
        ):
            publish(Rang(bell=4))

        assert heard == [4]


@pytest.mark.django_db
def test_drain_ends_when_its_time_is_up(now: datetime) -> None:
    with listening(publish):  # a fact that never comes to rest
        publish(Rang(bell=0))

        assert drain(lambda: now, limit=1, seconds=0.3) > 1


@pytest.mark.django_db
def test_deliver_all_fails_when_a_handler_did(deliver_all: Callable[[], int]) -> None:
    def fail(event: Rang) -> None:
        raise ZeroDivisionError

    with listening(fail):
        publish(Rang(bell=1))
        with pytest.raises(pytest.fail.Exception, match=r"tests\.listen: ZeroDivisionError"):
            deliver_all()
    assert os.environ["DJANGO_SETTINGS_MODULE"]
