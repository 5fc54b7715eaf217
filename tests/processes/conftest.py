"""One running ERP for all of these tests, and one xdist worker that runs them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.harness import RunningSystem


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of this folder together: two running ERPs on two cores prove less."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("processes"))


@pytest.fixture(scope="package")
def system() -> Iterator[RunningSystem]:
    """The whole ERP on an empty database. Each test leaves it working."""
    with RunningSystem() as running:
        yield running
