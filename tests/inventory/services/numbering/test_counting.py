"""inventory/services/numbering/_counting.py: counts by scanning, found and missing by name"""

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erp.kernel.errors import DomainError
from inventory.models import Count, Product, Serial, Stock
from inventory.selectors import CountPage, count_page
from inventory.services import NotThatMuch, StockAdjustment, adjust_stock
from inventory.services.counting import (
    Counted,
    close_count,
    plan_count,
    record_counts,
    submit_count,
)
from inventory.services.numbering import BadSerial, SerialsNeeded
from tests.inventory.factories import (
    NOW,
    bin_of,
    company,
    demand,
    lying,
    node,
    planned,
    product,
    put,
    stocked,
)
from tests.inventory.services.binning.test_moving import checked
from tests.inventory.services.numbering.test_carrying import adjust, broken, drill, story, there
from tests.inventory.services.numbering.test_picking import NAMES, STEPS, Floor, pick, ship
from tests.inventory.services.test_allocating_together import at_once

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


def sheet() -> Count:
    return plan_count(entity_id=company().pk, node_id=node().pk, actor=None, now=NOW)


def found_page(count: Count) -> CountPage:
    page = count_page(number=count.number, entity_ids={count.entity_id})
    assert page is not None
    return page


def scan(
    count: Count,
    goods: Product,
    *numbers: str,
    quantity: int | None = None,
    status: str = "available",
) -> None:
    line = count.lines.get(stock__product=goods, stock__status=status)
    wanted = Decimal(len(numbers) if quantity is None else quantity)
    with transaction.atomic():
        record_counts(
            count_id=count.pk,
            counted=[Counted(line.pk, wanted, (), numbers)],
            actor=None,
            at=LATER,
            now=LATER,
        )


def differs(count: Count) -> tuple[list[str], list[str], Decimal]:
    line = count.lines.get()
    return line.missing, line.found, line.counted - line.expected


def posted(count: Count) -> None:
    Count.objects.filter(pk=count.pk).update(state="approved", approved_at=LATER)
    _, corrections = close_count(count_id=count.pk, actor=None, now=LATER)
    adjust_stock(adjustments=corrections, kind="adjustment", actor=None, now=LATER)


def later(goods: Product, quantity: int, number: str) -> None:
    """Bring a piece in or take it off after the count."""
    correction = StockAdjustment(
        entity_id=company().pk,
        node_id=node().pk,
        product_id=goods.pk,
        quantity=Decimal(quantity),
        reason="Looked again",
        serials=[number],
    )
    now = LATER + timedelta(minutes=5)
    adjust_stock(adjustments=[correction], kind="adjustment", actor=None, now=now)


