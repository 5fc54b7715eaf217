"""orders/services/_exporting.py and _checking/_compliance.py: restriction, exception, licence."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from erp.governance.models import DecisionRecord
from inventory.models import Product
from orders.models import CreditAccount, ExportLicence, Hold, LicenceUse
from orders.services import (
    LineCancel,
    cancel_lines,
    cancel_order,
    lift_hold,
    place_hold,
    submit_orders,
)
from tests.orders import compliance as law
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def abroad(country: str = "AE", **values: object) -> CreditAccount:
    return make.account(make.customer(country=country, **values))


def radio(price: str = "10", **values: object) -> Product:
    return make.priced(price, export_code="5A002", **values)


def left(of: ExportLicence) -> tuple[Decimal, Decimal]:
    found = ExportLicence.objects.get(pk=of.pk)
    return found.quantity_used, found.value_used


class TestRestriction:
    def test_lets_go_what_no_rule_touches(self) -> None:
        law.restriction(coverage="export_code", coverage_value="5A", ship_to=("AE",))

        plain = make.submitted(abroad(), make.line(make.priced()))
        home = make.submitted(abroad("US"), make.line(radio()))

        assert (plain.state, home.state) == ("released", "released")
        assert not DecisionRecord.objects.filter(
            version__policy__code="orders.release.compliance"
        ).exists()

    def test_holds_a_line_without_exception_and_says_which_rule(self) -> None:
        law.restriction(code="EAR-5A", coverage="export_code", coverage_value="5A", ship_to=("AE",))

        order = make.submitted(
            abroad("United Arab Emirates"), make.line(make.priced()), make.line(radio())
        )

        hold = Hold.objects.get(order=order)
        assert (order.state, hold.kind, hold.owner_role) == ("held", "compliance", "controller")
        assert hold.facts["receipt"] == [
            {
                "line": 2,
                "product": hold.facts["receipt"][0]["product"],
                "outcome": "no_exception",
                "restriction": "EAR-5A",
                "exception": "",
                "licence": "",
                "missing": "EAR-5A (EAR): no exception matches.",
            }
        ]
        assert "EAR-5A" in hold.reason
        kept = DecisionRecord.objects.get(version__policy__code="orders.release.compliance")
        assert kept.inputs["without_exception"] in (1, "1")

    def test_an_exception_of_the_jurisdiction_lifts_it(self) -> None:
        law.restriction(ship_to=("AE",))
        law.exception(jurisdiction="EU")
        other = make.submitted(abroad(), make.line(radio()))
        law.exception(code="TSR", customer_id=other.customer_id)

        again = make.submitted(abroad(), make.line(radio()))

        assert Hold.objects.get(order=other).state == "lifted"
        assert again.state == "held"

    def test_every_restriction_needs_its_own_exception(self) -> None:
        law.restriction(code="A", ship_to=("AE",))
        law.restriction(code="B", jurisdiction="EU")
        law.exception()

        order = make.submitted(abroad(), make.line(radio()))

        receipt = Hold.objects.get(order=order).facts["receipt"]
        assert [(each["restriction"], each["outcome"]) for each in receipt] == [
            ("A", "excepted"),
            ("B", "no_exception"),
        ]

    def test_no_exception_helps_against_an_embargo(self) -> None:
        law.restriction(ship_to=("IR",), is_embargo=True)
        law.exception()

        order = make.submitted(abroad("Iran"), make.line(make.priced()))

        assert Hold.objects.get(order=order).reason.startswith("The destination is under an emb")

    def test_de_minimis_is_exceeded_only_above_it(self) -> None:
        law.restriction(de_minimis=Decimal("0.25"))
        on = abroad()

        at = make.submitted(on, make.line(radio(controlled_share=Decimal("0.25"))))
        above = make.submitted(on, make.line(radio(controlled_share=Decimal("0.250001"))))

        assert (at.state, above.state) == ("released", "held")

    def test_looks_at_the_end_use_that_the_customer_has_certified(self) -> None:
        law.restriction(purposes=("military", "undeclared"))
        civil, military, silent = abroad(), abroad(), abroad()
        law.certificate(civil.customer_id, "end_use", purpose="civil")
        law.certificate(military.customer_id, "end_use", purpose="military")

        states = [make.submitted(on, make.line(radio())).state for on in (civil, military, silent)]

        assert states == ["released", "held", "held"]

    def test_a_country_that_cannot_be_read_is_held_where_countries_matter(self) -> None:
        before = make.submitted(abroad("Erewhon"), make.line(radio()))
        law.restriction(ship_to=("IR",), is_embargo=True)

        after = make.submitted(abroad("Erewhon"), make.line(radio()))

        assert (before.state, after.state) == ("released", "held")
        assert "Erewhon" in Hold.objects.get(order=after).reason

    def test_holds_by_its_dates_the_last_day_excluded(self) -> None:
        law.restriction(code="GONE", valid_until=make.TODAY)

        assert make.submitted(abroad(), make.line(radio())).state == "released"

        law.restriction(code="GONE", valid_until=make.TODAY + timedelta(days=1))
        assert make.submitted(abroad(), make.line(radio())).state == "held"


class TestCertificates:
    def test_dangerous_goods_need_the_certificate_of_their_class(self) -> None:
        acid = make.priced(hazmat_class="8")
        on = abroad("US")
        law.certificate(on.customer_id, hazmat_classes=("3",))
        order = make.submitted(on, make.line(acid))
        assert "class 8" in Hold.objects.get(order=order).reason

        law.certificate(on.customer_id, hazmat_classes=("3", "8"))

        assert Hold.objects.get(order=order).state == "lifted"
        assert make.submitted(on, make.line(acid)).state == "released"

    def test_one_that_ends_today_counts_no_more(self) -> None:
        on, drug = abroad("US"), make.priced(licence_required=True)
        law.certificate(on.customer_id, "licence", number="K", valid_until=make.TODAY)
        held = make.submitted(on, make.line(drug))

        tomorrow = make.TODAY + timedelta(days=1)
        law.certificate(on.customer_id, "licence", number="K", valid_until=tomorrow)

        assert Hold.objects.get(order=held).lift_reason == "licence K came"
        assert make.submitted(on, make.line(drug)).state == "released"


class TestLicence:
    @pytest.fixture(autouse=True)
    def _rules(self, db: None) -> None:
        law.restriction(ship_to=("AE",))
        law.exception(needs_licence=True)

    def test_what_is_released_is_taken_off_it(self) -> None:
        paper = law.licence(quantity_max="10", value_max="100")

        order = make.submitted(abroad(), make.line(radio("10"), 4))

        assert order.state == "released"
        assert left(paper) == (4, 40)
        use = LicenceUse.objects.get()
        assert (use.quantity, use.value, use.line.order_id) == (4, 40, order.pk)

    def test_what_uses_it_up_exactly_passes_and_a_thousandth_more_does_not(self) -> None:
        paper = law.licence(quantity_max="10")
        on, part = abroad(), radio("1")

        much = make.submitted(on, make.line(part, "10.001"))
        exact = make.submitted(on, make.line(part, "10"))

        assert (much.state, exact.state) == ("held", "released")
        assert "10 of 10.001 units" in Hold.objects.get(order=much).reason
        assert left(paper)[0] == 10

    def test_the_value_is_a_bound_of_its_own(self) -> None:
        paper = law.licence(value_max="99.99")

        order = make.submitted(abroad(), make.line(radio("10"), 10))

        assert order.state == "held"
        assert left(paper) == (0, 0)

    @pytest.mark.parametrize(
        "other",
        [
            {"export_code": "5B"},
            {"ship_to": ("SA",)},
            {"jurisdiction": "EU"},
            {"currency": "EUR"},
            {"valid_from": date(2026, 11, 24)},
            {"valid_until": date(2026, 11, 23)},
        ],
    )
    def test_one_for_something_else_does_not_help(self, other: dict[str, object]) -> None:
        paper = law.licence(quantity_max="10", **other)

        order = make.submitted(abroad(), make.line(radio()))

        assert "no licence is valid" in Hold.objects.get(order=order).reason
        assert left(paper) == (0, 0)

    def test_a_customer_s_licence_helps_nobody_else(self) -> None:
        mine, yours = abroad(), abroad()
        law.licence(customer_id=mine.customer_id)

        assert make.submitted(mine, make.line(radio())).state == "released"
        assert make.submitted(yours, make.line(radio())).state == "held"

    def test_the_one_that_ends_first_is_used_first(self) -> None:
        late, soon = (
            law.licence(quantity_max="5", valid_until=make.TODAY + timedelta(days=days))
            for days in (90, 30)
        )

        make.submitted(abroad(), make.line(radio(), 3))

        assert (left(late)[0], left(soon)[0]) == (0, 3)

    def test_in_one_batch_orders_take_it_in_turn(self) -> None:
        paper, on, part = law.licence(quantity_max="10"), abroad(), radio("1")
        ids = [make.created(on, make.line(part, n)).pk for n in (6, 5, 4)]
        found = submit_orders(order_ids=ids, actor=None, now=make.NOW)

        assert [each.state for each in found] == ["released", "held", "released"]
        assert left(paper)[0] == 10

    def test_cancelling_gives_it_back(self) -> None:
        paper = law.licence(quantity_max="10", value_max="1000")
        order = make.submitted(abroad(), make.line(radio("10"), 4))
        line = make.lines_of(order)[0]

        cancel_lines(
            order_id=order.pk,
            lines=[LineCancel(line.pk, Decimal(1))],
            actor=None,
            reason="less",
            now=make.NOW,
        )
        assert left(paper) == (3, 30)

        cancel_order(order_id=order.pk, actor=None, reason="all", now=make.NOW)
        assert left(paper) == (0, 0)
        assert LicenceUse.objects.get().quantity == 0

    def test_what_is_given_back_helps_whoever_waits(self) -> None:
        law.licence(quantity_max="10")
        on, part = abroad(), radio("1")
        first = make.submitted(on, make.line(part, 8))
        second = make.submitted(on, make.line(part, 8))
        assert second.state == "held"

        cancel_order(order_id=first.pk, actor=None, reason="no", now=make.NOW)
        law.licence(number="L-1", quantity_max="1")  # anything that has it asked again

        assert Hold.objects.get(order=second).state == "lifted"

    def test_a_hold_by_hand_gives_it_back_and_lifting_takes_it_again(self) -> None:
        paper, clerk = law.licence(quantity_max="10"), make.person("lead", "operations_lead")
        order = make.submitted(abroad(), make.line(radio("1"), 8))

        place_hold(order_id=order.pk, reason="wait", actor=clerk, now=make.NOW)
        assert left(paper)[0] == 0
        hold = Hold.objects.get(order=order)
        lift_hold(hold_id=hold.pk, actor=clerk, reason="go", now=make.NOW)

        assert left(paper)[0] == 8

    def test_is_asked_again_when_another_hold_is_lifted(self) -> None:
        paper, clerk = law.licence(quantity_max="10"), make.person("lead", "operations_lead")
        on, part = abroad(), radio("1")
        first = make.submitted(on, make.line(part, 8))
        place_hold(order_id=first.pk, reason="wait", actor=clerk, now=make.NOW)
        make.submitted(on, make.line(part, 5))

        hold = Hold.objects.get(order=first)
        after = lift_hold(hold_id=hold.pk, actor=clerk, reason="go", now=make.NOW)

        assert after.state == "held"
        assert Hold.objects.get(order=first, state="active").kind == "compliance"
        assert left(paper)[0] == 5

    def test_its_owner_may_let_an_order_go_without(self) -> None:
        paper, boss = law.licence(quantity_max="1"), make.person("boss", "controller")
        order = make.submitted(abroad(), make.line(radio(), 2))

        after = lift_hold(
            hold_id=Hold.objects.get(order=order).pk, actor=boss, reason="leave", now=make.NOW
        )

        assert after.state == "released"
        assert left(paper) == (0, 0)
