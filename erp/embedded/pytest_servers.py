"""A pytest plugin: servers for the run, unless the environment names some.

Loaded with `-p`, so that it runs before pytest-django reads the settings. Under xdist the
controller starts them and the workers inherit their addresses.
"""

import os
from collections.abc import Generator

import pytest

from erp.embedded import data_folder, provide, withdraw


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, None, None]:
    """Start the servers before the first conftest or the settings are imported."""
    provide(os.environ, data_folder(os.environ) / "test", durable=False)
    yield


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Stop what was started."""
    withdraw()