class TestCompareSerials:
    def test_names_what_is_missing_and_what_was_found(self) -> None:
        goods = drill()
        stock = stocked(goods, 3, serials=["A", "B", "C"])
        count = sheet()

        scan(count, goods, "A", "X", "C")
        assert differs(count) == (["B"], ["X"], 0)
        posted(count)

        checked()
        assert there(stock) == ["A", "C", "X"]
        assert story("B") == ["opening", "adjustment"]
        assert not broken()

    def test_what_agrees_changes_nothing(self) -> None:
        goods = drill()
        stock = stocked(goods, 2, serials=["A", "B"])
        count = sheet()

        scan(count, goods, "B", "A")
        assert differs(count) == ([], [], 0)
        submit_count(count_id=count.pk, actor=None, now=LATER)

        assert Count.objects.get(pk=count.pk).state == "approved"
        assert there(stock) == ["A", "B"]

    def test_what_stands_picked_is_neither_missing_nor_found(self) -> None:
        goods = drill()
        stocked(goods, 3, serials=["A", "B", "C"])
        pick(planned([demand(goods, 1)])[0].id, "A")
        count = sheet()

        scan(count, goods, "B", "C")
        assert differs(count) == ([], [], 0)
        scan(count, goods, "A", "B")

        assert differs(count) == (["C"], [], -1)

    def test_what_was_written_off_turns_up(self) -> None:
        goods = drill()
        stock = stocked(goods, 2, serials=["A", "B"])
        adjust(goods, -1, "A")
        count = sheet()

        scan(count, goods, "A", "B")
        posted(count)

        checked()
        assert there(stock) == ["A", "B"]
        assert story("A") == ["opening", "adjustment", "adjustment"]
        assert not broken()

    def test_what_lies_elsewhere_by_the_books_is_shown_and_not_posted(self) -> None:
        goods = drill()
        here = stocked(goods, 1, serials=["A"])
        there_ = stocked(goods, 1, serials=["B"], node=node("DC-B"))
        count = sheet()

        scan(count, goods, "A", "B")
        (line,) = found_page(count).lines
        (piece,) = line.found
        assert (piece.number, piece.state, piece.lies_at) == ("B", "elsewhere", "DC-B (available)")
        assert found_page(count).misplaced == 1
        with pytest.raises(BadSerial, match="lies at DC-B"), transaction.atomic():
            posted(count)

        assert (there(here), there(there_)) == (["A"], ["B"])
        assert Count.objects.get(pk=count.pk).posted_at is None

    def test_what_is_missing_there_is_found_here_in_one_posting(self) -> None:
        goods = drill()
        shelf = stocked(goods, 1, serials=["A"])
        apart = stocked(goods, 1, serials=["B"], status="quarantine")
        count = sheet()
        scan(count, goods, "A", "B")
        scan(count, goods, status="quarantine")
        assert found_page(count).misplaced == 0

        posted(count)

        checked()
        assert (there(shelf), there(apart)) == (["A", "B"], [])
        assert not broken()

    def test_what_is_put_right_elsewhere_can_be_posted(self) -> None:
        goods = drill()
        here = stocked(goods, 1, serials=["A"])
        there_ = stocked(goods, 1, serials=["B"], node=node("DC-B"))
        count = sheet()
        scan(count, goods, "A", "B")

        gone = StockAdjustment(
            entity_id=company().pk,
            node_id=node("DC-B").pk,
            product_id=goods.pk,
            quantity=Decimal(-1),
            reason="It lies at DC-A",
        )
        adjust_stock(adjustments=[gone], kind="adjustment", actor=None, now=NOW)
        (piece,) = found_page(count).lines[0].found
        posted(count)

        checked()
        assert (piece.state, found_page(count).lines[0].found[0].state) == ("gone", "here")
        assert (there(here), there(there_)) == (["A", "B"], [])
        assert not broken()

    def test_says_what_the_books_know_of_what_was_found(self) -> None:
        goods = drill()
        stocked(goods, 3, serials=["A", "B", "C"])
        shipment = planned([demand(goods, 1)])[0]
        pick(shipment.id, "C")
        ship(shipment.id)
        adjust(goods, -1, "B")
        count = sheet()

        scan(count, goods, "A", "B", "C", "X")
        (line,) = found_page(count).lines
        posted(count)

        assert [(each.number, each.state, each.document) for each in line.found] == [
            ("B", "gone", ""),
            ("C", "shipped", shipment.number),
            ("X", "new", ""),
        ]
        checked()
        assert not broken()

    def test_what_stands_with_another_company_is_not_told_where(self) -> None:
        goods, other = drill(), company("DE01", "EUR")
        stocked(goods, 1, serials=["A"])
        stocked(goods, 1, serials=["B"], entity=other, node=node("HIDDEN"))
        count = sheet()

        scan(count, goods, "A", "B")
        (piece,) = found_page(count).lines[0].found
        with pytest.raises(BadSerial, match="another company's stock") as refused:
            posted(count)

        assert (piece.state, piece.lies_at) == ("elsewhere", "")
        assert "HIDDEN" not in str(refused.value)

    def test_a_piece_lies_on_one_line_of_a_sheet(self) -> None:
        goods = drill()
        stocked(goods, 1, serials=["A"])
        stocked(goods, 1, serials=["B"], status="quarantine")
        count = sheet()
        scan(count, goods, "A")

        with pytest.raises(BadSerial, match="is scanned on another line of this sheet"):
            scan(count, goods, "B", "A", status="quarantine")
        scan(count, goods, "B", status="quarantine")
        scan(count, goods, "A")

        assert [each.serials for each in count.lines.order_by("stock__status")] == [["A"], ["B"]]

    @pytest.mark.parametrize(
        "told",
        [{"serials": ["A"]}, {"counted": 1}, {"missing": ["B"]}, {"found": ["X"]}],
        ids=["serials", "counted", "missing", "found"],
    )
    def test_the_database_holds_the_figure_to_the_numbers(self, told: dict[str, object]) -> None:
        goods = drill()
        stocked(goods, 2, serials=["A", "B"])
        count = sheet()
        scan(count, goods, "A", "B")

        with pytest.raises(IntegrityError, match="its_serials"), transaction.atomic():
            count.lines.update(**told)

    def test_a_bin_says_how_many_and_the_numbers_say_which(self) -> None:
        goods = drill()
        stock = stocked(goods, 3, serials=["A", "B", "C"])
        first, second = bin_of("01-01"), bin_of("01-02")
        put(stock, 2, first)
        count = sheet()
        line = count.lines.get()

        parts = [(first.pk, Decimal(1)), (second.pk, Decimal(1)), (None, Decimal(1))]
        with transaction.atomic():
            record_counts(
                count_id=count.pk,
                counted=[Counted(line.pk, Decimal(3), parts, ["A", "X", "C"])],
                actor=None,
                at=LATER,
                now=LATER,
            )
        posted(count)

        checked()
        assert there(stock) == ["A", "C", "X"]
        assert lying(stock) == {"01-01": 1, "01-02": 1}
        assert not broken()

    def test_refuses_other_than_a_number_for_each_piece(self) -> None:
        goods, plain = drill(), product()
        stocked(goods, 2, serials=["A", "B"])
        stocked(plain, 2)
        count = sheet()

        with pytest.raises(SerialsNeeded):
            scan(count, goods, "A", quantity=2)
        with pytest.raises(BadSerial, match="is named twice"):
            scan(count, goods, "A", "A")
        with pytest.raises(BadSerial, match="not kept by serial number"):
            scan(count, plain, "A")

        assert not count.lines.exclude(counted=None).exists()

    def test_what_was_taken_since_is_corrected_no_more(self) -> None:
        goods = drill()
        stock = stocked(goods, 3, serials=["A", "B", "C"])
        count = sheet()
        scan(count, goods, "C")
        adjust(goods, -1, "A")

        posted(count)

        checked()
        assert there(stock) == ["C"]
        assert differs(count) == (["B"], [], -1)
        assert Stock.objects.get(pk=stock.pk).on_hand == 1
        assert not broken()

    def test_what_is_kept_for_somebody_is_not_written_off(self) -> None:
        goods = drill()
        stock = stocked(goods, 2, serials=["A", "B"])
        planned([demand(goods, 2)])
        count = sheet()
        scan(count, goods, "A")

        with pytest.raises(NotThatMuch), transaction.atomic():
            posted(count)
        assert there(stock) == ["A", "B"]
        scan(count, goods, "A", "X")  # as many as are kept, one of them another
        posted(count)

        checked()
        assert there(stock) == ["A", "X"]
        assert not broken()

    def test_a_missing_piece_that_was_handled_since_is_there(self) -> None:
        goods = drill()
        stock = stocked(goods, 2, serials=["A", "B"])
        count = sheet()
        scan(count, goods, "A")
        later(goods, -1, "B")
        later(goods, 1, "B")

        posted(count)

        assert there(stock) == ["A", "B"]
        assert differs(count) == ([], [], 0)
        assert not broken()

    def test_a_found_piece_that_came_and_went_since_does_not_come_again(self) -> None:
        goods = drill()
        stock = stocked(goods, 1, serials=["A"])
        count = sheet()
        scan(count, goods, "A", "X", "Y")
        later(goods, 1, "X")
        later(goods, -1, "X")

        posted(count)

        assert there(stock) == ["A", "Y"]
        assert differs(count) == ([], ["Y"], 1)
        assert not broken()

    @pytest.mark.parametrize(("unit", "state"), [("9.99", "approved"), ("10", "recount")])
    def test_a_swapped_piece_is_doubted_by_the_value_of_both(self, unit: str, state: str) -> None:
        goods = drill()
        stocked(goods, 2, serials=["A", "B"], unit_value=unit)
        count = sheet()
        scan(count, goods, "A", "X")

        submit_count(count_id=count.pk, actor=None, now=LATER)

        line = count.lines.get()
        assert Count.objects.get(pk=count.pk).state == state
        asked = ([], [], []) if state == "recount" else (["A", "X"], ["B"], ["X"])
        assert (line.serials, line.missing, line.found) == asked
        assert (line.counted is None) == (state == "recount")


