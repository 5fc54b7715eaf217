"""exceptions/services/_noticing.py, and what people are told by the others."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.db import connection

from erp.accounts.models import Entity, User
from exceptions.models import CaseWatcher, ExceptionCase, Notice
from exceptions.selectors import notices, unread
from exceptions.services import (
    assign,
    comment,
    prefer,
    read_notices,
    send_next_mail,
    watch,
)
from tests.exceptions import factories


@pytest.fixture
def lee(entity: Entity) -> User:
    return factories.person("lee", "planner")


def reachable(user: User) -> User:
    user.email = f"{user.username}@example.com"
    user.save()
    return user


def outbox(now: datetime) -> int:
    before = len(mail.outbox)
    while send_next_mail(now=now):
        pass
    return len(mail.outbox) - before


class TestTell:
    def test_says_a_thing_once(self, lee: User, now: datetime) -> None:
        case = factories.shortage_case()
        told = Notice.objects.get(user=lee)

        from exceptions.services._noticing import Told, tell  # noqa: PLC0415

        tell([Told(user_id=lee.pk, case_id=case.pk, kind="assigned", key=told.key, text="x")], now)

        assert Notice.objects.get(user=lee).text == told.text

    def test_speaks_to_who_is_mentioned_and_to_who_watches(self, lee: User, now: datetime) -> None:
        ann, bob = factories.person("ann", "buyer"), factories.person("bob", "warehouse")
        factories.person("eve")  # may see nothing here
        case = factories.shortage_case()
        watch(case_id=case.pk, actor=bob, now=now)
        watch(case_id=case.pk, actor=bob, now=now)
        Notice.objects.all().delete()

        comment(case_id=case.pk, text="@ann can you? @eve @nobody", actor=lee, now=now)

        told = set(Notice.objects.values_list("user__username", "kind"))
        assert told == {("ann", "mentioned"), ("bob", "watched")}
        watch(case_id=case.pk, actor=bob, now=now, is_on=False)
        comment(case_id=case.pk, text="Thanks, @ann.", actor=lee, now=now)
        assert Notice.objects.filter(user=bob).count() == 1
        assert not CaseWatcher.objects.exists()
        assert Notice.objects.filter(user=ann).count() == 2

    def test_tells_who_is_handed_a_case(self, lee: User, now: datetime) -> None:
        ann = factories.person("ann", "planner")
        case = factories.shortage_case()
        giver, taker = (lee, ann) if case.owner == lee else (ann, lee)

        assign(case_id=case.pk, to=taker, actor=giver, now=now)

        (row, *_), _ = notices(user_id=taker.pk)
        assert row.kind == "assigned"
        assert "handed it to you" in row.text


class TestSendNextMail:
    def test_sends_the_worst_at_once_and_the_rest_together(self, lee: User, now: datetime) -> None:
        reachable(lee)
        factories.shortage_case(quantity=600, unit_price=50)
        harmless = [factories.shortage_case(quantity=1, unit_price=1) for _ in range(3)]

        assert outbox(now) == 1
        assert "S1" in mail.outbox[0].subject
        assert outbox(now + timedelta(minutes=239)) == 0
        assert outbox(now + timedelta(minutes=241)) == 1
        digest = mail.outbox[1]
        assert digest.to == ["lee@example.com"]
        assert all(case.subject_label in str(digest.body) for case in harmless)
        assert outbox(now + timedelta(days=1)) == 0

    def test_leaves_out_what_was_read(self, lee: User, now: datetime) -> None:
        reachable(lee)
        factories.shortage_case(quantity=600, unit_price=50)
        assert unread(lee.pk) == 1

        read_notices(user=lee, now=now)

        assert unread(lee.pk) == 0
        assert outbox(now) == 0

    def test_as_each_wants_it(self, lee: User, now: datetime) -> None:
        reachable(lee)
        prefer(user=lee, mail="none", digest_minutes=60)
        factories.shortage_case(quantity=600, unit_price=50)
        prefer(user=lee, mail="at_once", digest_minutes=60)
        factories.shortage_case(quantity=1, unit_price=1)

        assert outbox(now) == 1
        assert "S4" in mail.outbox[0].subject
        with pytest.raises(ValueError, match="no such way"):
            prefer(user=lee, mail="pigeon", digest_minutes=60)
        with pytest.raises(ValueError, match="no such way"):
            prefer(user=lee, mail="none", digest_minutes=4)

    def test_what_the_server_refuses_stays_due(
        self, lee: User, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reachable(lee)
        factories.shortage_case(quantity=600, unit_price=50)

        def refuse(*_args: object, **_more: object) -> None:
            raise OSError("no route")

        monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        with pytest.raises(OSError, match="no route"):
            send_next_mail(now=now)
        monkeypatch.undo()

        assert outbox(now) == 1

    @pytest.mark.django_db(transaction=True)
    def test_two_workers_send_one_message(self, now: datetime) -> None:
        factories.company()
        factories.policies()
        lee = reachable(factories.person("lee", "planner"))
        factories.shortage_case(quantity=600, unit_price=50)

        def work(_: int) -> int:
            try:
                return outbox_alone(now)
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))

        assert len(mail.outbox) == 1
        assert Notice.objects.filter(user=lee, mailed_at=None).count() == 0
        assert ExceptionCase.objects.count() == 1


def outbox_alone(now: datetime) -> int:
    sent = 0
    while send_next_mail(now=now):
        sent += 1
    return sent
