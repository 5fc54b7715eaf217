"""Which restrictions touch a line, which exceptions lift them, and what a licence still covers."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

UNDECLARED = "undeclared"


@dataclass(frozen=True, slots=True)
class ExportLine:
    """What restrictions look at. `value` is in the order's currency, `quantity` in base units.

    Countries are ISO codes, empty where they are not known. `on` is the entity's date.
    """

    id: int
    position: int
    order_id: int
    entity_id: int
    customer_id: int
    product: str
    export_code: str
    category: str
    controlled_share: Decimal
    sell_to: str
    ship_to: str
    purposes: frozenset[str]
    quantity: Decimal
    value: Decimal
    currency: str
    on: date


@dataclass(frozen=True, slots=True)
class Scope:
    """What a restriction or an exception is about; what is empty does not matter."""

    entity_id: int | None
    coverage: str
    coverage_value: str
    sell_to: Collection[str]
    ship_to: Collection[str]
    purposes: Collection[str]
    valid_from: date
    valid_until: date | None

    def covers(self, line: ExportLine) -> bool:
        return (
            self.entity_id in (None, line.entity_id)
            and in_force(self.valid_from, self.valid_until, line.on)
            and self._names(line)
            and (not self.sell_to or line.sell_to in self.sell_to)
            and (not self.ship_to or line.ship_to in self.ship_to)
            and (not self.purposes or bool(line.purposes & set(self.purposes)))
        )

    def _names(self, line: ExportLine) -> bool:
        if self.coverage == "category":
            return line.category == self.coverage_value
        if self.coverage == "export_code":
            return line.export_code.startswith(self.coverage_value)
        return True


@dataclass(frozen=True, slots=True)
class Restriction:
    """One rule under which a line needs an exception; from an embargo there is none."""

    id: int
    code: str
    jurisdiction: str
    is_embargo: bool
    de_minimis: Decimal
    scope: Scope

    def touches(self, line: ExportLine) -> bool:
        return line.controlled_share > self.de_minimis and self.scope.covers(line)


@dataclass(frozen=True, slots=True)
class Waiver:
    """An exception: why a line may go although a restriction touches it."""

    id: int
    code: str
    jurisdiction: str
    restriction_id: int | None
    customer_id: int | None
    needs_licence: bool
    scope: Scope

    def lifts(self, restriction: Restriction, line: ExportLine) -> bool:
        return (
            not restriction.is_embargo
            and self.jurisdiction == restriction.jurisdiction
            and self.restriction_id in (None, restriction.id)
            and self.customer_id in (None, line.customer_id)
            and self.scope.covers(line)
        )


@dataclass(slots=True)
class Licence:
    """Leave to ship so much; `quantity` and `value` are what is left, None without bound."""

    id: int
    number: str
    entity_id: int
    jurisdiction: str
    customer_id: int | None
    ship_to: Collection[str]
    export_code: str
    currency: str
    quantity: Decimal | None
    value: Decimal | None
    valid_from: date
    valid_until: date | None

    def fits(self, jurisdiction: str, line: ExportLine) -> bool:
        """Test if the licence is for such lines at all, whatever is left of it."""
        return (
            self.entity_id == line.entity_id
            and self.jurisdiction == jurisdiction
            and self.currency == line.currency
            and self.customer_id in (None, line.customer_id)
            and (not self.ship_to or line.ship_to in self.ship_to)
            and line.export_code.startswith(self.export_code)
            and in_force(self.valid_from, self.valid_until, line.on)
        )

    def suffices(self, line: ExportLine) -> bool:
        """Test if enough is left; what uses it up exactly is enough."""
        return (self.quantity is None or line.quantity <= self.quantity) and (
            self.value is None or line.value <= self.value
        )

    def take(self, line: ExportLine) -> None:
        if self.quantity is not None:
            self.quantity -= line.quantity
        if self.value is not None:
            self.value -= line.value


@dataclass(frozen=True, slots=True)
class Ruling:
    """What was found about one line under one restriction: the receipt."""

    line: ExportLine
    restriction: Restriction
    outcome: str  # excepted, licensed, embargoed, no_exception or no_licence
    waiver: Waiver | None = None
    licence: Licence | None = None
    missing: str = ""

    @property
    def passes(self) -> bool:
        return self.outcome in {"excepted", "licensed"}


@dataclass(slots=True)
class Rulebook:
    """All that is in force, and what is left of the licences while lines are ruled on in turn."""

    restrictions: Sequence[Restriction]
    waivers: Sequence[Waiver]
    licences: Sequence[Licence] = field(default_factory=list)

    def rule_on(self, lines: Iterable[ExportLine]) -> list[Ruling]:
        """Rule on each line under each restriction that touches it, in turn.

        What a line takes of a licence the lines after it do not have. A line that fails under any
        restriction takes nothing.
        """
        return [ruling for line in lines for ruling in self._rule(line)]

    def _rule(self, line: ExportLine) -> list[Ruling]:
        touched = [each for each in self.restrictions if each.touches(line)]
        found = [self._try(restriction, line) for restriction in touched]
        if all(ruling.passes for ruling in found):
            for licence in {r.licence.id: r.licence for r in found if r.licence}.values():
                licence.take(line)
        return found

    def _try(self, restriction: Restriction, line: ExportLine) -> Ruling:
        if restriction.is_embargo:
            said = f"{restriction.code}: there is no exception from an embargo."
            return Ruling(line, restriction, "embargoed", missing=said)
        waivers = [each for each in self.waivers if each.lifts(restriction, line)]
        free = next((each for each in waivers if not each.needs_licence), None)
        if free is not None:
            return Ruling(line, restriction, "excepted", waiver=free)
        if not waivers:
            said = f"{restriction.code} ({restriction.jurisdiction}): no exception matches."
            return Ruling(line, restriction, "no_exception", missing=said)
        fitting = [each for each in self.licences if each.fits(restriction.jurisdiction, line)]
        licence = next((each for each in fitting if each.suffices(line)), None)
        if licence is None:
            said = f"{restriction.code}: {_lacking(fitting, line)}"
            return Ruling(line, restriction, "no_licence", waiver=waivers[0], missing=said)
        return Ruling(line, restriction, "licensed", waiver=waivers[0], licence=licence)


def _lacking(fitting: Sequence[Licence], line: ExportLine) -> str:
    if not fitting:
        return "no licence is valid for this customer, country and code."
    best = max(fitting, key=lambda each: (each.quantity or 0, each.value or 0))
    left = []
    if best.quantity is not None and best.quantity < line.quantity:
        left.append(f"{best.quantity.normalize():f} of {line.quantity.normalize():f} units")
    if best.value is not None and best.value < line.value:
        left.append(f"{best.value:.2f} of {line.value:.2f} {line.currency}")
    return f"licence {best.number} has {' and '.join(left)} left."


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate that a customer has shown. No classes: all of them."""

    customer_id: int
    kind: str
    classes: Collection[str]
    purpose: str
    valid_from: date
    valid_until: date | None


