"""orders/services/complying/ with _screening.py"""

from datetime import timedelta
from random import Random

import pytest

from erp.accounts.models import User
from erp.governance.models import AuditEntry
from erp.governance.services import Question, decide
from erp.outbox.models import Message
from orders.models import (
    DeniedParty,
    Hold,
    Order,
    Party,
    PartyMatch,
    PartyRole,
    Screening,
)
from orders.rules.listing import ListEntry
from orders.rules.naming import Name
from orders.rules.screening import FLOOR, address_score, name_score, overall, same_country
from orders.services import ReasonMissing, lift_hold, submit_orders
from orders.services.complying import EmptyList, MatchReviewed, review_match
from tests.orders import compliance as law
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def order_of(name: str, *, state: str = "submitted", **values: object) -> Order:
    on = make.account(make.customer(name=name, **values))
    taken = make.submitted if state == "submitted" else make.picked
    part = make.priced()
    if state == "picked":
        make.stocked(part, 10)
    return taken(on, make.line(part))


def reviewer() -> User:
    return make.person("reviewer", "controller")


class TestImport:
    def test_adds_changes_and_removes_what_differs(self) -> None:
        law.listed("Alfa", "Beta", "Gamma")
        entries = [ListEntry("E0", "Alfa"), ListEntry("E1", "Beta Two"), ListEntry("E7", "New")]

        found = law.imported(entries)

        assert (found.version, found.added, found.changed, found.removed) == (2, 1, 1, 1)
        versions = dict(DeniedParty.objects.values_list("reference", "version"))
        assert versions == {"E0": 1, "E1": 2, "E2": 1, "E7": 1}
        assert DeniedParty.objects.get(reference="E2").removed_at == make.NOW
        assert AuditEntry.objects.filter(action="orders.import_party_list").count() == 2

    def test_the_same_list_again_changes_nothing_and_screens_nobody(self) -> None:
        law.listed("Alfa")
        law.walked()

        again = law.listed("Alfa")

        assert (again.version, again.added, again.changed, again.removed) == (1, 0, 0, 0)
        assert Screening.objects.count() == 1

    def test_an_empty_list_is_refused_and_clears_nobody(self) -> None:
        law.listed("Alfa")

        with pytest.raises(EmptyList):
            law.imported([])

        assert DeniedParty.objects.filter(removed_at=None).count() == 1

    def test_an_entry_that_comes_back_is_another_version(self) -> None:
        law.listed("Alfa", "Beta")
        law.listed("Alfa")

        law.listed("Alfa", "Beta")

        assert DeniedParty.objects.get(reference="E1").version == 2


class TestSubmitting:
    def test_holds_whose_customer_resembles_an_entry(self) -> None:
        law.listed("Zarya Marine Trading")

        order = order_of("Zarja Marine Trading LLC")

        hold = Hold.objects.get(order=order)
        assert (order.state, hold.kind) == ("held", "compliance")
        assert hold.facts["receipt"][0]["outcome"] == "match_open"
        assert "Zarya Marine Trading (SDN" in hold.reason

    def test_looks_at_the_consignee_too(self) -> None:
        law.listed("Zarya Marine Trading")
        on = make.account(make.customer(name="Halden Medical"))

        order = make.submitted(
            on,
            make.line(make.priced()),
            ship_to={"name": "Zarya Marine Trading", "city": "Dubai", "country": "AE"},
        )

        assert order.state == "held"

    def test_lets_go_whoever_resembles_nobody(self) -> None:
        law.listed("Zarya Marine Trading")

        assert order_of("Halden Medical").state == "released"
        assert not PartyMatch.objects.exists()

    def test_costs_no_more_statements_for_many(self, django_assert_max_num_queries) -> None:
        law.listed("Zarya Marine Trading")
        part = make.priced()
        ids = [
            make.created(make.account(make.customer(name=f"Buyer {n}")), make.line(part)).pk
            for n in range(30)
        ]

        with django_assert_max_num_queries(40):
            submit_orders(order_ids=ids, actor=None, now=make.NOW)


