"""orders/views: the pages."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from erp.accounts.models import Role, User
from inventory.models import Product
from orders import permissions
from orders.models import CreditAccount, Customer, CustomerProduct, Hold, Order
from tests.conftest import grant
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
ALL = [
    permissions.VIEW,
    permissions.SUBMIT,
    permissions.CANCEL,
    permissions.ALLOCATE,
    permissions.RELEASE,
    permissions.VIEW_CUSTOMER,
    permissions.CHANGE_CUSTOMER,
    permissions.CHANGE_LIMIT,
]


@pytest.fixture
def desk(clerk: User) -> User:
    for permission in ALL:
        grant(clerk, permission, make.company())
    return clerk


@pytest.fixture
def page(desk: User, client: Client) -> Client:
    client.force_login(desk)
    return client


def typed(**values: object) -> dict:
    make.account(make.customer("ACME"))
    make.priced("10", "HX-110")
    return {
        "entity": "US01",
        "customer": "ACME",
        "client_key": "k-1",
        "product": ["hx-110", "", ""],
        "quantity": ["3", "", ""],
        "uom": ["", "", ""],
        "price": ["", "", ""],
        "discount": ["", "", ""],
        "then": "draft",
    } | values


class TestBoard:
    def test_shows_filters_searches_and_pages(self, page: Client) -> None:
        on, part = make.account(make.customer("ACME")), make.priced()
        draft = make.created(on, make.line(part))
        released = make.submitted(on, make.line(part))

        everything = page.get(reverse("orders:board")).content.decode()
        drafts = page.get(reverse("orders:board"), {"stage": "draft"}).content.decode()
        found = page.get(reverse("orders:board"), {"q": released.number}).content.decode()
        late = page.get(reverse("orders:board"), {"view": "late", "sort": "total"})

        assert draft.number in everything
        assert released.number in everything
        assert released.number not in drafts
        assert draft.number not in found
        assert late.status_code == 200

    def test_submits_what_is_ticked(self, page, desk) -> None:
        on, part = make.account(), make.priced()
        ids = [make.created(on, make.line(part)).pk for _ in range(2)]

        answer = page.post(reverse("orders:submit_many"), {"id": [*ids, "x", "0"]})

        assert answer.status_code == 302
        assert not Order.objects.filter(released_at=None).exists()

    def test_hides_other_entities_and_asks_who_it_is(self, page, client) -> None:
        there = make.company("US02")
        order = make.created(make.account(entity=there), make.line(make.priced(entity=there)))

        assert order.number not in page.get(reverse("orders:board")).content.decode()
        assert page.get(reverse("orders:page", args=[order.number])).status_code == 404
        assert Client().get(reverse("orders:board")).status_code == 302


class TestOrderPage:
    @pytest.mark.parametrize("state", ["created", "submitted", "allocated", "picked"])
    def test_shows_each_state(self, page, state) -> None:
        part = make.priced()
        make.stocked(part, 2)
        order = getattr(make, state)(make.account(), make.line(part, 3))

        answer = page.get(reverse("orders:page", args=[order.number]))

        assert answer.status_code == 200
        assert order.number in answer.content.decode()

    def test_leads_to_the_next_action_and_through_it(self, page) -> None:
        part = make.priced()
        make.stocked(part, 2)
        order = make.created(make.account(), make.line(part, 3))
        at = reverse("orders:page", args=[order.number])

        assert (
            'action="' + reverse("orders:submit", args=[order.number])
            in page.get(at).content.decode()
        )
        page.post(reverse("orders:submit", args=[order.number]))
        page.post(reverse("orders:allocate", args=[order.number]))
        shown = page.get(at).content.decode()

        assert Order.objects.get().state == "partly_allocated"
        assert "Why line 1 got 2 of 3" in shown
        page.post(reverse("orders:cancel", args=[order.number]), {"reason": "x"})
        assert Order.objects.get().state == "cancelled"
        assert page.get(at).status_code == 200

    def test_offers_a_hold_to_its_owner_only(self, page, desk, client) -> None:
        order = make.submitted(make.account(limit="1"), make.line(make.priced()), actor=desk)
        hold = Hold.objects.get()
        lift = reverse("orders:lift", args=[order.number, hold.pk])
        at = reverse("orders:page", args=[order.number])
        Group.objects.get_or_create(name=Role.CREDIT)
        mira = make.person("mira", Role.CREDIT)
        grant(mira, permissions.VIEW, make.company())

        assert lift not in page.get(at).content.decode()
        assert page.post(lift, {"reason": "mine"}).status_code == 409
        client.force_login(mira)
        assert lift in client.get(at).content.decode()
        assert client.post(lift, {"reason": "They pay"}).status_code == 302
        assert Order.objects.get().state == "released"

    def test_puts_on_hold(self, page) -> None:
        order = make.submitted(make.account(), make.line(make.priced()))

        page.post(reverse("orders:hold", args=[order.number]), {"reason": "Wait"})

        assert Order.objects.get().state == "held"


class TestEntry:
    def test_shows_an_empty_form(self, page) -> None:
        answer = page.get(reverse("orders:new"), {"customer": "ACME"})

        assert answer.status_code == 200
        assert 'value="ACME"' in answer.content.decode()

    def test_takes_and_submits_what_was_typed(self, page, desk) -> None:
        answer = page.post(reverse("orders:new"), typed(then="submit", customer_po="PO-7"))

        order = Order.objects.get()
        assert answer.status_code == 302
        assert answer["Location"] == reverse("orders:page", args=[order.number])
        assert (order.released_at is not None, order.created_by) == (True, desk)
        assert (order.customer_po, order.total, order.channel) == ("PO-7", 30, "page")

    def test_takes_one_order_of_a_form_sent_twice(self, page) -> None:
        asked = typed()

        first = page.post(reverse("orders:new"), asked)
        second = page.post(reverse("orders:new"), asked)

        assert first["Location"] == second["Location"]
        assert Order.objects.count() == 1

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"product": ["NOPE", "", ""]}, "There is no such product."),
            ({"quantity": ["", "", ""]}, "How many?"),
            ({"quantity": ["NaN", "", ""]}, "Write a number such as 12.5."),
            ({"quantity": ["-3", "", ""]}, "A quantity is above zero"),
            ({"uom": ["PAL", "", ""]}, "HX-110 is not sold in PAL."),
            ({"price": ["1e5", "", ""]}, "Write a number such as 12.5."),
            ({"discount": ["101", "", ""]}, "A discount is a share from 0 to 1."),
            ({"customer": "NOBODY"}, "The customer has no account with this entity."),
            ({"freight": "-1"}, "Ensure this value is greater than or equal to 0."),
            ({"ship_to": "NOPE"}, "The customer has no such address."),
            ({"product": ["", "", ""], "quantity": ["", "", ""]}, "Add at least one line."),
        ],
    )
    def test_says_beside_the_field_what_is_wrong_and_keeps_the_rest(
        self, page, change, said
    ) -> None:
        answer = page.post(reverse("orders:new"), typed(customer_po="PO-7", **change))

        shown = answer.content.decode()
        assert answer.status_code == 422
        assert said in shown
        assert 'value="PO-7"' in shown
        assert 'value="k-1"' in shown
        assert not Order.objects.exists()

    def test_reads_what_is_pasted_and_uploaded(self, page) -> None:
        make.priced("2", "HX-220")
        upload = SimpleUploadedFile("l.csv", b"SKU,Qty\nHX-220,5\n")

        page.post(reverse("orders:new"), typed(pasted="HX-110\t2\n", file=upload))

        lines = make.lines_of(Order.objects.get())
        assert [(line.product.code, line.quantity) for line in lines] == [
            ("HX-110", 3),
            ("HX-110", 2),
            ("HX-220", 5),
        ]

    def test_takes_thousands_of_pasted_lines(self, page) -> None:
        answer = page.post(
            reverse("orders:new"), typed(product="", quantity="", pasted="HX-110\t1\n" * 5_000)
        )

        assert answer.status_code == 302
        assert len(make.lines_of(Order.objects.get())) == 5_000

    def test_keeps_thousands_of_pasted_lines_when_one_is_wrong(self, page) -> None:
        pasted = "HX-110\t1\n" * 500 + "NOPE\t1\n"

        answer = page.post(reverse("orders:new"), typed(product="", quantity="", pasted=pasted))

        shown = answer.content.decode()
        assert answer.status_code == 422
        assert "Line 501: There is no such product." in shown
        assert shown.count("HX-110") >= 500

    def test_rewrites_a_draft(self, page) -> None:
        page.post(reverse("orders:new"), typed())
        order = Order.objects.get()
        at = reverse("orders:edit", args=[order.number])
        shown = page.get(at).content.decode()

        change = {"entity": "US01", "customer": "ACME", "product": "HX-110", "quantity": "9"}
        answer = page.post(at, change | {"then": "draft"})

        assert 'value="HX-110"' in shown
        assert answer.status_code == 302
        after = Order.objects.get()
        assert (after.total, after.ship_to) == (90, order.ship_to)

    def test_answers_while_one_types(self, page) -> None:
        typed()
        make.stocked(make.product("HX-110"), 7)
        who = {"entity": "US01", "customer": "acme"}

        customers = page.get(reverse("orders:customer_hits"), who).content.decode()
        products = page.get(
            reverse("orders:product_hits"), who | {"customer": "ACME", "product": "hx"}
        ).content.decode()
        row = {"customer": "ACME", "product": ["HX-110", "", "NOPE"], "quantity": ["9", "", "1"]}
        live = page.post(reverse("orders:preview"), who | row).content.decode()
        elsewhere = page.get(reverse("orders:product_hits"), {"entity": "X", "product": "hx"})

        assert "ACME" in customers
        assert "7 EA" in products
        assert "$10.00" in products
        assert "2 not in stock" in live
        assert 'data-place="0"' in live
        assert 'data-place="2"' in live
        assert "There is no such product." in live
        assert elsewhere.status_code == 200

    def test_sums_up_before_saving(self, page) -> None:
        asked = typed()

        sums = page.post(reverse("orders:preview"), asked).content.decode()
        CreditAccount.objects.update(credit_limit=1)
        over = page.post(reverse("orders:preview"), asked).content.decode()
        bad = page.post(reverse("orders:preview"), asked | {"quantity": ["x", "", ""]})

        assert "$30.00" in sums
        assert "over the limit" in over
        assert "1 line is not complete." in bad.content.decode()
        assert not Order.objects.exists()

    def test_shows_the_price_its_source_and_the_next_break(self, page) -> None:
        typed()
        part, mine = Product.objects.get(code="HX-110"), Customer.objects.get(code="ACME")
        make.listed(part, "9", customer_id=mine.pk)
        make.listed(part, "8", customer_id=mine.pk, min_quantity=Decimal(21))
        make.promotion("GIFT", "free", buy_quantity=Decimal(5), free_quantity=Decimal(1))
        CustomerProduct.objects.create(customer=mine, product=part, code="THEIR-1")
        asked = {"entity": "US01", "customer": "ACME", "product": "their-1", "quantity": "9"}

        live = page.post(reverse("orders:preview"), asked).content.decode()

        assert "$9.00 contract" in live
        assert "12 more: $8.00" in live
        assert "contract, not list 10" in live
        assert "GIFT" not in live  # a contract takes no promotion

    def test_asks_as_much_for_two_hundred_rows_as_for_two(self, page) -> None:
        typed()
        counted = []
        for rows in (2, 200):
            asked = {
                "entity": "US01",
                "customer": "ACME",
                "product": ["HX-110"] * rows,
                "quantity": [str(n + 1) for n in range(rows)],
            }
            with CaptureQueriesContext(connection) as told:
                live = page.post(reverse("orders:preview"), asked).content.decode()
            counted.append(len(told))
            assert live.count("data-place") == rows

        assert counted[1] <= counted[0]

    def test_shows_no_cost_to_who_may_not_see_it(self, page) -> None:
        typed()
        make.stocked(make.product("HX-110"), 7, unit_value="6.54")
        asked = {"entity": "US01", "customer": "ACME", "product": "HX-110", "quantity": "9"}

        live = page.post(reverse("orders:preview"), asked).content.decode()

        assert "6.54" not in live

    def test_reads_pasted_lines_into_rows(self, page) -> None:
        answer = page.post(reverse("orders:read_pasted"), {"pasted": "A-1\t5\tCASE\nB-2;3"})
        many = page.post(reverse("orders:read_pasted"), {"pasted": "A-1\t5\n" * 401})

        assert answer.content.decode().count("<tr") == 2
        assert 'value="CASE"' in answer.content.decode()
        assert "401 lines stay in the box" in many.content.decode()


class TestCustomers:
    def test_are_listed_and_shown(self, page) -> None:
        on = make.account(make.customer("ACME"))
        order = make.created(on, make.line(make.priced()))

        listed = page.get(reverse("orders:customers"), {"q": "acme"}).content.decode()
        shown = page.get(reverse("orders:customer", args=["ACME"])).content.decode()

        assert "ACME" in listed
        assert order.number in shown
        assert page.get(reverse("orders:customer", args=["NOPE"])).status_code == 404

    def test_are_added(self, page) -> None:
        asked = {"code": "NEW", "name": "New", "entity": "US01", "tier": "B", "terms_days": "14"}

        page.post(reverse("orders:new_customer"), asked)
        again = page.post(reverse("orders:new_customer"), asked)

        made = Customer.objects.get()
        assert (made.tier, made.accounts.get().terms_days) == ("B", 14)
        assert again.status_code == 422
        assert "There is a customer of that code." in again.content.decode()

    def test_are_stopped_and_let_go_on(self, page) -> None:
        on = make.account(make.customer("ACME"))
        at = reverse("orders:hold_customer", args=["ACME"]) + f"?account={on.pk}"

        page.post(at, {"reason": "Bounced"})
        assert CreditAccount.objects.get().on_hold
        assert page.get(reverse("orders:customer", args=["ACME"])).status_code == 200
        page.post(at, {"reason": "Paid"})

        assert not CreditAccount.objects.get().on_hold
        wrong = reverse("orders:hold_customer", args=["ACME"]) + "?account=0"
        assert page.post(wrong, {"reason": "x"}).status_code == 404


class TestAllocation:
    def test_shows_what_waits_and_allocates_it(self, page) -> None:
        part = make.priced(code="HX-110")
        order = make.submitted(make.account(), make.line(part, 2))
        make.stocked(part, 5)

        shown = page.get(reverse("orders:allocation")).content.decode()
        page.post(reverse("orders:allocate_now"))

        assert order.number in shown
        assert Order.objects.get().state == "allocated"
        assert page.get(reverse("orders:allocation")).status_code == 200

    def test_shows_who_waits_for_one_product(self, page) -> None:
        part, other = make.priced(code="HX-110"), make.priced(code="HX-111")
        order = make.allocated(make.account(), make.line(part, 2))
        elsewhere = make.allocated(make.account(), make.line(other, 2))

        at = reverse("orders:waiting_of_product", args=["HX-110"])
        shown = page.get(at).content.decode()

        assert order.number in shown
        assert elsewhere.number not in shown
        assert page.get("/orders/waiting/%00/").status_code == 200
