"""erp/embedded/supervisor.py, on small programs."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from erp.embedded import supervisor as module
from erp.embedded.supervisor import Program, Supervisor

SLEEP = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(600)"]
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
STUBBORN = [sys.executable, "-c", DEAF]


def turn_until(supervisor: Supervisor, what: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        supervisor.turn()


def pid_of(program: Program) -> int:
    return program.process.pid if program.process else 0


class TestSupervisor:
    def test_starts_a_killed_program_again(self, tmp_path: Path) -> None:
        program = Program("sleeper", SLEEP)
        supervisor = Supervisor([program], tmp_path, tend=lambda: None)
        supervisor.turn()
        first = pid_of(program)

        os.kill(first, signal.SIGKILL)
        turn_until(supervisor, lambda: pid_of(program) not in {0, first})

        assert program.lives
        assert (tmp_path / "sleeper.pid").read_text() == str(pid_of(program))
        supervisor.stop()

    def test_waits_longer_before_each_new_try(self, tmp_path: Path) -> None:
        program = Program("broken", [sys.executable, "-c", "raise SystemExit(3)"])
        supervisor = Supervisor([program], tmp_path, tend=lambda: None)

        turn_until(supervisor, lambda: program.back_off_s >= 2)

        assert program.start_at - time.monotonic() > 0.5
        supervisor.stop()

    def test_kills_what_lives_but_does_no_work(self, tmp_path: Path) -> None:
        program = Program("stuck", SLEEP, is_stuck=lambda: True)
        supervisor = Supervisor([program], tmp_path, tend=lambda: None)
        supervisor.turn()
        first = pid_of(program)

        turn_until(supervisor, lambda: pid_of(program) not in {0, first})

        supervisor.stop()

    def test_shows_every_line_with_its_speaker(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        speak = [sys.executable, "-c", "print('one'); print('two', end='')"]
        log = tmp_path / "server.log"
        log.write_text("old\n")
        program = Program("speaker", speak)
        supervisor = Supervisor([program], tmp_path, tend=lambda: None)
        supervisor.follow("server", log)
        log.write_text("old\nnew\n")

        turn_until(supervisor, lambda: program.back_off_s > 0.5)
        supervisor.stop()

        said = capsys.readouterr().out
        assert " speaker | one\n" in said
        assert " speaker | two\n" in said
        assert "  server | new\n" in said
        assert "old" not in said

    def test_kills_what_does_not_end_when_asked(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "STOP_TIMEOUT_S", 0.5)
        program = Program("stubborn", STUBBORN)
        supervisor = Supervisor([program], tmp_path, tend=lambda: None)
        supervisor.turn()
        time.sleep(0.5)  # until it no longer hears
        began = time.monotonic()

        supervisor.stop()

        assert time.monotonic() - began < 5
        assert not (tmp_path / "stubborn.pid").exists()

    def test_its_programs_end_with_it_even_if_it_is_killed(self, tmp_path: Path) -> None:
        serve = (
            "import sys, pathlib\n"
            "from erp.embedded.supervisor import Program, Supervisor\n"
            "command = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
            "program = Program('child', command)\n"
            "Supervisor([program], pathlib.Path(sys.argv[1]), lambda: None).run()\n"
        )
        command = [sys.executable, "-c", serve, str(tmp_path)]
        file = tmp_path / "child.pid"
        with subprocess.Popen(command, cwd=Path(module.__file__).parents[2]) as supervisor:
            deadline = time.monotonic() + 15
            while not (file.exists() and file.read_text()):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            child = int(file.read_text())

            supervisor.kill()

        deadline = time.monotonic() + 10
        while Path(f"/proc/{child}").exists() and "Z" not in status(child):
            assert time.monotonic() < deadline, "the child outlives its supervisor"
            time.sleep(0.05)


def status(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return "Z"
