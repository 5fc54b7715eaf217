"""Everything that changes bins and what lies in them."""

from inventory.services.binning._keeping import BinDraft, BinInUse, save_bin, upsert_bins
from inventory.services.binning._moving import BadBinMove, BinFull, BinTransfer, move_in_bins
from inventory.services.binning._picking import BinPick, NotInBin

__all__ = [
    "BadBinMove",
    "BinDraft",
    "BinFull",
    "BinInUse",
    "BinPick",
    "BinTransfer",
    "NotInBin",
    "move_in_bins",
    "save_bin",
    "upsert_bins",
]
