"""erp/web/templatetags/charts.py"""

from decimal import Decimal
from typing import Any

from django.template import Context, Template

from erp.web.regional import MINUS


def draw(source: str, **values: Any) -> str:
    return Template("{% load charts %}" + source).render(Context(values))


LABELS = ["Mon", "Tue", "Wed"]


class TestLineChart:
    def test_has_a_table_of_its_figures(self) -> None:
        series = [{"name": "OTIF", "values": [Decimal("94.5"), None, 97]}]

        drawn = draw("{% line_chart 'Service' days series unit='%' %}", days=LABELS, series=series)

        assert 'role="img" aria-label="Service"' in drawn
        assert '<th scope="row">Tue</th><td class="num">—</td>' in drawn
        assert '<td class="num">94.5</td>' in drawn

    def test_a_gap_breaks_the_line(self) -> None:
        series = [{"name": "OTIF", "values": [1, 2, None, 3, 4]}]

        assert (
            draw("{% line_chart 'x' days series %}", days=list("abcde"), series=series).count(
                "<polyline"
            )
            == 2
        )

    def test_draws_without_any_figures(self) -> None:
        assert "<svg" in draw("{% line_chart 'x' days series %}", days=[], series=[])

    def test_says_its_target(self) -> None:
        drawn = draw(
            "{% line_chart 'x' days series target=96 %}",
            days=LABELS, series=[{"name": "a", "values": [1, 2, 3]}],
        )  # fmt: skip

        assert "target 96" in drawn


class TestStackedChart:
    def test_piles_up_above_and_below_zero(self) -> None:
        series = [
            {"name": "In", "values": [10, 0, 5]}, {"name": "More", "values": [5, 0, 5]},
            {"name": "Out", "values": [-4, -8, 0]},
        ]  # fmt: skip

        drawn = draw("{% stacked_chart 'x' days series %}", days=LABELS, series=series)

        assert drawn.count("<rect") == 6
        assert f"<title>Tue: Out {MINUS}8</title>" in drawn

    def test_carries_a_line_over_the_columns(self) -> None:
        drawn = draw(
            "{% stacked_chart 'x' days series line=stock %}", days=LABELS,
            series=[{"name": "In", "values": [1, 2, 3]}],
            stock={"name": "Stock", "values": [4, 5, 6]},
        )  # fmt: skip

        assert drawn.count("<polyline") == 1


class TestSparkline:
    def test_says_itself(self) -> None:
        assert 'aria-label="from 1 to 3"' in draw("{% sparkline values %}", values=[1, 2, 3])

    def test_one_value_is_no_line(self) -> None:
        assert draw("{% sparkline values %}", values=[1]) == ""
