"""erp/governance/rules/limits.py: what entities may say otherwise."""

from typing import Any

import pytest

from erp.governance.rules import BadLimits, Schema, beyond_limits, read_limits, read_table

SCHEMA = Schema(
    {"late": "flag", "days": "number"}, {"hold": "flag", "role": "text", "mins": "number"}
)


def table(*rows: tuple, hit: str = "first") -> Any:
    made = [
        {"when": when, "then": {"hold": hold, "role": role, "mins": mins}}
        for when, hold, role, mins in rows
    ]
    return read_table({"hit": hit, "rows": made}, SCHEMA)


EVERYBODY = table(([["late", "=", True]], True, "credit", 30), ([], False, "", 60))


class TestBeyondLimits:
    def test_nothing_is_bound_without_limits(self) -> None:
        assert beyond_limits(table(([], True, "x", 1)), EVERYBODY, {}) == []

    def test_a_locked_policy_has_no_own_versions(self) -> None:
        found = beyond_limits(EVERYBODY, EVERYBODY, {"policy": "locked", "outcomes": {}})

        assert [problem.code for problem in found] == ["locked"]

    @pytest.mark.parametrize(("mins", "rows"), [(15, []), ("14.9", [0]), (240, []), ("240.1", [0])])
    def test_a_number_stays_within_its_bounds(self, mins: Any, rows: list[int]) -> None:
        limits = {"outcomes": {"mins": {"min": "15", "max": "240"}}}

        found = beyond_limits(table(([], False, "", mins)), EVERYBODY, limits)

        assert [(problem.row, problem.field) for problem in found] == [(n, "mins") for n in rows]

    def test_a_text_stays_among_its_values(self) -> None:
        limits = {"outcomes": {"role": {"values": ["", "credit"]}}}
        own = table(([["late", "=", True]], True, "ar", 5), ([], False, "", 5))

        found = beyond_limits(own, EVERYBODY, limits)

        assert [(problem.row, problem.field) for problem in found] == [(0, "role")]

    def test_a_locked_outcome_is_the_same_in_every_case(self) -> None:
        limits = {"outcomes": {"hold": "locked"}}
        finer = table(
            ([["late", "=", True], ["days", ">", 9]], True, "ar", 5),
            ([["late", "=", True]], True, "credit", 5),
            ([], False, "", 5),
        )
        looser = table(
            ([["late", "=", True], ["days", ">", 9]], False, "ar", 5),
            ([["late", "=", True]], True, "credit", 5),
            ([], False, "", 5),
        )

        assert beyond_limits(finer, EVERYBODY, limits) == []
        found = beyond_limits(looser, EVERYBODY, limits)
        assert [(problem.row, problem.field, problem.other) for problem in found] == [
            (0, "hold", 0)
        ]

    def test_where_rows_collect_none_is_added_or_left_out(self) -> None:
        limits = {"outcomes": {"hold": "locked"}}
        everybody = table(([["late", "=", True]], True, "a", 1), hit="collect")

        assert beyond_limits(everybody, everybody, limits) == []
        assert beyond_limits(table(([], True, "a", 1), hit="collect"), everybody, limits)
        assert beyond_limits(table(hit="collect"), everybody, limits)


class TestReadLimits:
    def test_has_one_form(self) -> None:
        raw = {"outcomes": {"mins": {"min": 5}, "hold": "locked", "role": {"values": ["a"]}}}

        assert read_limits(raw, SCHEMA) == {
            "policy": "overridable",
            "outcomes": {"mins": {"min": "5"}, "hold": "locked", "role": {"values": ["a"]}},
        }

    @pytest.mark.parametrize(
        ("raw", "field"),
        [
            ([], ""),
            ({"policy": "free"}, "policy"),
            ({"outcomes": {"nope": "locked"}}, "nope"),
            ({"outcomes": {"mins": {"min": 9, "max": 1}}}, "mins"),
            ({"outcomes": {"mins": {"min": "many"}}}, "mins"),
            ({"outcomes": {"hold": {"values": ["a"]}}}, "hold"),
            ({"outcomes": {"role": {"values": [1]}}}, "role"),
        ],
    )
    def test_names_what_is_wrong(self, raw: Any, field: str) -> None:
        with pytest.raises(BadLimits) as refused:
            read_limits(raw, SCHEMA)

        assert refused.value.field == field
