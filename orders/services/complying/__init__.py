"""Everything that changes what the law asks of orders: rules, licences, lists, matches."""

from orders.services.complying._importing import EmptyList, ImportedList, PartyListRow
from orders.services.complying._keeping import (
    BadComplianceRow,
    CertificateRow,
    ExceptionRow,
    LicenceRow,
    RestrictionRow,
    save_compliance,
)
from orders.services.complying._rescreening import (
    Compared,
    Walked,
    compare_parties,
    stop_matched,
)
from orders.services.complying._restricting import stop_restricted
from orders.services.complying._reviewing import MatchReviewed, clear_waiting, review_match

__all__ = [
    "BadComplianceRow",
    "CertificateRow",
    "Compared",
    "EmptyList",
    "ExceptionRow",
    "ImportedList",
    "LicenceRow",
    "MatchReviewed",
    "PartyListRow",
    "RestrictionRow",
    "Walked",
    "clear_waiting",
    "compare_parties",
    "review_match",
    "save_compliance",
    "stop_matched",
    "stop_restricted",
]
