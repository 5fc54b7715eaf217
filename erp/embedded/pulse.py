"""The task worker's pulse: files that tell whether it still does work, not merely whether it lives.

A worker that has lost its broker and come back without consuming looks healthy to the system. Its
pulse does not: beat sends it something every few seconds.

`python -m erp.embedded.pulse` exits 1 when the worker of `PULSE_FOLDER` has stopped working.
"""

import os
import sys
import time
from pathlib import Path

VARIABLE = "PULSE_FOLDER"
SILENCE_MAX_S = 60.0
TASK_MAX_S = 250.0  # above the hard time limit of a task


def folder() -> Path | None:
    """Return where this process leaves its pulse, if anybody asked for it."""
    name = os.environ.get(VARIABLE)
    return Path(name) if name else None


def task_starts() -> None:
    """Note that this process of the worker is busy."""
    if place := folder():
        (place / f"{os.getpid()}.busy").touch()


def task_ends() -> None:
    """Note that a task was finished."""
    if place := folder():
        (place / f"{os.getpid()}.busy").unlink(missing_ok=True)
        (place / "last").touch()


def reset(place: Path) -> None:
    """Begin to listen: a worker starts now."""
    place.mkdir(exist_ok=True)
    for file in place.glob("*.busy"):
        file.unlink(missing_ok=True)
    (place / "last").touch()


def is_silent(place: Path, now_s: float) -> bool:
    """Tell whether, at unix `now_s`, the worker has long finished nothing and is at nothing."""
    if now_s - modified(place / "last") <= SILENCE_MAX_S:
        return False
    return all(now_s - modified(file) > TASK_MAX_S for file in place.glob("*.busy"))


def modified(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return 0.0


if __name__ == "__main__":
    listened = folder()
    sys.exit(listened is None or is_silent(listened, time.time()))
