"""Mapping profiles: how somebody else's files become our columns. Files of ours, in TOML.

A step names the file it reads, the kind of import it feeds and, per column, where the cell comes
from: `"theirs"` (a column of the file), `{const = "…"}`, `{from = "…", prefix = "NW-"}`,
`{from = "…", via = "file.csv", key = "id", take = "name"}` (looked up in another file) or
`{from = "…", plus = "file.csv", match = "ours", key = "id", sum = "column"}` (a number plus the sum
of another file's column where its `key` equals our `match`; `unless = {on, file, key, take, is}`
leaves out its rows whose `on`, looked up in a third file, says `is`); `times` multiplies.
`join` attaches the columns of another file to each row by a key they share.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from erp.partners.rules.reading import Row

FOLDER = Path(__file__).parents[1] / "profiles"
Files = Mapping[str, Sequence[Row]]


class BadProfile(ValueError):
    """The profile asks for something that its files or our columns do not have."""


@dataclass(frozen=True, slots=True)
class Join:
    file: str
    key: str


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of rows out of one file."""

    kind: str
    file: str
    columns: Mapping[str, Any]
    join: Join | None = None
    only: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Profile:
    """Steps in the order in which they are loaded. A cell equal to one of `nulls` is empty."""

    code: str
    title: str
    steps: tuple[Step, ...]
    nulls: frozenset[str]

    @property
    def files(self) -> list[str]:
        """The files it needs, each once, in the order of their first use."""
        named: dict[str, None] = {}
        for step in self.steps:
            named[step.file] = None
            if step.join:
                named[step.join.file] = None
            for source in step.columns.values():
                if isinstance(source, dict):
                    named |= {source[o]: None for o in ("via", "plus") if o in source}
                    if "unless" in source:
                        named[source["unless"]["file"]] = None
        return list(named)


def load_profile(code: str) -> Profile:
    """Read one of our profiles.

    Raises:
        BadProfile: there is none of that name.
    """
    path = FOLDER / f"{code}.toml"
    if path.parent != FOLDER or not path.is_file():
        raise BadProfile(f"There is no import profile “{code}”.")
    data = tomllib.loads(path.read_text())
    steps = tuple(
        Step(
            kind=step["kind"],
            file=step["file"],
            columns=step["columns"],
            join=Join(**step["join"]) if "join" in step else None,
            only=step.get("only", {}),
        )
        for step in data["step"]
    )
    return Profile(code, data["title"], steps, frozenset(data.get("nulls", ["NULL"])))


def plain_profile(kind: str, file: str, header: Sequence[str]) -> Profile:
    """Return the profile of a file that uses our own column names."""
    step = Step(kind=kind, file=file, columns={name: name for name in header})
    return Profile(code="", title=kind, steps=(step,), nulls=frozenset(["NULL"]))


def available_profiles() -> list[tuple[str, str]]:
    """Return (code, title) of every profile we ship."""
    codes = sorted(path.stem for path in FOLDER.glob("*.toml"))
    return [(code, load_profile(code).title) for code in codes]


def mapped(profile: Profile, step: Step, files: Files) -> Iterator[Row]:
    """Yield the step's rows in our columns, nulls emptied, in the file's order.

    Raises:
        BadProfile: a file or column that the step names is not there.
    """
    rows = _file(files, step.file)
    joined = (
        {row.cells.get(step.join.key): row for row in _file(files, step.join.file)}
        if (step.join)
        else {}
    )
    sources = {name: _Source(source, files) for name, source in step.columns.items()}
    _check_columns(profile, step, rows, joined)
    for row in rows:
        cells = row.cells
        if step.join:
            other = joined.get(cells.get(step.join.key))
            cells = {**(other.cells if other else {}), **cells}
        if any(cells.get(column) != wanted for column, wanted in step.only.items()):
            continue
        plain = {k: "" if v in profile.nulls else v for k, v in cells.items()}
        yield Row(row.number, {name: source.cell(plain) for name, source in sources.items()})


class _Source:
    """Where the cells of one column come from."""

    def __init__(self, source: Any, files: Files) -> None:
        self.said: dict[str, Any] = {"from": source} if isinstance(source, str) else dict(source)
        self.found: dict[str, str] = {}
        self.sums: dict[str, Decimal] = {}
        if "via" in self.said:
            for row in _file(files, self.said["via"]):
                self.found[row.cells[self.said["key"]]] = row.cells[self.said["take"]]
        if "plus" in self.said:
            left_out = _left_out(self.said.get("unless"), files)
            for row in _file(files, self.said["plus"]):
                if left_out and row.cells[self.said["unless"]["on"]] in left_out:
                    continue
                key = row.cells[self.said["key"]]
                amount = Decimal(row.cells[self.said["sum"]] or 0)
                self.sums[key] = self.sums.get(key, Decimal(0)) + amount

    def cell(self, cells: Mapping[str, str]) -> str:
        said = self.said
        if "const" in said:
            return str(said["const"])
        value = cells.get(said["from"], "")
        if "via" in said:
            value = self.found.get(value, "")
        if "plus" in said:
            value = str(
                Decimal(value or 0) + self.sums.get(cells.get(said["match"], ""), Decimal(0))
            )
        if "times" in said and value:
            value = str(Decimal(value) * Decimal(str(said["times"])))
        return f"{said.get('prefix', '')}{value}" if value else ""


def _left_out(unless: Mapping[str, str] | None, files: Files) -> frozenset[str]:
    if unless is None:
        return frozenset()
    return frozenset(
        row.cells[unless["key"]]
        for row in _file(files, unless["file"])
        if row.cells[unless["take"]] == unless["is"]
    )


def _file(files: Files, name: str) -> Sequence[Row]:
    if name not in files:
        raise BadProfile(f"The file {name} is missing.")
    return files[name]


def _check_columns(
    profile: Profile, step: Step, rows: Sequence[Row], joined: Mapping[Any, Row]
) -> None:
    if not rows:
        return
    known = set(rows[0].cells) | {c for row in list(joined.values())[:1] for c in row.cells}
    asked = {
        source if isinstance(source, str) else source.get("from")
        for source in step.columns.values()
    }
    missing = sorted(name for name in asked - known if name)
    if missing:
        raise BadProfile(f"{step.file} has no column {', '.join(missing)}.")
