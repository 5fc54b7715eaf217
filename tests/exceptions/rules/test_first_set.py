"""exceptions/rules/first_set.py"""

from pathlib import Path

from exceptions.rules.first_set import FIRST_SET
from exceptions.selectors import TYPES

DOCS = Path(__file__).parents[3] / "docs" / "domain" / "exception-case.md"


def test_each_trouble_is_told_of_or_says_what_it_waits_for() -> None:
    assert all(bool(one.types) != bool(one.waits_for) for one in FIRST_SET)
    assert len({one.name for one in FIRST_SET}) == len(FIRST_SET)


def test_each_type_tells_of_some_trouble_and_each_that_is_named_exists() -> None:
    assert {code for one in FIRST_SET for code in one.types} == set(TYPES)


def test_the_document_names_each_type_and_what_is_not_there_yet() -> None:
    said = DOCS.read_text()

    for code in TYPES:
        short = code.partition(".")[2].removesuffix("_hold")
        assert f"`{code}`" in said or short in said, code
    for one in FIRST_SET:
        assert not one.waits_for or f"with {one.waits_for}" in said
