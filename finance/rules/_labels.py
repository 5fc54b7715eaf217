"""Carton labels in ZPL, 4 x 6 inches at 203 dots an inch."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 812, 1218


@dataclass(frozen=True, slots=True)
class CartonLabel:
    """What is printed on one carton. `sscc` is 18 digits; `to` is up to five lines of address."""

    sscc: str
    sender: str
    to: Sequence[str]
    order: str
    customer_po: str
    shipment: str
    carrier: str
    tracking: str
    place: int
    cartons: int
    weight: str


def zpl_of(labels: Sequence[CartonLabel]) -> str:
    """Return the labels as one ZPL job, in order."""
    return "".join(map(_label, labels))


def _label(label: CartonLabel) -> str:
    to = "".join(
        _text(40, 190 + 44 * row, 38, line) for row, line in enumerate(filter(None, label.to[:6]))
    )
    return "\n".join(
        [
            "^XA",
            f"^CI28^PW{WIDTH}^LL{HEIGHT}^LH0,0",
            _text(40, 40, 28, label.sender),
            "^FO40,90^GB732,3,3^FS",
            _text(40, 120, 28, "SHIP TO"),
            to,
            "^FO40,470^GB732,3,3^FS",
            _text(40, 500, 34, f"Order {label.order}"),
            _text(40, 545, 34, f"Your PO {label.customer_po}" if label.customer_po else ""),
            _text(40, 590, 34, f"Shipment {label.shipment}"),
            _text(440, 500, 34, f"Carton {label.place} of {label.cartons}"),
            _text(440, 545, 34, f"{label.weight} kg"),
            _text(440, 590, 34, label.carrier),
            _text(40, 640, 30, f"Tracking {label.tracking}" if label.tracking else ""),
            "^FO40,690^GB732,3,3^FS",
            _text(40, 715, 28, "SSCC"),
            # GS1-128: >; starts code C, >8 is FNC1, 00 says that a serial of a carton follows.
            f"^FO70,760^BY3^BCN,280,N,N,N,D^FD>;>800{label.sscc}^FS",
            _text(170, 1070, 40, f"(00) {label.sscc}"),
            "^XZ",
            "",
        ]
    )


def _text(x: int, y: int, height: int, text: str) -> str:
    if not text:
        return ""
    return f"^FO{x},{y}^A0N,{height},{height}^FH_^FD{escaped(text)[:180]}^FS"


def escaped(text: str) -> str:
    """Return `text` so that nothing in it is a command: `^`, `~` and `_` by their code."""
    plain = "".join(" " if ord(character) < 32 else character for character in text)  # noqa: PLR2004
    return "".join(f"_{ord(c):02X}" if c in "^~_" else c for c in plain)
