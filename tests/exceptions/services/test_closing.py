"""exceptions/services/_closing.py"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.db.models import F

from erp.accounts.models import Entity, User
from erp.outbox.models import Message
from exceptions.models import CaseTimer, ExceptionCase
from exceptions.services import (
    CaseClosed,
    NotClosed,
    NothingSaid,
    NothingToReopen,
    StillSo,
    clear,
    dismiss,
    reopen,
    resolve,
)
from orders.models import OrderLine
from tests.exceptions import factories


@pytest.fixture
def lead(entity: Entity) -> User:
    return factories.person("kim", "operations_lead")


class TestDismiss:
    def test_stops_the_clocks_and_says_why(self, lead: User, now: datetime) -> None:
        case = factories.shortage_case()

        dismiss(case_id=case.pk, reason=" The customer knows. ", actor=lead, now=now)

        case = ExceptionCase.objects.get(pk=case.pk)
        assert (case.state, case.resolution) == ("dismissed", "The customer knows.")
        assert not CaseTimer.objects.filter(case=case, cancelled_at=None).exists()

    def test_needs_a_reason(self, lead: User, now: datetime) -> None:
        case = factories.shortage_case()

        with pytest.raises(NothingSaid):
            dismiss(case_id=case.pk, reason=" ", actor=lead, now=now)

        assert ExceptionCase.objects.get(pk=case.pk).state == "open"


class TestResolve:
    def test_is_refused_while_the_condition_holds(self, lead: User, now: datetime) -> None:
        case = factories.shortage_case()

        with pytest.raises(StillSo, match="10 of 10"):
            resolve(case_id=case.pk, resolution="Done", actor=lead, now=now)

        assert ExceptionCase.objects.get(pk=case.pk).state == "open"

    def test_is_granted_once_it_is_over(self, lead: User, now: datetime) -> None:
        case = factories.shortage_case()
        OrderLine.objects.update(reserved=10)

        resolve(case_id=case.pk, resolution="Found some", actor=lead, now=now)

        assert ExceptionCase.objects.get(pk=case.pk).resolved_by == lead


class TestReopen:
    def test_takes_up_what_was_dismissed_with_fresh_clocks(self, lead: User, now: datetime) -> None:
        case = factories.shortage_case()
        dismiss(case_id=case.pk, reason="Agreed", actor=lead, now=now)

        reopen(case_id=case.pk, actor=lead, now=now + timedelta(days=1))

        again = ExceptionCase.objects.get(pk=case.pk)
        assert (again.state, again.reopened_count, again.is_muted) == ("open", 1, False)
        assert again.resolve_by > case.resolve_by
        assert CaseTimer.objects.filter(case=again, cancelled_at=None).count() == 3

    def test_refuses_what_is_open_or_over(self, lead: User, now: datetime) -> None:
        case = factories.shortage_case()
        with pytest.raises(NotClosed):
            reopen(case_id=case.pk, actor=lead, now=now)
        OrderLine.objects.update(reserved=10)
        clear(subject_ids=[case.subject_id], now=now)
        with pytest.raises(NothingToReopen):
            reopen(case_id=case.pk, actor=lead, now=now)

        assert ExceptionCase.objects.get(pk=case.pk).state == "resolved"


@pytest.mark.django_db(transaction=True)
def test_of_those_who_end_one_case_at_once_one_does_and_the_others_read_who(now: datetime) -> None:
    factories.policies()
    case = factories.shortage_case()
    OrderLine.objects.filter(pk=case.subject_id).update(reserved=F("quantity"))
    people = [factories.person(name, "planner") for name in ("ann", "bob", "cem", "dee")]
    ready = Barrier(len(people))

    def end(user: User) -> str:
        try:
            ready.wait()
            if people.index(user) % 2:
                dismiss(case_id=case.pk, reason="Agreed", actor=user, now=now)
            else:
                resolve(case_id=case.pk, resolution="Found some", actor=user, now=now)
        except CaseClosed as refusal:
            return str(refusal)
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(len(people)) as hands:
        said = list(hands.map(end, people))

    winner = people[said.index("")]
    ended = ExceptionCase.objects.get(pk=case.pk)
    assert said.count("") == 1
    assert ended.resolved_by == winner
    assert ended.state == ("dismissed" if people.index(winner) % 2 else "resolved")
    assert all(f"{winner} {ended.state} it" in sentence for sentence in said if sentence)
    assert Message.objects.filter(name="exceptions.case_resolved").count() == 1
