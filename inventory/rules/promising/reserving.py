"""When what is far off must be reserved at the latest."""

from datetime import date, timedelta


def reserve_from(needed_on: date, *, replenish_days: int, slack_days: int) -> date:
    """Return the last day on which replenishment that starts then still covers a need in time.

    Replenishment takes `replenish_days`, and `slack_days` are kept for what goes wrong. From this
    day on, stock is the only safe supply: reserve it.
    """
    return needed_on - timedelta(days=replenish_days + slack_days)


def may_wait(today: date, needed_on: date, *, replenish_days: int | None, slack_days: int) -> bool:
    """Test if a need can be left to replenishment today; never what nobody replenishes (None)."""
    if replenish_days is None:
        return False
    return today < reserve_from(needed_on, replenish_days=replenish_days, slack_days=slack_days)
