"""Serial numbers: the pieces that go along with what is posted."""

from inventory.services.numbering._carrying import BadSerial, SerialsNeeded
from inventory.services.numbering._picking import SerialPick

__all__ = ["BadSerial", "SerialPick", "SerialsNeeded"]
