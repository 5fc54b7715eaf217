"""inventory/services/sourcing/_looking.py, with _reading, _ways, _weighing and _writing."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from erp.governance.models import AuditEntry
from erp.outbox.models import Message
from finance.services import RateRow, save_rates
from inventory.models import Product, Sourcing, SourcingDecision
from orders.services import allocate_orders
from orders.services.insisting import insist_customer
from tests.inventory.services.sourcing import scenes
from tests.orders import factories as make
from tests.orders.services.segmenting.test_segmenting import assigned, kept, segment

pytestmark = pytest.mark.django_db


class TestModes:
    def test_says_what_a_supplier_would_bring_when_and_for_how_much(self) -> None:
        part = make.priced("10")
        supplier = scenes.offered(part, "6", days=10)

        line = scenes.short(part)

        buy = scenes.told(line)["buy"]
        # ordered on Monday 23 November, there on 3 December, handled by the 4th, two days away
        assert (buy["leaves"], buy["date"]) == ("2026-12-04", "2026-12-06")
        assert (buy["place"], buy["taken"], buy["rejected"]) == (
            f"{supplier.name} → DC-A",
            "10",
            "",
        )
        assert (buy["cost"], buy["product"]) == ("0.00", part.code)
        sourcing = Sourcing.objects.get()
        assert (sourcing.state, sourcing.mode) == ("proposed", "buy")
        assert sourcing.quantity == sourcing.buys == 10
        assert (sourcing.value, sourcing.currency) == (Decimal("60.00"), "USD")

    def test_buys_of_a_sister_at_the_transfer_price(self) -> None:
        part = make.priced("10")
        other, there = scenes.sister()
        make.stocked(part, 30, node=there, entity=other, unit_value="4")
        scenes.lane(there, make.node(), days=3)
        scenes.offered(part, "6", days=30)

        line = scenes.short(part)

        sold = scenes.told(line)["affiliate"]
        assert (sold["place"], sold["taken"], sold["available"]) == (
            "US02 DC-US02 → DC-A",
            "10",
            "30",
        )
        # leaves DC-US02 on the 24th, three working days, a day's handling over the weekend
        assert (sold["leaves"], sold["date"]) == ("2026-11-30", "2026-12-02")
        # 40 for the lane, 4.20 instead of 6 a piece; nine days late at one per cent of 100
        assert (sold["cost"], sold["score"]) == ("22.00", "31.00")
        assert scenes.told(line)["buy"]["rejected"] == "not_needed"
        sourcing = Sourcing.objects.get()
        assert (sourcing.mode, sourcing.value, sourcing.seller) == (
            "affiliate",
            Decimal("42.00"),
            other,
        )

    def test_says_what_would_have_been_chosen_instead(self) -> None:
        part = make.priced("10")
        other, there = scenes.sister()
        make.stocked(part, 30, node=there, entity=other, unit_value="4")
        scenes.lane(there, make.node(), days=3)
        scenes.offered(part, "6", days=30)

        line = scenes.short(part)

        # 33 days late against a score of 31
        assert scenes.told(line)["buy"]["score"] == "33.00"
        flip = "buy from Acme → DC-A, if it came to 2.01 USD less"
        assert scenes.receipt(line).flip == flip

    def test_takes_what_is_less_late_for_a_customer_who_weighs_more(self) -> None:
        part = make.priced("10")
        other, there = scenes.sister()
        make.stocked(part, 30, node=there, entity=other, unit_value="4")
        scenes.lane(there, make.node(), days=3, cost=Decimal(60))
        scenes.offered(part, "6", days=30)
        make.node()

        plain = make.allocated(make.account(), make.line(part, 10))
        on = make.account(make.customer(tier="A"))
        gold = make.allocated(on, make.line(part, 10))

        chosen = [
            next(each["mode"] for each in scenes.receipt(make.lines_of(order)[0]).candidates)
            for order in (plain, gold)
        ]
        # 51 against 33, and 60 against 66: a day's delay costs twice as much
        assert chosen == ["buy", "affiliate"]

    def test_holds_to_what_is_on_its_way(self) -> None:
        part = make.priced("10")
        scenes.offered(part)
        scenes.inbound(part, "10", make.TODAY + timedelta(days=2))

        line = scenes.short(part)

        told = scenes.told(line)
        assert (told["inbound"]["taken"], told["buy"]["rejected"]) == ("10", "not_needed")
        # comes on Wednesday, leaves on Thursday; five days after it had to leave
        assert (told["inbound"]["leaves"], told["inbound"]["score"]) == ("2026-11-26", "5.00")
        assert not Sourcing.objects.exists()

    def test_moves_it_to_the_node_the_order_must_leave_from(self) -> None:
        part = make.priced("10")
        make.stocked(part, 30, node=make.node("DC-B"))
        scenes.lane(make.node("DC-B"), make.node(), days=1)
        on = make.account()
        insist_customer(
            customer_id=on.customer_id, said={"nodes": ["DC-A"]}, actor=None, now=make.NOW
        )

        line = make.lines_of(make.allocated(on, make.line(part, 10)))[0]

        moved = scenes.told(line)["transfer"]
        assert (moved["place"], moved["taken"]) == ("DC-B → DC-A", "10")
        assert (moved["leaves"], moved["cost"], moved["score"]) == ("2026-11-26", "40.00", "45.00")
        assert Sourcing.objects.get().origin == make.node("DC-B")

    def test_moves_nothing_for_what_may_leave_from_anywhere(self) -> None:
        part = make.priced("10")
        make.stocked(part, 4, node=make.node("DC-B"))
        scenes.lane(make.node("DC-B"), make.node(), days=1)

        line = scenes.short(part)

        assert line.reserved == 4
        assert not Sourcing.objects.exists()

    def test_takes_of_several_and_leaves_the_rest_waiting(self) -> None:
        part = make.priced("10")
        other, there = scenes.sister()
        make.stocked(part, 3, node=there, entity=other, unit_value="4")
        scenes.lane(there, make.node())
        scenes.inbound(part, "5", make.TODAY + timedelta(days=2))

        line = scenes.short(part)

        taken = {mode: each["taken"] for mode, each in scenes.told(line).items()}
        assert taken == {"inbound": "5", "affiliate": "3", "backorder": "2"}
        assert scenes.receipt(line).flip == f"2 more of {part.code} anywhere"

    def test_gives_the_first_in_rank_what_both_want(self) -> None:
        part = make.priced("10")
        other, there = scenes.sister()
        make.stocked(part, 10, node=there, entity=other, unit_value="4")
        scenes.lane(there, make.node())
        plain = make.submitted(make.account(), make.line(part, 10))
        gold = make.submitted(make.account(make.customer(tier="A")), make.line(part, 10))

        allocate_orders(order_ids=[plain.pk, gold.pk], cause="test", now=make.NOW)

        first, second = make.lines_of(gold)[0], make.lines_of(plain)[0]
        assert scenes.told(first)["affiliate"]["taken"] == "10"
        assert scenes.told(second)["affiliate"]["rejected"] == "taken"

    def test_names_what_the_supplier_would_send_itself_though_nobody_does_it(self) -> None:
        part = make.priced("10")
        scenes.offered(part, "6", days=10, drop_ships=True)

        line = scenes.short(part)

        told = scenes.told(line)
        # it need not be handled: a day sooner than through our node
        sent = told["drop_ship"]
        assert (sent["leaves"], sent["place"], sent["score"]) == ("2026-12-03", "Acme", "12.00")
        assert (sent["rejected"], told["buy"]["taken"]) == ("policy", "10")

    def test_buys_of_the_supplier_who_comes_to_least_not_of_the_preferred_one(self) -> None:
        part = make.priced("10")
        scenes.offered(part, "6", days=30)
        quick = scenes.offered(part, "7", days=5, code="QUICK", rank=2)

        line = scenes.short(part)

        # 33 days late; or here on a Saturday, gone on Tuesday, ten days late for one more a piece
        listed = [(each["place"], each["score"]) for each in scenes.receipt(line).candidates]
        assert listed == [("Quick → DC-A", "20.00"), ("Acme → DC-A", "33.00")]
        assert Sourcing.objects.get().supplier_id == quick.pk

    def test_a_supplier_who_does_not_say_so_sends_nothing_itself(self) -> None:
        part = make.priced("10")
        scenes.offered(part)

        assert set(scenes.told(scenes.short(part))) == {"buy"}

    def test_proposes_what_the_supplier_sends_itself_where_the_policy_does(self) -> None:
        part = make.priced("10")
        scenes.offered(part, drop_ships=True)
        scenes.says([{"when": [], "then": scenes.act("propose")}])

        scenes.short(part)

        sourcing = Sourcing.objects.get()
        assert (sourcing.mode, sourcing.node, sourcing.state) == ("drop_ship", None, "proposed")


class TestPolicy:
    def test_what_is_never_done_is_named_and_the_next_is_chosen(self) -> None:
        part = make.priced("10")
        other, there = scenes.sister()
        make.stocked(part, 30, node=there, entity=other, unit_value="4")
        scenes.lane(there, make.node(), days=3)
        scenes.offered(part, "6", days=30)
        scenes.says([{"when": [["mode", "=", "affiliate"]], "then": scenes.act("never")},
                     {"when": [], "then": scenes.act("propose")}])  # fmt: skip

        line = scenes.short(part)

        told = scenes.told(line)
        assert (told["affiliate"]["rejected"], told["affiliate"]["taken"]) == ("policy", "0")
        assert told["buy"]["taken"] == "10"
        assert scenes.receipt(line).flip.endswith("if the policy allowed it")
        assert Sourcing.objects.get().mode == "buy"

    def test_a_company_that_may_not_sell_is_no_candidate_and_not_seen(self) -> None:
        part = make.priced("10")
        other, there = scenes.sister()
        make.stocked(part, 30, node=there, entity=other, unit_value="4")
        scenes.lane(there, make.node(), days=3)
        scenes.offered(part, "6", days=30)
        scenes.weighs([{"when": [["seller", "=", "US02"]], "then": scenes.weights(may_sell=False)},
                       {"when": [], "then": scenes.weights()}])  # fmt: skip

        line = scenes.short(part)

        assert set(scenes.told(line)) == {"buy"}
        assert "US02" not in str(scenes.receipt(line).candidates)

    def test_without_a_lane_a_sister_is_no_candidate(self) -> None:
        part = make.priced("10")
        other, there = scenes.sister()
        make.stocked(part, 30, node=there, entity=other)
        scenes.offered(part)

        assert set(scenes.told(scenes.short(part))) == {"buy"}

    def test_what_costs_more_than_waiting_is_passed_over(self) -> None:
        part = make.priced("10")
        scenes.offered(part, "6", days=30)
        scenes.weighs([{"when": [], "then": scenes.weights(wait_days=20)}])

        line = scenes.short(part)

        told = scenes.told(line)
        assert told["buy"]["rejected"] == "not_worth_it"
        assert told["backorder"]["taken"] == "10"


class TestUnpriced:
    def test_names_a_sister_whose_currency_nobody_can_convert(self) -> None:
        part = make.priced("10")
        other = make.company("DE01", "EUR")
        there = make.node("DC-DE", entity=other)
        make.stocked(part, 30, node=there, entity=other)
        scenes.lane(there, make.node())

        line = scenes.short(part)

        assert scenes.told(line)["affiliate"]["rejected"] == "unpriced"

    def test_converts_at_the_rate_of_the_day(self) -> None:
        part = make.priced("10")
        other = make.company("DE01", "EUR")
        there = make.node("DC-DE", entity=other)
        make.stocked(part, 30, node=there, entity=other, unit_value="4")
        scenes.lane(there, make.node())
        save_rates(rates=[RateRow("EUR", "USD", make.TODAY, Decimal("1.5"))])

        line = scenes.short(part)

        # ten at 4 and five per cent, in dollars
        assert Sourcing.objects.get(demand_id=line.pk).value == Decimal("63.00")


class TestTogether:
    def test_says_nothing_where_nothing_is_short(self) -> None:
        part = make.priced("10")
        make.stocked(part, 10)
        scenes.offered(part)

        scenes.short(part)

        assert not SourcingDecision.objects.exists()

    def test_keeps_its_proposal_when_it_is_looked_at_again(self) -> None:
        part = make.priced("10")
        scenes.offered(part)
        line = scenes.short(part)
        before = Sourcing.objects.values().get()
        said = Message.objects.count(), AuditEntry.objects.count()

        allocate_orders(order_ids=[line.order_id], cause="test", now=make.NOW)

        assert Sourcing.objects.values().get() == before
        assert (Message.objects.count(), AuditEntry.objects.count()) == said
        assert SourcingDecision.objects.count() == 2

    def test_withdraws_a_proposal_that_is_not_the_best_any_more(self) -> None:
        part = make.priced("10")
        scenes.offered(part, days=30)
        line = scenes.short(part)
        scenes.inbound(part, "10", make.TODAY + timedelta(days=2))

        allocate_orders(order_ids=[line.order_id], cause="test", now=make.NOW)

        sourcing = Sourcing.objects.get()
        assert (sourcing.state, sourcing.ended_at) == ("withdrawn", make.NOW)

    def test_fifty_lines_need_no_more_statements_than_one(self) -> None:
        parts = [make.priced("10") for _ in range(50)]
        other, there = scenes.sister()
        scenes.lane(there, make.node())
        for part in parts:
            make.stocked(part, 30, node=there, entity=other)
            scenes.offered(part)
        on = make.account(limit="10000000")
        alone = make.submitted(on, make.line(parts[0]))
        many = [make.submitted(on, make.line(part)) for part in parts]

        with CaptureQueriesContext(connection) as one:
            allocate_orders(order_ids=[alone.pk], cause="test", now=make.NOW)
        with CaptureQueriesContext(connection) as fifty:
            allocate_orders(order_ids=[each.pk for each in many], cause="test", now=make.NOW)

        assert Sourcing.objects.count() == 51
        assert len(fifty) <= len(one)


class TestShares:
    """What the first plan gave of a share is used up when ways from elsewhere are weighed."""

    def coming(self, part: Product) -> None:
        scenes.inbound(part, "20", make.TODAY + timedelta(days=4))

    def test_who_had_all_of_their_cap_gets_no_more_from_elsewhere(self) -> None:
        part = make.priced("10")
        make.stocked(part, 5)
        self.coming(part)
        segment("top")
        kept(part, "top", cap=Decimal(5))
        on = make.account(make.customer("GOLD"))
        assigned("customer", "GOLD", "top")

        (line,) = make.lines_of(make.allocated(on, make.line(part, "10")))

        assert (line.reserved, line.waiting) == (5, 5)
        inbound = scenes.told(line)["inbound"]
        assert (inbound["taken"], inbound["rejected"]) == ("0", "protected")

    def test_a_floor_that_was_used_up_is_kept_for_nobody_any_more(self) -> None:
        part = make.priced("10")
        make.stocked(part, 5)
        self.coming(part)
        segment("top")
        kept(part, "top", 15)
        gold = make.account(make.customer("GOLD", tier="A"))
        assigned("customer", "GOLD", "top")
        first = make.submitted(gold, make.line(part, "5"))
        plain = make.submitted(make.account(), make.line(part, "30"))

        allocate_orders(order_ids=[first.pk, plain.pk], cause="test", now=make.NOW)

        assert make.lines_of(first)[0].reserved == 5
        (line,) = make.lines_of(plain)
        inbound = scenes.told(line)["inbound"]  # 20 come, 10 of the 15 are still kept
        assert (line.reserved, inbound["taken"]) == (0, "10")