def uncertified(
    needs: Mapping[str, str], shown: Sequence[Shown], customer_id: int, on: date
) -> list[str]:
    """Return what the customer has not shown, as sentences.

    `needs` maps hazmat to the class and licence to the product, where a line needs them.
    """
    valid = [
        each
        for each in shown
        if each.customer_id == customer_id and in_force(each.valid_from, each.valid_until, on)
    ]
    said = []
    hazard = needs.get("hazmat")
    if hazard and not any(
        each.kind == "hazmat" and (not each.classes or hazard in each.classes) for each in valid
    ):
        said.append(f"No valid certificate for dangerous goods of class {hazard}.")
    if needs.get("licence") and not any(each.kind == "licence" for each in valid):
        said.append(f"No valid licence to buy {needs['licence']}.")
    return said


def purposes_of(shown: Sequence[Shown], customer_id: int, on: date) -> frozenset[str]:
    """Return what the customer has certified the goods to be for, as of that day."""
    found = frozenset(
        each.purpose
        for each in shown
        if each.customer_id == customer_id
        and each.kind == "end_use"
        and in_force(each.valid_from, each.valid_until, on)
    )
    return found or frozenset({UNDECLARED})


def in_force(valid_from: date, valid_until: date | None, on: date) -> bool:
    """Test if a day lies in [valid_from, valid_until)."""
    return valid_from <= on and (valid_until is None or on < valid_until)