@pytest.mark.django_db(transaction=True)
def test_a_piece_that_is_picked_while_the_count_is_posted_leaves_once() -> None:
    goods = drill()
    stock = stocked(goods, 3, serials=["A", "B", "C"])
    shipment = planned([demand(goods, 1)])[0].id
    count = sheet()
    scan(count, goods, "B", "C")
    Count.objects.filter(pk=count.pk).update(state="approved", approved_at=LATER)

    def post() -> object:
        with transaction.atomic():
            _, corrections = close_count(count_id=count.pk, actor=None, now=LATER)
            return adjust_stock(adjustments=corrections, kind="adjustment", actor=None, now=LATER)

    results = at_once([post, lambda: pick(shipment, "A")], threads=2)

    refused = [each for each in results if isinstance(each, Exception)]
    assert all(isinstance(each, BadSerial) for each in refused)
    assert len(refused) <= 1
    assert not broken()
    lying = there(stock)
    assert lying in (["A", "B", "C"], ["B", "C"])  # picked it still lies there, written off not
    assert Stock.objects.get(pk=stock.pk).on_hand == len(lying)


@pytest.mark.django_db(transaction=True)
def test_two_who_scan_one_line_at_once_leave_one_answer() -> None:
    goods = drill()
    stocked(goods, 3, serials=["A", "B", "C"])
    count = sheet()

    results = at_once(
        [lambda: scan(count, goods, "A", "B"), lambda: scan(count, goods, "C")], threads=2
    )

    assert not [each for each in results if isinstance(each, Exception)]
    line = count.lines.get()
    assert (line.counted, line.serials, line.missing) in (
        (2, ["A", "B"], ["C"]),
        (1, ["C"], ["A", "B"]),
    )
    assert line.counted - line.expected == -len(line.missing)


