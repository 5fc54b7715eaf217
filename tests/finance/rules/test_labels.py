"""Tests finance/rules/_labels.py."""

import re

from hypothesis import given
from hypothesis import strategies as st

from finance.rules import CartonLabel, escaped, zpl_of


def label(**given_: object) -> CartonLabel:
    values: dict[str, object] = {
        "sscc": "003456789012345675", "sender": "Crossdock", "to": ["Miller", "Dayton"],
        "order": "SO-1", "customer_po": "", "shipment": "SH-1", "carrier": "TRUCK",
        "tracking": "", "place": 1, "cartons": 2, "weight": "1.5",
    }  # fmt: skip
    return CartonLabel(**values | given_)  # type: ignore[arg-type]


class TestZplOf:
    def test_prints_a_label_for_each_carton(self) -> None:
        text = zpl_of([label(), label(place=2)])

        assert (text.count("^XA"), text.count("^XZ")) == (2, 2)
        assert "^FD>;>800003456789012345675^FS" in text
        assert "Carton 2 of 2" in text

    @given(st.text())
    def test_lets_no_name_be_a_command(self, name: str) -> None:
        plain = zpl_of([label(to=["x"])])
        text = zpl_of([label(to=[f"x{name}"])])

        assert len(re.findall(r"[\^~]", text)) == len(re.findall(r"[\^~]", plain))
        assert not re.search(r"[\x00-\x1f]", escaped(name))
