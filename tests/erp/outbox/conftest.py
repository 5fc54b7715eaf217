from collections.abc import Iterator

import pytest

from erp.outbox import registry


@pytest.fixture(autouse=True)
def _nobody_else_listens() -> Iterator[None]:
    """Leave the handlers of the house out: a test's own are all there are."""
    before = dict(registry._subscriptions)
    registry._subscriptions.clear()
    registry._names_by_type.clear()
    yield
    registry._subscriptions.clear()
    registry._subscriptions.update(before)
    registry._names_by_type.clear()