class TestWalk:
    def test_finds_exactly_what_comparing_all_pairs_finds(self) -> None:
        random = Random(3)
        words = ["alfa", "zvezda", "gulf", "marine", "petro", "north", "star", "orient", "trade"]

        def name() -> str:
            said = " ".join(random.sample(words, random.randint(2, 4)))
            return said.replace(random.choice("aeio"), "u", 1)

        buyers = [
            make.customer(name=name(), country=random.choice(["AE", "US"])) for _ in range(60)
        ]
        entries = [
            ListEntry(f"E{n}", name(), (name(),), country=random.choice(["AE", "RU", ""]))
            for n in range(120)
        ]
        law.imported(entries)

        law.walked(limit=7)

        expected = set()
        for buyer in buyers:
            for entry in DeniedParty.objects.all():
                best = max(
                    name_score(Name.of(buyer.name), Name.of(each))
                    for each in (entry.name, *entry.aliases)
                )
                if best < FLOOR:
                    continue
                near = address_score(f"{buyer.address} {buyer.city}", entry.address)
                facts = {
                    "score": overall(best, near),
                    "name_score": best,
                    "address_score": near,
                    "same_country": same_country(buyer.country, entry.country),
                }
                asked = Question(0, "orders.party", 0, facts)
                said = decide(
                    policy="orders.screening", questions=[asked], now=make.NOW, keep=False
                )[0]
                if said.outcome["review"]:
                    expected.add((buyer.pk, entry.pk, best))
        found = set()
        for match in PartyMatch.objects.all():
            for role in PartyRole.objects.filter(party_id=match.party_id):
                found.add((role.subject_id, match.entry_id, match.name_score))
        assert found == expected
        assert len(expected) > 20

    def test_holds_open_orders_and_touches_no_other(self) -> None:
        bad, good = order_of("Zarya Marine"), order_of("Halden Medical")
        held = order_of("Zarya Marine Dubai", is_blocked=True)
        committed = bad.account.__class__.objects.get(pk=bad.account_id).committed

        law.listed("Zarya Marine")
        law.walked()

        states = {o.pk: o.state for o in Order.objects.all()}
        assert (states[bad.pk], states[good.pk], states[held.pk]) == ("held", "released", "held")
        assert set(Hold.objects.filter(order=held).values_list("kind", flat=True)) == {
            "completeness",
            "compliance",
        }
        assert committed == 10
        assert bad.account.__class__.objects.get(pk=bad.account_id).committed == 0
        told = Message.objects.filter(name="orders.order_held", payload__order_id=bad.pk)
        assert told.get().payload["kinds"] == "compliance"

    def test_keeps_the_goods_of_an_order_that_is_being_picked(self) -> None:
        order = order_of("Zarya Marine", state="picked")

        law.listed("Zarya Marine")
        law.walked()

        assert Order.objects.get(pk=order.pk).state == "fulfilling"
        assert Hold.objects.get().kind == "compliance"
        assert not Message.objects.filter(name="orders.match_found_too_late").exists()
        told = Message.objects.get(name="orders.order_held")
        assert told.payload["number"] == order.number

    def test_goes_on_where_it_was_cut_off(self) -> None:
        for n in range(7):
            order_of(f"Buyer {n} Nautical")
        law.listed("Buyer 6 Nautical")

        first = law.screen_parties(now=make.NOW, limit=3)
        second = law.screen_parties(now=make.NOW, limit=3)

        assert first is not None
        assert second is not None
        assert (first.done, second.done, first.total) == (3, 6, 14)
        law.walked(limit=3)
        walk = Screening.objects.get()
        assert (walk.step, walk.done, walk.finished_at) == ("done", 14, make.NOW)
        assert walk.holds == Hold.objects.count() >= 1

    def test_asks_nobody_twice(self) -> None:
        order = order_of("Zarya Marine")
        law.listed("Zarya Marine")
        law.walked()

        law.listed("Zarya Marine", "Somebody Else Entirely")
        law.walked()

        assert PartyMatch.objects.count() == 1
        assert Hold.objects.filter(order=order).count() == 1

    def test_does_not_hold_again_what_its_owner_let_go(self) -> None:
        order = order_of("Zarya Marine")
        law.listed("Zarya Marine")
        law.walked()
        hold = Hold.objects.get(order=order)
        later = make.NOW + timedelta(hours=1)
        lift_hold(hold_id=hold.pk, actor=reviewer(), reason="known", now=later)

        law.screen_parties(now=later, anew="again")
        law.walked()

        assert Order.objects.get(pk=order.pk).state == "released"
        assert Hold.objects.filter(state="active").count() == 0

    def test_nothing_is_walked_where_there_is_no_list(self) -> None:
        assert law.screen_parties(now=make.NOW, anew="again") is None


