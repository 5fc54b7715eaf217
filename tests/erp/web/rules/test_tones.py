"""erp/web/rules/tones.py"""

from django.apps import apps
from django_fsm import FSMField

from erp.web.rules.tones import TONES, state_label, state_tone

NEUTRAL = {
    "archived", "discarded", "dismissed", "draft", "dropped", "lapsed", "lifted", "open", "retired",
    "skipped", "superseded", "undone", "withdrawn",
}  # fmt: skip


def test_no_state_has_two_tones() -> None:
    names = [name for group in TONES.values() for name in group]

    assert len(names) == len(set(names))


def test_a_state_reads_as_words() -> None:
    assert state_label("partly_allocated") == "partly allocated"


def test_a_state_nobody_named_stays_neutral() -> None:
    assert state_tone("draft") == ""


def test_every_state_of_every_document_was_thought_of() -> None:
    states = {
        str(value)
        for model in apps.get_models()
        for field in model._meta.fields
        if isinstance(field, FSMField)
        for value, _label in field.choices or []
    }

    unnamed = {s for s in states if not state_tone(s)} - NEUTRAL
    assert not unnamed, "give them a tone in erp/web/rules/tones.py, or name them neutral here"
