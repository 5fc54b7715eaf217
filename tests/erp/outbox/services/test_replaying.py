"""erp/outbox/services/_replaying.py, erp/outbox/management/commands/outbox.py"""

from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from erp.outbox.delivery import ATTEMPTS_MAX, deliver_due
from erp.outbox.models import Delivery
from erp.outbox.publishing import publish, publish_all
from erp.outbox.selectors import backlog
from erp.outbox.services import replay_deliveries
from tests.erp.outbox.events import Rang, listening

pytestmark = pytest.mark.django_db


@pytest.fixture
def dead(now: datetime) -> Delivery:
    """A delivery that failed eight times, the last at `now`."""

    def fail(event: Rang) -> None:
        raise ZeroDivisionError

    with listening(fail):
        publish(Rang(bell=1))
        for n in reversed(range(ATTEMPTS_MAX)):
            deliver_due(now - timedelta(hours=n))
    return Delivery.objects.get(handler="tests.listen")


class TestReplayDeliveries:
    def test_the_dead_are_tried_again(self, dead: Delivery, now: datetime) -> None:
        heard: list[Rang] = []

        assert replay_deliveries(delivery_ids=[dead.pk]) == 1

        with listening(heard.append):
            assert deliver_due(now) == 1
        assert heard == [Rang(bell=1)]
        assert replay_deliveries(delivery_ids=[dead.pk]) == 0

    @pytest.mark.parametrize(
        ("handler", "hours", "count"),
        [("tests.listen", 0, 1), ("tests.other", 0, 0), ("", 0, 1), ("", 1, 0), ("", None, 1)],
    )
    def test_takes_those_of_a_handler_since_a_moment(
        self, dead: Delivery, now: datetime, handler: str, hours: int | None, count: int
    ) -> None:
        since = None if hours is None else now + timedelta(hours=hours)

        assert replay_deliveries(handler=handler, since=since) == count

    def test_a_new_handler_is_given_the_past(self, now: datetime) -> None:
        heard: list[int] = []
        publish_all([Rang(bell=1), Rang(bell=2)])
        with listening(lambda event: heard.append(event.bell)):
            publish(Rang(bell=3))
            deliver_due(now)
            since = now - timedelta(days=9_000)

            assert replay_deliveries(handler="tests.listen", since=since, include_done=True) == 3
            assert replay_deliveries(handler="tests.listen", since=since, include_done=True) == 0
            deliver_due(now)

        assert heard == [3, 1, 2, 3] or sorted(heard) == [1, 2, 3, 3]

    def test_the_past_needs_a_handler_and_a_beginning(self, now: datetime) -> None:
        with pytest.raises(ValueError, match="by handler and since"):
            replay_deliveries(handler="tests.listen", include_done=True)


class TestCommand:
    def run(self, *arguments: str) -> str:
        out = StringIO()
        call_command("outbox", *arguments, stdout=out)
        return out.getvalue()

    def test_status_counts_by_handler(self, dead: Delivery) -> None:
        assert "tests.listen" in self.run("status")
        assert '"dead": 1' in self.run("status", "--json")

    def test_replay(self, dead: Delivery) -> None:
        assert "1 " in self.run("replay", "--id", str(dead.pk))
        dead.refresh_from_db()
        assert dead.status == "pending"

    def test_replay_of_everything_must_be_meant(self, dead: Delivery) -> None:
        with pytest.raises(CommandError):
            self.run("replay")
        assert "1 " in self.run("replay", "--all-dead")


def test_backlog_tells_what_waits_and_for_how_long(dead: Delivery, now: datetime) -> None:
    with listening(lambda event: None, name="tests.slow"):
        publish_all([Rang(bell=1), Rang(bell=2)])

    by_handler = {line.handler: line for line in backlog()}

    assert by_handler["tests.listen"].dead == 1
    assert (by_handler["tests.slow"].pending, by_handler["tests.slow"].dead) == (2, 0)
    assert by_handler["tests.slow"].oldest_at is not None