class TestReview:
    def matched(self, name: str = "Zarya Marine") -> tuple[Order, PartyMatch]:
        law.listed(name)
        law.walked()
        return order_of(name), PartyMatch.objects.get()

    def test_rejecting_lets_go_what_only_it_held(self) -> None:
        order, match = self.matched()

        review_match(
            match_id=match.pk, is_real=False, reason="other", actor=reviewer(), now=make.NOW
        )

        assert Order.objects.get(pk=order.pk).state == "released"
        assert Hold.objects.get(order=order).lift_reason == "A match was rejected"
        assert AuditEntry.objects.get(action="orders.reject_match").entity_id == order.entity_id

    def test_a_rejected_pair_is_not_asked_again_until_the_entry_changes(self) -> None:
        order, match = self.matched()
        review_match(
            match_id=match.pk, is_real=False, reason="other", actor=reviewer(), now=make.NOW
        )
        law.listed("Zarya Marine", "Another One")
        law.walked()
        again = order_of("Zarya Marine")
        assert (PartyMatch.objects.count(), again.state) == (1, "released")

        law.listed("Zarya Marine", "Another One", city="Dubai")
        law.walked()

        assert PartyMatch.objects.get(pk=match.pk).state == "lapsed"
        assert PartyMatch.objects.filter(state="open").count() >= 1
        assert Order.objects.get(pk=order.pk).state == "held"

    def test_is_asked_again_when_the_party_changes(self) -> None:
        order, match = self.matched()
        review_match(
            match_id=match.pk, is_real=False, reason="other", actor=reviewer(), now=make.NOW
        )
        order.customer.name = "Zarya Marine Dubai"
        order.customer.save()

        law.screen_parties(now=make.NOW, anew="again")
        law.walked()

        assert PartyMatch.objects.filter(state="open").exists()
        assert Party.objects.count() >= 2

    def test_confirming_keeps_the_order_held(self) -> None:
        order, match = self.matched()

        found = review_match(
            match_id=match.pk, is_real=True, reason="it is", actor=reviewer(), now=make.NOW
        )

        assert (found.state, Order.objects.get(pk=order.pk).state) == ("confirmed", "held")
        later = order_of("Zarya Marine")
        assert Hold.objects.get(order=later).facts["matches_confirmed"] in (1, "1")

    def test_says_why_and_says_it_once(self) -> None:
        _order, match = self.matched()
        who = reviewer()
        with pytest.raises(ReasonMissing):
            review_match(match_id=match.pk, is_real=True, reason=" ", actor=who, now=make.NOW)
        for _ in range(2):
            review_match(match_id=match.pk, is_real=True, reason="yes", actor=who, now=make.NOW)

        with pytest.raises(MatchReviewed):
            review_match(match_id=match.pk, is_real=False, reason="no", actor=who, now=make.NOW)

        assert AuditEntry.objects.filter(action="orders.confirm_match").count() == 1
