"""erp/embedded/pulse.py."""

import os
import time
from pathlib import Path

import pytest

from erp.embedded import pulse


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(pulse.VARIABLE, str(tmp_path))
    pulse.reset(tmp_path)
    return tmp_path


class TestIsSilent:
    def test_a_worker_that_finished_something_lately_works(self, place: Path) -> None:
        pulse.task_starts()
        pulse.task_ends()

        assert not pulse.is_silent(place, time.time() + pulse.SILENCE_MAX_S - 1)

    def test_a_worker_that_finished_nothing_for_long_does_not(self, place: Path) -> None:
        assert pulse.is_silent(place, time.time() + pulse.SILENCE_MAX_S + 1)

    def test_a_worker_at_a_long_task_works_until_the_task_should_have_ended(
        self, place: Path
    ) -> None:
        pulse.task_starts()

        assert not pulse.is_silent(place, time.time() + pulse.TASK_MAX_S - 5)
        assert pulse.is_silent(place, time.time() + pulse.TASK_MAX_S + 5)

    def test_a_new_worker_is_not_taken_for_the_dead_one(self, place: Path) -> None:
        pulse.task_starts()
        os.utime(place / "last", (0, 0))

        pulse.reset(place)

        assert list(place.glob("*.busy")) == []
        assert not pulse.is_silent(place, time.time())
