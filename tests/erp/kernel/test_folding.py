from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

pytestmark = pytest.mark.django_db


def relations() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'procurement\\_%'"
        )
        return {name for (name,) in cursor.fetchall()}


def test_a_folded_schema_can_be_taken_back_and_made_again() -> None:
    before = relations()
    assert "procurement_supplier" in before

    call_command("migrate", "procurement", "zero", verbosity=0)
    assert not relations()
    call_command("migrate", "procurement", verbosity=0)

    assert relations() == before


def test_a_folded_schema_says_what_it_is() -> None:
    out = StringIO()

    call_command("migrate", "procurement", "zero", plan=True, stdout=out)

    assert "parts of the schema at once" in out.getvalue()


def test_nothing_of_a_folded_schema_is_left_out_of_the_state() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
