"""Everything that brings files in, and takes them back."""

from erp.partners.services._importing import (
    FilesMissing,
    NothingToLoad,
    UnknownImport,
    advance_import,
    check_import,
    claim_import,
    receive_files,
    start_import,
)
from erp.partners.services._loading import Plan
from erp.partners.services._undoing import ImportShipped, undo_import

__all__ = [
    "FilesMissing",
    "ImportShipped",
    "NothingToLoad",
    "Plan",
    "UnknownImport",
    "advance_import",
    "check_import",
    "claim_import",
    "receive_files",
    "start_import",
    "undo_import",
]
