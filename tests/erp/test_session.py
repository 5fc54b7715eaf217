"""What every connection says to the database when it begins."""

import pytest

from erp.kernel.sql import rows

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lock_timeout", "5s"),
        ("idle_in_transaction_session_timeout", "2min"),
        ("pgtrigger.ignore", "{}"),  # unset, every trigger raises an exception to find that out
    ],
)
def test_a_session_waits_so_long_and_skips_no_trigger(name: str, value: str) -> None:
    assert rows("SELECT current_setting(%s)", [name]) == [(value,)]
