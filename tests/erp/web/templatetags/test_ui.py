"""erp/web/templatetags/ui.py"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from django import forms
from django.template import Context, Template
from django.test import RequestFactory

from erp.kernel.money import Money

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def draw(source: str, query: str = "", **values: Any) -> str:
    request = RequestFactory().get(f"/orders/?{query}")
    with patch("django.utils.timezone.now", return_value=NOW):
        return Template("{% load ui %}" + source).render(Context({"request": request, **values}))


class TestNumbers:
    @pytest.mark.parametrize(
        ("source", "text"),
        [
            ("{{ x|money:'USD' }}", "$1,234.50"), ("{{ x|price:'USD' }}", "$1,234.50"),
            ("{{ x|money_short:'USD' }}", "$1.2k"), ("{{ x|qty }}", "1,234.5"),
            ("{{ x|qty:'EA' }}", "1,234.5 EA"), ("{{ x|number }}", "1,235"),
            ("{{ x|number:1 }}", "1,234.5"),
        ],
    )  # fmt: skip
    def test_are_written_as_people_read_them(self, source: str, text: str) -> None:
        assert draw(source, x=Decimal("1234.500")) == text

    def test_a_share_becomes_percent(self) -> None:
        assert draw("{{ x|percent }}", x=Decimal("0.2284")) == "22.8 %"

    def test_money_knows_its_amount(self) -> None:
        assert draw("{{ x|money:x.currency }}", x=Money(Decimal(5), "EUR")) == "€5.00"

    @pytest.mark.parametrize(
        "name",
        ["money:'USD'", "price:'USD'", "qty", "number", "percent", "when", "state", "severity"],
    )
    def test_nothing_is_a_dash(self, name: str) -> None:
        assert draw("{{ x|" + name + " }}", x=None) == "—"


class TestWhen:
    @pytest.mark.parametrize(
        ("ahead", "words"),
        [
            (timedelta(seconds=-5), "just now"), (timedelta(minutes=-14), "14 min ago"),
            (timedelta(hours=3, minutes=5), "in 3 h 05"), (timedelta(days=-90), "24 Aug 2026"),
        ],
    )  # fmt: skip
    def test_says_how_long_ago(self, ahead: timedelta, words: str) -> None:
        assert f">{words}</time>" in draw("{{ at|when }}", at=NOW + ahead)

    def test_carries_the_exact_moment(self) -> None:
        drawn = draw("{{ at|when }}", at=NOW)

        assert 'datetime="2026-11-22T09:30:00+00:00"' in drawn
        assert 'title="22 Nov 09:30 UTC"' in drawn

    def test_shows_a_day_without_a_clock(self) -> None:
        assert ">24 Dec</time>" in draw("{{ on|when }}", on=date(2026, 12, 24))


class TestClock:
    def test_shows_what_is_left_and_what_is_spent(self) -> None:
        drawn = draw(
            "{% clock due start %}", due=NOW + timedelta(hours=2), start=NOW - timedelta(hours=6)
        )

        assert "2 h 00 left" in drawn
        assert "w-75" in drawn
        assert "tone-s2" in drawn

    def test_says_when_it_is_too_late(self) -> None:
        assert "30 min late" in draw("{% clock due %}", due=NOW - timedelta(minutes=30))

    def test_stands_still_once_met(self) -> None:
        assert "met" in draw("{% clock due due done %}", due=NOW, done=NOW)


class TestChips:
    def test_a_state_has_words_and_a_tone(self) -> None:
        assert (
            draw("{{ 'partly_allocated'|state }}")
            == '<span class="chip s2">partly allocated</span>'
        )

    def test_a_severity_is_one_to_four(self) -> None:
        assert draw("{{ 1|severity }}{{ 'S3'|severity }}") == (
            '<span class="chip s1">S1</span><span class="chip s3">S3</span>'
        )

    def test_what_came_from_outside_is_escaped(self) -> None:
        drawn = draw("{{ x|state }}{% chip x 's1' %}", x="<script>")

        assert "<script>" not in drawn


class TestBars:
    def test_the_longest_is_the_largest(self) -> None:
        drawn = draw(
            "{% bars rows %}", rows=[{"label": "a", "value": 50}, {"label": "b", "value": 200}]
        )

        assert 'class="w-25"' in drawn
        assert 'class="w-100"' in drawn

    def test_a_share_sets_the_length(self) -> None:
        row = SimpleNamespace(
            label="a", value=Decimal(5), share=Decimal("0.31"), text="$5", href="/x/"
        )

        drawn = draw("{% bars rows %}", rows=[row])

        assert 'class="w-31"' in drawn
        assert 'href="/x/"' in drawn

    def test_little_is_still_seen_and_nothing_is_not(self) -> None:
        rows = [
            {"label": "a", "value": 1},
            {"label": "b", "value": 10_000},
            {"label": "c", "value": 0},
        ]

        drawn = draw("{% bars rows %}", rows=rows)

        assert [f"w-{n}" in drawn for n in (0, 1, 100)] == [True, True, True]


class TestAddress:
    def test_a_filter_keeps_the_others_and_forgets_the_page(self) -> None:
        drawn = draw(
            "{% filters 'state' choices %}", "state=held&q=x&after=abc",
            choices=[("", "All"), ("held", "Held", 27), ("late", "Late")],
        )  # fmt: skip

        assert 'href="?q=x"' in drawn
        assert 'href="?state=late&amp;q=x"' in drawn
        assert 'aria-current="true">Held <b>27</b>' in drawn

    @pytest.mark.parametrize(
        ("query", "href", "order"),
        [
            ("", "?sort=total", ""), ("sort=total", "?sort=-total", "ascending"),
            ("sort=-total", "?sort=total", "descending"),
        ],
    )  # fmt: skip
    def test_a_header_sorts_and_sorts_back(self, query: str, href: str, order: str) -> None:
        drawn = draw("{% sort_header 'Amount' 'total' True %}", query)

        assert f'href="{href}"' in drawn
        assert (f'aria-sort="{order}"' in drawn) is bool(order)

    def test_the_pager_leads_on_and_back(self) -> None:
        drawn = draw("{% pager 'n=2' 100 %}", "state=held&after=old")

        assert 'href="?state=held&amp;after=n%3D2"' in drawn
        assert 'href="?state=held"' in drawn

    def test_a_single_page_has_no_pager(self) -> None:
        assert draw("{% pager '' %}").strip() == ""


class SampleForm(forms.Form):
    name = forms.CharField(help_text="As on the invoice.")


class TestForms:
    def test_a_field_says_what_is_wrong_where_it_is_wrong(self) -> None:
        drawn = draw("{% form_errors form %}{% field form.name %}", form=SampleForm({"name": ""}))

        assert 'href="#id_name"' in drawn
        assert 'aria-invalid="true"' in drawn
        assert 'id="id_name_error"' in drawn
        assert 'id="id_name_helptext"' in drawn

    def test_no_two_forms_have_the_same_token(self) -> None:
        assert draw("{% once %}") != draw("{% once %}")

    def test_a_dialog_posts_with_a_token_and_a_reason(self) -> None:
        values = {"csrf_token": "abc"}
        drawn = draw("{% confirm 'go' 'Go?' '/go/' 'Really.' 'Go' 'danger' 'Why' %}", **values)

        assert 'action="/go/"' in drawn
        assert 'value="abc"' in drawn
        assert 'name="idempotency_key"' in drawn
        assert 'name="reason" required' in drawn


class TestIcon:
    def test_a_wrong_name_does_not_break_the_page(self) -> None:
        assert "<svg" in draw("{% icon 'no-such-icon' %}")
