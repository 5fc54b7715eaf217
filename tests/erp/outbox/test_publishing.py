"""erp/outbox/publishing.py, erp/outbox/registry.py"""

from dataclasses import fields
from typing import get_type_hints

import pytest
from django.db import connection, transaction

from erp.kernel.events import Event
from erp.outbox import registry
from erp.outbox.models import Delivery, Message
from erp.outbox.publishing import publish, publish_all, telling_the_past
from erp.outbox.registry import Form, event_of, subscribe
from erp.outbox.waking import wake
from tests.erp.outbox.events import Heard, Rang, listening


def ignore(event: Event) -> None:
    """Hear it and do nothing."""


@pytest.mark.django_db
class TestPublishAll:
    def test_writes_each_fact_and_a_delivery_per_handler(self) -> None:
        with (
            listening(ignore, name="tests.one"),
            listening(ignore, name="tests.two", form=Form.BATCH),
            listening(ignore, name="tests.every", event_type=Event),
            listening(ignore, name="tests.other", event_type=Heard),
        ):
            publish_all([Rang(bell=1, note="é", entity_id=7), Heard(bell=2)])

        rang, heard = Message.objects.order_by("id")
        assert (rang.name, rang.key, rang.entity_id) == ("tests.rang", "bell:1", 7)
        assert rang.payload == {"bell": 1, "note": "é", "entity_id": 7}
        assert (heard.name, heard.key, heard.entity_id) == ("tests.heard", "", None)
        assert set(rang.deliveries.values_list("handler", "key")) == {
            ("tests.one", "bell:1"),
            ("tests.two", "bell:1"),
            ("tests.every", "bell:1"),
        }
        assert {d.handler for d in heard.deliveries.all()} == {"tests.every", "tests.other"}

    def test_is_one_statement(self, django_assert_num_queries) -> None:
        with listening(ignore), django_assert_num_queries(1):
            publish_all([Rang(bell=i) for i in range(500)])

        bells = [m.payload["bell"] for m in Message.objects.order_by("id")]
        assert bells == list(range(500))
        assert Delivery.objects.count() == 500

    def test_a_fact_that_nobody_hears_is_kept(self) -> None:
        publish(Rang(bell=1))

        assert Message.objects.count() == 1
        assert not Delivery.objects.exists()

    def test_the_past_is_told_to_nobody(self) -> None:
        with listening(ignore):
            with telling_the_past():
                publish(Rang(bell=1))
            assert not Delivery.objects.exists()
            publish(Rang(bell=2))

        assert Message.objects.count() == 2
        assert Delivery.objects.get().key == "bell:2"

    def test_nothing_is_nothing(self, django_assert_num_queries) -> None:
        with django_assert_num_queries(0):
            publish_all([])

    def test_a_transaction_wakes_once(self) -> None:
        with listening(ignore):
            publish(Rang(bell=1))
            publish(Rang(bell=2))

        assert [call[1] for call in connection.run_on_commit].count(wake) == 1

    def test_a_savepoint_that_is_undone_takes_its_wake_up_along(self) -> None:
        with listening(ignore):
            with pytest.raises(ZeroDivisionError), transaction.atomic():
                publish(Rang(bell=1))
                raise ZeroDivisionError
            publish(Rang(bell=2))

        assert [call[1] for call in connection.run_on_commit].count(wake) == 1
        assert Message.objects.get().payload["bell"] == 2


@pytest.mark.django_db(transaction=True)
class TestTransaction:
    def test_a_fact_cannot_be_told_outside_one(self) -> None:
        with pytest.raises(RuntimeError, match=r"tests\.rang"):
            publish(Rang(bell=1))

    def test_a_rolled_back_fact_was_never_told(self) -> None:
        heard: list[Rang] = []
        with listening(heard.append):
            with pytest.raises(ZeroDivisionError), transaction.atomic():
                publish(Rang(bell=1))
                raise ZeroDivisionError

            assert not Message.objects.exists()
            assert not heard

    def test_a_committed_fact_is_heard(self) -> None:
        heard: list[Rang] = []
        with listening(heard.append), transaction.atomic():
            publish(Rang(bell=1))
            assert not heard

        assert heard == [Rang(bell=1)]


class TestRegistry:
    def test_two_handlers_of_an_app_have_two_names(self) -> None:
        def twice(event: Rang) -> None:
            """Be registered twice."""

        before = dict(registry._subscriptions)
        try:
            subscribe(Rang)(twice)
            with pytest.raises(ValueError, match=r"two handlers are named .*\.twice"):
                subscribe(Rang)(twice)
        finally:
            registry._subscriptions.clear()
            registry._subscriptions.update(before)
            registry._names_by_type.clear()

    def test_a_message_of_yesterday_is_read(self) -> None:
        assert event_of("tests.rang", {"bell": 1}) == Rang(bell=1)

    def test_a_message_of_tomorrow_is_read(self) -> None:
        assert event_of("tests.rang", {"bell": 1, "tone": "c"}) == Rang(bell=1)

    def test_an_unknown_event_is_not(self) -> None:
        with pytest.raises(KeyError):
            event_of("tests.unheard_of", {})


def test_the_payload_of_every_event_is_plain_json() -> None:
    plain = {int, str, bool, int | None, str | None}
    for kind in registry.event_types().values():
        hints = get_type_hints(kind)
        for field in fields(kind):
            assert hints[field.name] in plain, (kind, field.name)
