"""The dry run: which rows could be loaded, and a sentence for each that could not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from erp.partners.rules.columns import KINDS, Value, read_cells
from erp.partners.rules.profiles import Files, Profile, Step, mapped

# Which column of a kind names a row of which other kind.
REFERENCES: dict[str, dict[str, str]] = {
    "prices": {
        "product": "products",
        "customer": "customers",
        "group": "customer groups",
        "price_list": "price lists",
    },
    "offers": {"product": "products", "supplier": "suppliers"},
    "replenishment": {"product": "products", "node": "nodes"},
    "bins": {"product": "products", "node": "nodes"},
    "stock": {"product": "products", "node": "nodes"},
    "orders": {"product": "products", "customer": "customers", "carrier": "carriers"},
}
KEYS: dict[str, tuple[str, ...]] = {
    "products": ("code",),
    "customers": ("code",),
    "suppliers": ("code",),
    "carriers": ("code",),
    "prices": (
        "product",
        "customer",
        "group",
        "price_list",
        "currency",
        "uom",
        "min_quantity",
        "valid_from",
    ),
    "offers": ("product", "supplier"),
    "replenishment": ("product", "node"),
    "bins": ("node", "code"),
    "stock": ("product", "node"),
    "orders": ("order_ref", "product"),
}
HEADER = ("customer", "customer_po", "requested_date", "ordered_on", "shipped_on", "freight")
TIERS = {"A", "B", "C", "D"}


@dataclass(frozen=True, slots=True)
class Issue:
    file: str
    row: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class Loadable:
    """One row that can be loaded: its line in the file and its values in our columns."""

    number: int
    values: dict[str, Value]


@dataclass(slots=True)
class Checked:
    """What a dry run found, step by step. `new` and `known` count keys that are not or are ours."""

    steps: list[tuple[Step, list[Loadable]]] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    rows: int = 0

    @property
    def loadable(self) -> int:
        return sum(len(rows) for _, rows in self.steps)


def check_files(profile: Profile, files: Files, known: Mapping[str, set[str]]) -> Checked:
    """Read every step of `profile`; `known` is the codes that exist already, by kind.

    A code that an earlier step of the same files brings counts as known. An order with one wrong
    line is left out whole: half an order is worse than none.

    Raises:
        BadProfile: a file or column is missing.
    """
    result = Checked()
    codes = {kind: set(names) for kind, names in known.items()}
    for step in profile.steps:
        rows = list(mapped(profile, step, files))
        result.rows += len(rows)
        loadable, issues = _check_step(step, rows, codes)
        if step.kind == "orders":
            loadable, issues = _whole_orders(step, loadable, issues, rows)
        result.steps.append((step, loadable))
        result.issues.extend(issues)
        if KEYS[step.kind] == ("code",):
            codes.setdefault(step.kind, set()).update(str(row.values["code"]) for row in loadable)
    return result


def _check_step(
    step: Step, rows: Sequence[object], codes: Mapping[str, set[str]]
) -> tuple[list[Loadable], list[Issue]]:
    columns = KINDS[step.kind]
    loadable: list[Loadable] = []
    issues: list[Issue] = []
    seen: dict[tuple[Value, ...], int] = {}
    for row in rows:
        number, cells = row.number, row.cells  # type: ignore[attr-defined]
        values, wrong = read_cells(columns, cells)
        wrong += _unknown_references(step.kind, values, codes)
        if step.kind == "customers" and (values.get("tier") or "C") not in TIERS:
            wrong.append(("tier", "tier must be A, B, C or D."))
        key = tuple(values.get(name) for name in KEYS[step.kind])
        if not wrong and key in seen:
            wrong.append((KEYS[step.kind][0], f"the same row stands on line {seen[key]}."))
        if wrong:
            issues.extend(Issue(step.file, number, column, said) for column, said in wrong)
        else:
            seen[key] = number
            loadable.append(Loadable(number, values))
    return loadable, issues


def _unknown_references(
    kind: str, values: Mapping[str, Value], codes: Mapping[str, set[str]]
) -> list[tuple[str, str]]:
    return [
        (column, f"{column}: there is no “{values[column]}” among the {target}.")
        for column, target in REFERENCES.get(kind, {}).items()
        if values.get(column) and values[column] not in codes.get(target, set())
    ]


def _whole_orders(
    step: Step, loadable: list[Loadable], issues: list[Issue], rows: Sequence[object]
) -> tuple[list[Loadable], list[Issue]]:
    refs = {row.number: row.cells.get("order_ref") for row in rows}  # type: ignore[attr-defined]
    first: dict[Value, Loadable] = {}
    for row in loadable:
        head = first.setdefault(row.values["order_ref"], row)
        for column in HEADER:
            if row.values.get(column) != head.values.get(column):
                said = f"{column} differs from line {head.number} of the same order."
                issues.append(Issue(step.file, row.number, column, said))
    broken = {refs[issue.row] for issue in issues}
    kept = [row for row in loadable if row.values["order_ref"] not in broken]
    left_out = len(loadable) - len(kept)
    if left_out:
        issues.append(
            Issue(step.file, 0, "", f"{left_out} good lines are left out with their orders.")
        )
    return kept, issues
