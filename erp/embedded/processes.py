"""What the embedded servers must know about processes and the standard library does not tell."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

PR_SET_PDEATHSIG = 1
LINUX = sys.platform == "linux"


def die_with_parent(signum: signal.Signals) -> Callable[[], None]:
    """Return what a child runs before it becomes its program, so that `signum` ends it with us.

    The kernel sends the signal when the thread that made the child ends, however it ends. It
    forgets the wish when a process changes its user, so this must run after that.
    """
    parent = os.getpid()
    prctl = ctypes.CDLL(None).prctl if LINUX else None

    def ask() -> None:
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, int(signum))
            if os.getppid() != parent:  # it died before the wish was heard
                os.kill(os.getpid(), signal.SIGKILL)

    return ask


def runs(pid: int, program: str) -> bool:
    """Tell whether `pid` is a living process of `program`: a zombie or another's pid is not."""
    try:
        if not LINUX:
            os.kill(pid, 0)
            return True
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except PermissionError:
        return not LINUX  # alive, of another user; on Linux /proc would have told
    except OSError:
        return False
    return state not in "ZX" and program.encode() in command


def working_in(folder: Path) -> Iterator[int]:
    """Yield the processes whose working folder is `folder`: PostgreSQL's stand in their data."""
    real = folder.resolve()
    for process in Path("/proc").iterdir() if LINUX else ():
        if process.name.isdigit():
            try:
                if (process / "cwd").readlink() == real:
                    yield int(process.name)
            except OSError:
                continue
