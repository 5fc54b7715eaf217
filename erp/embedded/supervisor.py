"""Runs the programs of the ERP side by side, restarts what dies, and shows what they say."""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from erp.embedded.processes import die_with_parent

STOP_TIMEOUT_S = 12.0
BACK_OFF_MAX_S = 10.0
STEADY_S = 30.0
TICK_S = 0.2
CHUNK = 65_536


@dataclass
class Program:
    """One program that must run: how to start it, and whether it does its work.

    `is_stuck` is asked now and then while the program lives; True has it killed and started anew.
    """

    name: str
    command: Sequence[str]
    environ: Mapping[str, str] = field(default_factory=dict)
    is_stuck: Callable[[], bool] = lambda: False
    before: Callable[[], None] = lambda: None

    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    back_off_s: float = 0.5
    rest: bytes = b""

    @property
    def lives(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Keeps programs running until it is told to stop.

    `tend` is called on every turn: the place for what else must be kept alive.
    """

    def __init__(self, programs: Sequence[Program], folder: Path, tend: Callable[[], None]) -> None:
        self.programs = programs
        self.folder = folder
        self.tend = tend
        self.selector = selectors.DefaultSelector()
        self.logs: list[tuple[str, IO[bytes]]] = []
        self.stopping = False

    def follow(self, name: str, log: Path) -> None:
        """Show from now on what is written to `log`."""
        log.touch()
        file = log.open("rb")
        file.seek(0, os.SEEK_END)
        self.logs.append((name, file))

    def run(self) -> None:
        """Run everything until SIGINT or SIGTERM, then stop everything."""
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, self.ask_to_stop)
        try:
            while not self.stopping:
                self.turn()
        finally:
            self.stop()

    def ask_to_stop(self, signum: int, frame: object) -> None:
        self.stopping = True

    def turn(self) -> None:
        """Start what is due, show what was said, look after what lives."""
        self.tend()
        now = time.monotonic()
        for program in self.programs:
            if program.process is None:
                if now >= program.start_at:
                    self.start(program)
            elif program.process.poll() is not None:
                self.note_death(program, now)
            elif program.is_stuck():
                self.say(f"{program.name} does no work any more: killing it")
                program.process.kill()
        self.show(TICK_S)

    def start(self, program: Program) -> None:
        program.before()
        program.process = subprocess.Popen(
            program.command,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **program.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is ours; they are told in order
            preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 - one thread
        )
        program.started_at = time.monotonic()
        output = program.process.stdout
        if output is not None:
            os.set_blocking(output.fileno(), False)
            self.selector.register(output, selectors.EVENT_READ, program)
        self.pid_file(program).write_text(str(program.process.pid))

    def note_death(self, program: Program, now: float) -> None:
        code = program.process.returncode if program.process else None
        self.forget(program)
        if now - program.started_at > STEADY_S:
            program.back_off_s = 0.5
        program.start_at = now + program.back_off_s
        self.say(f"{program.name} ended with {code}: again in {program.back_off_s:.1f} s")
        program.back_off_s = min(program.back_off_s * 2, BACK_OFF_MAX_S)

    def forget(self, program: Program) -> None:
        output = program.process.stdout if program.process else None
        if output is not None:
            self.read(program, output.fileno())
            self.write(program.name, [program.rest] if program.rest else [])
            self.selector.unregister(output)
            output.close()
        program.process, program.rest = None, b""
        self.pid_file(program).unlink(missing_ok=True)

    def stop(self) -> None:
        """Ask every program to end, and kill those that have not after a while."""
        self.say("stopping")
        for program in self.programs:
            if program.process is not None and program.lives:
                program.process.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while any(program.lives for program in self.programs):
            self.show(TICK_S)
            if time.monotonic() > deadline:
                for program in self.programs:
                    if program.process is not None and program.lives:
                        self.say(f"{program.name} does not end: killing it")
                        program.process.kill()
                deadline += STOP_TIMEOUT_S
        for program in self.programs:
            self.forget(program)
        self.show(0)
        self.selector.close()
        for _name, log in self.logs:
            log.close()

    def show(self, wait_s: float) -> None:
        """Wait for something to be said, and pass it on with its speaker's name."""
        for key, _events in self.selector.select(wait_s):
            self.read(key.data, key.fd)
        for name, log in self.logs:
            self.write(name, log.read().splitlines())

    def read(self, program: Program, output: int) -> None:
        with contextlib.suppress(BlockingIOError):
            said = os.read(output, CHUNK)
            *lines, program.rest = (program.rest + said).split(b"\n")
            self.write(program.name, lines)

    def write(self, name: str, lines: Sequence[bytes]) -> None:
        for line in lines:
            sys.stdout.write(f"{name:>8} | {line.decode(errors='replace')}\n")
        if lines:
            sys.stdout.flush()

    def say(self, what: str) -> None:
        self.write("up", [what.encode()])

    def pid_file(self, program: Program) -> Path:
        return self.folder / f"{program.name}.pid"
