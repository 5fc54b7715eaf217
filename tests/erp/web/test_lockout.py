"""erp/web/lockout.py"""

from erp.web.lockout import (
    TRIES_MAX,
    TRIES_MAX_ACCOUNT,
    TRIES_MAX_ADDRESS,
    count_bad_try,
    forget_tries,
    is_locked,
)  # fmt: skip


def test_the_same_account_however_it_is_written() -> None:
    for name in ("dana", "DANA", " dana ", "Dana", "danA"):
        count_bad_try(name, "10.0.0.1")

    assert is_locked("dana", "10.0.0.1")
    assert not is_locked("dana", "10.0.0.2")


def test_an_account_guessed_from_many_addresses() -> None:
    for n in range(TRIES_MAX_ACCOUNT):
        count_bad_try("dana", f"10.0.0.{n}")

    assert is_locked("dana", "10.9.9.9")
    assert not is_locked("omar", "10.9.9.9")


def test_an_address_that_tries_many_accounts() -> None:
    for n in range(TRIES_MAX_ADDRESS):
        count_bad_try(f"user{n}", "10.0.0.1")

    assert is_locked("somebody-else", "10.0.0.1")
    assert not is_locked("somebody-else", "10.0.0.2")


def test_a_good_try_does_not_clear_the_address() -> None:
    for n in range(TRIES_MAX_ADDRESS):
        count_bad_try(f"user{n}", "10.0.0.1")

    forget_tries("user1", "10.0.0.1")

    assert is_locked("user2", "10.0.0.1")


def test_a_good_try_clears_the_account_at_the_address() -> None:
    for _ in range(TRIES_MAX - 1):
        count_bad_try("dana", "10.0.0.1")
    forget_tries("dana", "10.0.0.1")

    count_bad_try("dana", "10.0.0.1")

    assert not is_locked("dana", "10.0.0.1")
