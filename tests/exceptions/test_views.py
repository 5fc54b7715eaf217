"""exceptions/views.py"""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from erp.accounts.models import Entity, User
from exceptions import selectors
from exceptions.models import ExceptionCase, PlayRequest
from exceptions.services import run_play
from tests.exceptions import factories
from tests.exceptions.scenes import SCENES

pytestmark = pytest.mark.django_db


@pytest.fixture
def planner(entity: Entity) -> User:
    return factories.person("lee", "planner")


@pytest.fixture
def page(client: Client, planner: User) -> Client:
    client.force_login(planner)
    return client


def live_case(**values: object) -> ExceptionCase:
    return factories.shortage_case(now=timezone.now(), **values)


class TestQueuePage:
    def test_shows_money_clock_reason_and_the_ways_out_of_the_first(self, page: Client) -> None:
        item = factories.product()
        factories.offer(item)
        grave = live_case(quantity=600, unit_price=50, item=item)
        live_case(quantity=1, unit_price=1)

        shown = page.get(reverse("exceptions:queue")).content.decode()

        assert shown.index(grave.subject_label) < shown.index("1 of 1")
        assert grave.summary in shown
        assert "Backorder to" in shown
        assert "2 open" in shown
        assert "style=" not in shown

    def test_is_filtered_by_its_address(self, page: Client, planner: User) -> None:
        mine, other = live_case(), factories.hold_case(now=timezone.now())

        shown = page.get(reverse("exceptions:queue"), {"view": "mine"}).content.decode()
        typed = page.get(
            reverse("exceptions:queue"), {"type": "orders.credit_hold", "q": "limit"}
        ).content.decode()

        assert mine.summary in shown
        assert other.summary not in shown
        assert other.summary in typed
        assert mine.summary not in typed

    def test_goes_on_where_a_page_ended(self, entity: Entity) -> None:
        cases = [live_case(quantity=n + 1) for n in range(5)]
        seen: list[int] = []
        after = ""
        for _ in range(3):
            found = selectors.queue(
                entity_ids=[cases[0].entity_id], now=timezone.now(), after=after, limit=2
            )
            seen += [row.id for row in found.rows]
            after = found.next

        assert seen == [case.pk for case in reversed(cases)]
        assert after == ""

    def test_says_nothing_of_other_entities(self, page: Client) -> None:
        other = factories.company("DE01", country="DE", currency="EUR")
        hidden = live_case(account=factories.account(entity=other))

        assert hidden.summary not in page.get(reverse("exceptions:queue")).content.decode()
        assert page.get(reverse("exceptions:case", args=[hidden.pk])).status_code == 404
        assert page.post(reverse("exceptions:take", args=[hidden.pk])).status_code == 404

    def test_costs_the_same_number_of_queries_for_many(
        self, page: Client, django_assert_max_num_queries: object
    ) -> None:
        for _ in range(12):
            live_case()

        with django_assert_max_num_queries(40):
            page.get(reverse("exceptions:queue"))


class TestCasePage:
    def test_says_why_in_numbers_and_what_happened(self, page: Client) -> None:
        case = live_case(quantity=600, unit_price=50)

        shown = page.get(reverse("exceptions:case", args=[case.pk])).content.decode()

        assert "Revenue at risk" in shown
        assert "$30,000.00" in shown
        assert "P(miss)" in shown
        assert case.policy_version in shown
        assert "Open" in shown

    def test_lets_the_owner_work(self, page: Client, planner: User) -> None:
        case = live_case()

        page.post(reverse("exceptions:take", args=[case.pk]))
        page.post(reverse("exceptions:comment", args=[case.pk]), {"text": "Called them."})
        page.post(reverse("exceptions:assign", args=[case.pk]), {"to": "", "queue": ""})

        shown = page.get(reverse("exceptions:case", args=[case.pk])).content.decode()
        assert "Called them." in shown
        case = ExceptionCase.objects.get(pk=case.pk)
        assert (case.state, case.owner) == ("open", None)

    def test_refuses_with_a_sentence(self, page: Client) -> None:
        case = live_case()

        answer = page.post(reverse("exceptions:resolve", args=[case.pk]), {"reason": "It is fine"})

        assert answer.status_code == 409
        assert "10 of 10" in answer.content.decode()
        assert ExceptionCase.objects.get(pk=case.pk).state == "assigned"


class TestPlays:
    def test_runs_beside_the_queue(self, page: Client) -> None:
        item = factories.product()
        factories.offer(item)
        case = live_case(item=item)

        answer = page.post(
            reverse("exceptions:play", args=[case.pk, "backorder"]),
            {"quoted": "0"},
            headers={"HX-Request": "true", "HX-Target": "beside"},
        )

        assert answer.status_code == 200
        assert "Backordered" in answer.headers["HX-Trigger"]
        assert ExceptionCase.objects.get(pk=case.pk).state == "resolved"
        after = page.get(reverse("exceptions:case", args=[case.pk]))
        assert "What was chosen" in after.content.decode()

    def test_needs_the_right_to_work_cases(self, client: Client, entity: Entity) -> None:
        client.force_login(factories.person("sam", "steward"))
        case = live_case()

        assert client.get(reverse("exceptions:case", args=[case.pk])).status_code == 200
        answer = client.post(reverse("exceptions:play", args=[case.pk, "backorder"]))
        assert answer.status_code == 403