@pytest.mark.django_db(transaction=True)
def test_a_new_number_that_two_counts_found_enters_at_one_of_them() -> None:
    goods = drill()
    places = [node(), node("DC-B")]
    stocks = [stocked(goods, 1, serials=[place.code], node=place) for place in places]
    counts = []
    for place in places:
        count = plan_count(entity_id=company().pk, node_id=place.pk, actor=None, now=NOW)
        scan(count, goods, place.code, "X")
        Count.objects.filter(pk=count.pk).update(state="approved", approved_at=LATER)
        counts.append(count)

    results = at_once([partial(settled, count) for count in counts], threads=2)

    refused = [each for each in results if isinstance(each, Exception)]
    assert [type(each) for each in refused] == [BadSerial]
    assert sorted(Count.objects.values_list("state", flat=True)) == ["approved", "posted"]
    assert sorted(map(there, stocks)) in (
        [["DC-A"], ["DC-B", "X"]],
        [["DC-A", "X"], ["DC-B"]],
    )
    assert not broken()


def settled(count: Count) -> None:
    with transaction.atomic():
        posted(count)


def lies(goods: Product, stock: Stock) -> dict[str, str]:
    """Return by number where a piece is: here, picked (from here), elsewhere or nowhere."""
    where = {}
    for piece in Serial.objects.filter(product=goods):
        if piece.stock_id is None:
            where[piece.number] = "nowhere"
        elif piece.stock_id != stock.pk:
            where[piece.number] = "elsewhere"
        else:
            where[piece.number] = "here" if piece.line_id is None else "picked"
    return where


def after_count(was: str, now: str, *, scanned: bool) -> str:
    """Return where a piece is to be after posting; `was` when it was scanned, `now` before it."""
    if was == now == "here" and not scanned:
        return "nowhere"
    if was in {"nowhere", "elsewhere"} and scanned and now == "nowhere":
        return "here"
    if was in {"nowhere", "elsewhere"} and scanned and now == "elsewhere":
        return "refused"
    return now


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(before=STEPS, scanned=st.sets(st.sampled_from(NAMES)), since=STEPS)
def test_whatever_happens_meanwhile_a_count_corrects_what_still_differs(
    before: list[tuple[str, list[str]]], scanned: set[str], since: list[tuple[str, list[str]]]
) -> None:
    floor = Floor()
    goods, shelf = floor.goods, floor.stock
    done(floor, before)
    count = plan_count(
        entity_id=company().pk, node_id=node().pk, stock_ids=[shelf.pk], actor=None, now=NOW
    )
    was = lies(goods, shelf)
    scan(count, goods, *sorted(scanned))
    done(floor, since)
    now = lies(goods, shelf)
    wanted = {
        number: after_count(
            was.get(number, "nowhere"), now.get(number, "nowhere"), scanned=number in scanned
        )
        for number in {*now, *scanned}
    }

    try:
        settled(count)
    except BadSerial:
        assert "refused" in wanted.values()
        wanted = now
    except NotThatMuch:  # what is missing is kept for somebody
        wanted = now
    else:
        assert "refused" not in wanted.values()

    assert lies(goods, shelf) == wanted
    checked()
    assert not broken()


def done(floor: Floor, steps: list[tuple[str, list[str]]]) -> None:
    for name, names in steps:
        with suppress(DomainError), transaction.atomic():
            getattr(floor, name)(names)
