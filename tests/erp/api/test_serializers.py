"""erp/api/serializers.py"""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.serializers import ValidationError

from erp.api.renderers import dumped
from erp.api.serializers import AmountInput, ObjectInput, QuantityInput, RateInput, TextInput

quantities = st.decimals("0.001", "999999999999.999", places=3)


class TestQuantityInput:
    @given(quantity=quantities)
    def test_text_comes_in_exactly(self, quantity: Decimal) -> None:
        field = QuantityInput()

        assert field.run_validation(f"{quantity:f}") == quantity
        assert field.run_validation(quantity) == quantity
        assert field.run_validation(field.to_representation(quantity)) == quantity

    @given(st.text(max_size=40) | st.decimals() | st.integers() | st.booleans() | st.none())
    def test_whatever_comes_it_is_a_number_or_a_refusal(self, value: object) -> None:
        try:
            number = QuantityInput().run_validation(value)
        except ValidationError:
            return
        assert Decimal("0.001") <= number <= Decimal("999999999999.999")
        assert number.as_tuple().exponent == -3

    @pytest.mark.parametrize("zeros", ["1.5000000", "0001.5", Decimal("1.50000")])
    def test_zeros_say_nothing(self, zeros: object) -> None:
        assert QuantityInput().run_validation(zeros) == Decimal("1.500")

    @pytest.mark.parametrize(
        ("value", "code"),
        [
            ("NaN", "not_a_number"),
            ("Infinity", "not_a_number"),
            (Decimal("NaN"), "not_a_number"),
            ("1,000", "not_a_number"),
            (" 5 ", "not_a_number"),
            ("5\n", "not_a_number"),
            ("\uff11\uff12", "not_a_number"),
            ("1e3", "not_a_number"),
            ("+1", "not_a_number"),
            ("", "not_a_number"),
            (".5", "not_a_number"),
            (True, "not_a_number"),
            (1.5, "not_a_number"),
            ([], "not_a_number"),
            ("-1", "not_positive"),
            ("0", "not_positive"),
            ("-0", "not_positive"),
            (Decimal("-0"), "not_positive"),
            ("0.0001", "too_many_decimals"),
            (Decimal("1e-999999"), "too_many_decimals"),
            (Decimal("1e-30"), "too_many_decimals"),
            ("1000000000000", "too_large"),
            ("999999999999.9999", "too_many_decimals"),
            (10**400, "too_large"),
            (Decimal("1e400"), "too_large"),
            (Decimal("1e999999"), "too_large"),
            (None, "null"),
        ],
        ids=str,
    )
    def test_says_what_is_wrong(self, value: object, code: str) -> None:
        with pytest.raises(ValidationError) as refused:
            QuantityInput().run_validation(value)
        assert refused.value.detail[0].code == code


def test_amounts_and_rates_have_their_own_bounds() -> None:
    assert AmountInput().run_validation("0") == 0
    assert AmountInput().run_validation("999999999999999.9999") == Decimal("999999999999999.9999")
    assert AmountInput(allow_negative=True).run_validation("-1.0001") == Decimal("-1.0001")
    assert RateInput().run_validation("0.000001") == Decimal("0.000001")
    for field, value, code in [
        (AmountInput(), "-1", "negative"),
        (AmountInput(allow_zero=False), "0", "not_positive"),
        (AmountInput(), "1.00001", "too_many_decimals"),
        (RateInput(), "1000", "too_large"),
    ]:
        with pytest.raises(ValidationError) as refused:
            field.run_validation(value)
        assert refused.value.detail[0].code == code


class TestTextInput:
    @given(st.text(max_size=60))
    def test_keeps_text_or_refuses_it(self, text: str) -> None:
        try:
            kept = TextInput().run_validation(text)
        except ValidationError:
            return
        assert kept == text.strip()
        assert kept.encode()
        assert "\0" not in kept

    @pytest.mark.parametrize("value", [7, True, None, [], "", "x" * 201, "a\0"])
    def test_refuses(self, value: object) -> None:
        with pytest.raises(ValidationError):
            TextInput().run_validation(value)


class TestObjectInput:
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=10),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        ),
    )

    @given(values)
    def test_what_it_lets_in_can_be_stored(self, value: object) -> None:
        try:
            kept = ObjectInput().run_validation(value)
        except ValidationError:
            return
        assert b"\\u0000" not in dumped(kept)
        assert json.loads(dumped(kept)) == kept