class TestParts:
    def test_shows_the_cases_of_an_order(self, page: Client) -> None:
        case = live_case()

        shown = page.get(reverse("exceptions:of_order", args=[case.order.number]))

        assert case.summary in shown.content.decode()

    def test_lists_every_type(self, page: Client) -> None:
        live_case()

        assert "Shortage" in page.get(reverse("exceptions:types")).content.decode()


class TestRequests:
    """A way out that takes 10,000 from a customer waits for somebody else's word."""

    @pytest.fixture
    def asked(self, entity: Entity) -> PlayRequest:
        lead = factories.person("kim", "operations_lead")
        case = factories.hold_case(now=timezone.now(), total=10_000)
        request = run_play(case_id=case.pk, key="cancel", actor=lead, now=timezone.now())
        assert isinstance(request, PlayRequest)
        return request

    def page_of(self, client: Client, asked: PlayRequest) -> str:
        return client.get(reverse("exceptions:case", args=[asked.case_id])).content.decode()

    def decide(self, client: Client, asked: PlayRequest, **values: str) -> int:
        url = reverse("exceptions:decide", args=[asked.case_id, asked.pk])
        return client.post(url, values).status_code

    def test_stand_on_the_page_with_who_asked_and_who_may_agree(
        self, page: Client, asked: PlayRequest
    ) -> None:
        factories.person("zoe", "operations_lead")

        shown = self.page_of(page, asked)

        assert "waits for agreement" in shown
        assert "Kim" in shown
        assert "Zoe" in shown
        assert "Agree <kbd>" not in shown

    def test_are_agreed_to_there_and_run(
        self, client: Client, asked: PlayRequest, deliver_all: Callable[[], int]
    ) -> None:
        for name, role in (("zoe", "operations_lead"), ("eve", "executive"),
                           ("ben", "operations_lead")):  # fmt: skip
            client.force_login(factories.person(name, role))
            if "Agree <kbd>y</kbd>" in self.page_of(client, asked):
                said = self.decide(client, asked, agrees="1", fingerprint=asked.fingerprint)
                assert said == 302
        deliver_all()

        assert PlayRequest.objects.get(pk=asked.pk).state == "run"
        assert ExceptionCase.objects.get(pk=asked.case_id).state == "resolved"

    def test_are_refused_there_with_the_reason(
        self, client: Client, asked: PlayRequest, deliver_all: Callable[[], int]
    ) -> None:
        client.force_login(factories.person("zoe", "operations_lead"))

        self.decide(client, asked, agrees="0", reason="A good customer")
        deliver_all()

        found = PlayRequest.objects.get(pk=asked.pk)
        assert (found.state, found.outcome) == ("dropped", "A good customer")
        assert "A good customer" in self.page_of(client, asked)

    def test_are_not_agreed_to_by_who_asked_nor_by_who_may_not(
        self, client: Client, page: Client, asked: PlayRequest
    ) -> None:
        assert self.decide(page, asked, agrees="1", fingerprint=asked.fingerprint) == 409
        client.force_login(factories.person("kim", "operations_lead"))
        assert "somebody else decides" in self.page_of(client, asked)
        assert self.decide(client, asked, agrees="1", fingerprint=asked.fingerprint) == 409
        assert PlayRequest.objects.get(pk=asked.pk).state == "pending"

    def test_of_another_case_are_not_there(self, page: Client, asked: PlayRequest) -> None:
        other = live_case()

        url = reverse("exceptions:decide", args=[other.pk, asked.pk])

        assert page.post(url, {"agrees": "1"}).status_code == 404


class TestAutomation:
    def test_stands_with_its_reason_and_version_over_the_ways_out(self, page: Client) -> None:
        item = factories.product()
        factories.offer(item)
        grave = live_case(quantity=600, unit_price=50, item=item)
        small = live_case(quantity=1, unit_price=1)

        first = page.get(reverse("exceptions:case", args=[grave.pk])).content.decode()
        second = page.get(reverse("exceptions:case", args=[small.pk])).content.decode()

        assert "People only: nothing runs by itself." in first
        assert "exceptions.automation" in first
        assert "S1, " in first
        assert "Recommended: " in second


class TestUndo:
    def test_is_pressed_on_the_page_and_the_case_comes_back(
        self, client: Client, entity: Entity
    ) -> None:
        case, who, _now = SCENES["pegged_inbound"]()
        run_play(case_id=case.pk, key="pegged_inbound", actor=who, now=timezone.now())
        client.force_login(who)
        url = reverse("exceptions:undo", args=[case.pk, "pegged_inbound"])

        refused = client.post(url, {"reason": " "}).status_code
        done = client.post(url, {"reason": "The customer called"}, follow=True)

        assert refused == 409
        assert "Undone" in done.content.decode()
        assert ExceptionCase.objects.get(pk=case.pk).state in ExceptionCase.LIVE
