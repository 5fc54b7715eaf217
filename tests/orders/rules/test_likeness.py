"""orders/rules/likeness.py"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.rules import LIKE, completeness, likeness, plain_name, plain_tax_id

NAMES = st.text(max_size=40)


class TestLikeness:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Halden Medical", "HALDEN MEDICAL, Inc."),
            ("Müller & Söhne GmbH", "Muller Sohne"),
            ("Halden Medical", "Medical Halden"),
            ("Halden Medical", "Haldan Medical"),
        ],
    )
    def test_sees_through_case_accents_legal_forms_and_a_slip(self, one: str, other: str) -> None:
        assert likeness(one, other) >= LIKE

    @pytest.mark.parametrize("other", ["Novak Foods", "Halden Foods", "Medical Supply Co"])
    def test_keeps_others_apart(self, other: str) -> None:
        assert likeness("Halden Medical", other) < LIKE

    @given(NAMES, NAMES)
    def test_is_the_same_either_way_round_and_a_share(self, one: str, other: str) -> None:
        assert likeness(one, other) == likeness(other, one)
        assert 0 <= likeness(one, other) <= 1
        assert likeness(one, one) in {0, 1}

    def test_a_name_of_legal_words_alone_is_kept(self) -> None:
        assert plain_name("The Company Ltd") == "the company ltd"
        assert plain_tax_id("de 123.456-7") == "DE1234567"


class TestCompleteness:
    def test_counts_what_is_there_and_names_what_is_not(self) -> None:
        full = dict.fromkeys(
            ["name", "address", "city", "postal_code", "country", "email", "phone", "contact",
             "tax_id"],
            "x",
        )  # fmt: skip

        assert completeness(full) == (100, [])
        assert completeness(full | {"address": " ", "phone": ""}) == (80, ["address", "phone"])
        assert completeness({})[0] == 0
