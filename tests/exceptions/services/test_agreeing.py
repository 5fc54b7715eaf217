"""exceptions/services/_asking.py and _agreeing.py: ways out that somebody must agree to"""

from datetime import datetime
from decimal import Decimal

import pytest

from erp.accounts.models import Entity, User
from erp.governance.models import Approval
from erp.governance.services import NotYours, OwnRequest, approve, reject
from exceptions.models import ExceptionCase, PlayRequest, PlayRun
from exceptions.services import OtherPlayWaits, follow_play_approval, run_play
from orders.models import Order
from tests.exceptions import factories


@pytest.fixture
def lead(entity: Entity) -> User:
    return factories.person("kim", "operations_lead")


def asked(lead: User, now: datetime, total: int = 10_000, **values: object) -> PlayRequest:
    case = factories.hold_case(total=total, **values)
    request = run_play(case_id=case.pk, key="cancel", actor=lead, now=now)
    assert isinstance(request, PlayRequest)
    return request


def approval_of(request: PlayRequest) -> Approval:
    return Approval.objects.get(document_kind="exceptions.play", document_id=request.pk)


def follow(request: PlayRequest, now: datetime) -> PlayRequest:
    decided = approval_of(request)
    return follow_play_approval(
        request_id=request.pk, state=str(decided.state), reason="Not this customer", now=now
    )


class TestTheGate:
    def test_lets_pass_what_takes_less_than_the_threshold(self, lead: User, now: datetime) -> None:
        case = factories.hold_case(total="9999.99")

        run = run_play(case_id=case.pk, key="cancel", actor=lead, now=now)

        assert isinstance(run, PlayRun)
        assert run.policy_version.startswith("exceptions.play_gate")

    def test_asks_at_the_threshold_and_does_nothing_yet(self, lead: User, now: datetime) -> None:
        request = asked(lead, now)
        again = run_play(case_id=request.case_id, key="cancel", actor=lead, now=now)

        assert again == request
        assert Order.objects.get(pk=request.case.order_id).state == "held"
        assert approval_of(request).weight == Decimal(10_000)
        assert not PlayRun.objects.exists()

    def test_keeps_other_ways_out_until_it_is_settled(self, lead: User, now: datetime) -> None:
        request = asked(lead, now, total=20_000)
        PlayRequest.objects.filter(pk=request.pk).update(fingerprint="another")

        with pytest.raises(OtherPlayWaits):
            run_play(case_id=request.case_id, key="cancel", actor=lead, now=now)


class TestFollowPlayApproval:
    def agree(self, request: PlayRequest, now: datetime) -> None:
        """Have everybody agree whom the matrix asks, by what the customer loses."""
        waiting = approval_of(request)
        for name, role in (("lou", "operations_lead"), ("max", "executive")):
            if approval_of(request).state == "pending":
                approve(
                    approval_id=waiting.pk, actor=factories.person(name, role),
                    fingerprint=waiting.fingerprint, now=now,
                )  # fmt: skip
        if approval_of(request).state == "pending":
            approve(
                approval_id=waiting.pk, actor=factories.person("ben", "operations_lead"),
                fingerprint=waiting.fingerprint, now=now,
            )  # fmt: skip

    def test_runs_it_in_the_name_of_who_asked(self, lead: User, now: datetime) -> None:
        request = asked(lead, now)
        self.agree(request, now)

        followed = follow(request, now)
        follow(request, now)

        run = PlayRun.objects.get()
        assert (followed.state, run.run_by) == ("run", lead)
        assert Order.objects.get(pk=request.case.order_id).state == "cancelled"
        assert ExceptionCase.objects.get(pk=request.case_id).state == "resolved"

    def test_refuses_who_asked_and_who_wrote_the_order(self, lead: User, now: datetime) -> None:
        author = factories.person("ann", "operations_lead")
        request = asked(lead, now, created_by=author)
        waiting = approval_of(request)

        for person in (lead, author):
            with pytest.raises((OwnRequest, NotYours)):
                approve(
                    approval_id=waiting.pk, actor=person, fingerprint=waiting.fingerprint, now=now
                )

        assert approval_of(request).state == "pending"

    def test_drops_what_was_rejected(self, lead: User, now: datetime) -> None:
        request = asked(lead, now)
        reject(
            approval_id=approval_of(request).pk, actor=factories.person("lou", "operations_lead"),
            reason="Not this customer", now=now,
        )  # fmt: skip

        followed = follow(request, now)

        assert (followed.state, followed.outcome) == ("dropped", "Not this customer")
        assert Order.objects.get(pk=request.case.order_id).state == "held"

    def test_drops_what_moved_and_leaves_the_rest(self, lead: User, now: datetime) -> None:
        request = asked(lead, now)
        self.agree(request, now)
        Order.objects.filter(pk=request.case.order_id).update(total=9_000)

        followed = follow(request, now)

        assert (followed.state, followed.outcome[:8]) == ("dropped", "It moved")
        assert Order.objects.get(pk=request.case.order_id).state == "held"
        assert not PlayRun.objects.exists()

    def test_drops_what_the_world_was_quicker_with(self, lead: User, now: datetime) -> None:
        request = asked(lead, now)
        self.agree(request, now)
        case = ExceptionCase.objects.get(pk=request.case_id)
        case.resolve(by_id=None, at=now, resolution="Cleared")
        case.save()

        assert follow(request, now).state == "dropped"
