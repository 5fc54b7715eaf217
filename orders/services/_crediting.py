"""What credit agrees to beyond the plain limit: temporary limits, insurance, longer terms."""

from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Change, record, refuse_conflict
from erp.kernel.errors import DomainError
from orders.models import CreditAccount
from orders.services._chaining import limit_acts
from orders.services._holding import ReasonMissing
from orders.services._locking import lock
from orders.services._reevaluating import reevaluate_credit_holds


class BadCreditTerms(DomainError):
    """An amount is negative, or a temporary limit has not its days. `errors` names the field."""

    code: ClassVar[str] = "bad_credit_terms"

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.errors = [{"field": field, "code": self.code, "message": sentence}]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditTerms:
    """What credit agreed to for one account, in its currency; see `CreditAccount`.

    Days are good up to and with the day named. `agreed_terms_days` none: no terms are agreed.
    """

    temporary_limit: Decimal = Decimal(0)
    temporary_from: date | None = None
    temporary_until: date | None = None
    limit_until: date | None = None
    order_limit: Decimal = Decimal(0)
    insured_amount: Decimal = Decimal(0)
    insured_until: date | None = None
    agreed_terms_days: int | None = 30

    @classmethod
    def of(cls, account: CreditAccount) -> "CreditTerms":
        """Return what stands: a start for what is to be changed."""
        return cls(**{each.name: getattr(account, each.name) for each in fields(cls)})


@transaction.atomic
def agree_credit(
    *, account_id: int, terms: CreditTerms, actor: User | None, reason: str, now: datetime
) -> CreditAccount:
    """Bring what credit agreed to for an account to `terms`; its held orders are asked again.

    Doing it again changes nothing. Locks the account, then the orders held on its credit. Publishes
    HoldLifted and OrderReleased for what passes now.

    Raises:
        CreditAccount.DoesNotExist: there is no such account.
        ReasonMissing: no reason is given.
        BadCreditTerms: an amount is negative, or a temporary limit has not its first and last day.
        DutyConflict: more may be owed for orders that the person wrote.
    """
    if not reason.strip():
        raise ReasonMissing("Say why.")
    refuse_terms(terms)
    lock([], [account_id])
    account = CreditAccount.objects.get(pk=account_id)
    changed = {
        field.name: getattr(terms, field.name)
        for field in fields(CreditTerms)
        if getattr(terms, field.name) != getattr(account, field.name)
    }
    if not changed:
        return account
    if actor is not None:
        raised = limit_acts([(account.entity_id, account.customer_id, _most(account, terms))])
        refuse_conflict(actor=actor, duty="orders.raise_limit", acts=raised, now=now)
    before = {name: getattr(account, name) for name in changed}
    for name, value in changed.items():
        setattr(account, name, value)
    account.save(update_fields=list(changed))
    change = Change(
        entity_id=account.entity_id,
        action="orders.agree_credit",
        subject_kind="orders.account",
        subject_id=account_id,
        thread=f"orders.customer:{account.customer_id}",
        before=_plain(before),
        after=_plain(changed),
        reason=reason.strip()[:300],
    )
    record(changes=[change], actor=actor, now=now)
    said = ", ".join(name.replace("_", " ") for name in changed)
    reevaluate_credit_holds(account_ids=[account_id], cause=f"Changed: {said}", now=now)
    return CreditAccount.objects.get(pk=account_id)


def _most(account: CreditAccount, terms: CreditTerms) -> Decimal:
    """Return what may be owed at most by these terms; the plain limit where that is not raised."""
    most = account.credit_limit
    if terms.temporary_limit > account.temporary_limit:
        most = max(most, terms.temporary_limit)
    return most + max(Decimal(0), terms.insured_amount - account.insured_amount)


def refuse_terms(terms: CreditTerms) -> None:
    """Raise BadCreditTerms where an amount or the days of a temporary limit make no sense."""
    for name in ("temporary_limit", "order_limit", "insured_amount"):
        amount: Decimal = asdict(terms)[name]
        if not amount.is_finite() or amount < 0:
            raise BadCreditTerms(name, "An amount is zero or more.")
    first, last = terms.temporary_from, terms.temporary_until
    if (first is None) != (last is None) or (terms.temporary_limit and first is None):
        raise BadCreditTerms("temporary_from", "A temporary limit has a first and a last day.")
    if first is not None and last is not None and last < first:
        raise BadCreditTerms("temporary_until", "The last day is not before the first.")


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {n: v.isoformat() if isinstance(v, date) else v for n, v in values.items()}
