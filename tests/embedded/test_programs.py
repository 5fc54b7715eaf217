"""erp/embedded/programs.py."""

import socket
import time

import pytest

from erp.embedded import programs
from erp.embedded.programs import Answers


@pytest.fixture
def deaf_port() -> int:
    """A port on which nobody answers."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


class TestAnswers:
    def test_is_patient_between_two_looks(self, deaf_port: int) -> None:
        assert not Answers(deaf_port).fail_for_long()

    def test_tells_once_a_minute_that_nothing_was_answered(
        self, deaf_port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers = Answers(deaf_port)
        monkeypatch.setattr(programs, "LOOK_EVERY_S", 0.0)
        answers.answered_at = time.monotonic() - programs.UNANSWERED_MAX_S

        assert answers.fail_for_long()
        assert not answers.fail_for_long()


class TestPrograms:
    def test_are_web_worker_and_beat_each_with_its_name_in_the_database(self, tmp_path) -> None:
        found = programs.programs("127.0.0.1", 8000, tmp_path)

        assert [program.name for program in found] == ["web", "worker", "beat"]
        assert [program.environ["APP_ROLE"] for program in found] == ["web", "worker", "beat"]
