"""orders/services/crediting/_asking.py and bank accounts in orders/services/_asking.py"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from erp.accounts.models import User
from erp.governance.models import Approval, AuditEntry, ChangeRequest
from erp.governance.services import OwnRequest, approve, settle_change
from orders.models import CreditAccount, Customer, Order
from orders.services import CreditTerms, ReasonMissing, agree_credit, request_customer_changes
from orders.services._crediting import BadCreditTerms
from orders.services.crediting import request_credit_terms
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
INSURED = CreditTerms(insured_amount=Decimal(200), insured_until=make.TODAY + timedelta(days=90))
IBAN = "DE89370400440532013000"


@pytest.fixture
def clerk() -> User:
    return make.person("asks", "customer_service")


@pytest.fixture
def credit() -> User:
    return make.person("agrees", "credit")


def asked(on: CreditAccount, terms: CreditTerms, actor: User | None) -> ChangeRequest | None:
    return request_credit_terms(
        account_id=on.pk, terms=terms, reason="Insurer agreed", actor=actor, now=make.NOW
    )


def agree(change: ChangeRequest | None, actor: User) -> None:
    assert change is not None
    found = Approval.objects.get(document_id=change.pk)
    approve(approval_id=found.pk, actor=actor, fingerprint=found.fingerprint, now=make.NOW)


class TestRequestCreditTerms:
    def test_changes_nothing_until_somebody_else_agrees(
        self, clerk: User, credit: User, deliver_all: Callable[[], int]
    ) -> None:
        on = make.account(limit="100")
        waits = make.submitted(on, make.line(make.priced("250")), actor=None)

        change = asked(on, INSURED, clerk)

        on.refresh_from_db()
        assert (on.insured_amount, waits.state) == (0, "held")
        assert change is not None
        assert change.after == {"insured_amount": "200", "insured_until": "2027-02-21"}
        agree(change, credit)
        deliver_all()
        on.refresh_from_db()
        assert (on.insured_amount, on.insured_until) == (200, INSURED.insured_until)
        assert Order.objects.get(pk=waits.pk).state in {"released", "backordered"}

    def test_is_not_agreed_to_by_who_asked(self, credit: User) -> None:
        change = asked(make.account(), INSURED, credit)

        with pytest.raises(OwnRequest):
            agree(change, credit)

    @pytest.mark.parametrize("is_twin", [False, True])
    def test_is_not_written_by_who_wrote_the_order_that_waits(
        self, clerk: User, *, is_twin: bool
    ) -> None:
        author = make.person("mira", "credit", employee_ref="E-7")
        twin = make.person("mira2", "credit", employee_ref="E-7")
        on = make.account(limit="100")
        waits = make.submitted(on, make.line(make.priced("250")), actor=author)
        change = asked(on, INSURED, clerk)

        decider = twin if is_twin else author
        agree(change, decider)
        assert change is not None
        settled = settle_change(
            change_id=change.pk,
            state="approved",
            decided_by=decider,
            reason="",
            now=make.NOW + timedelta(hours=1),
        )

        on.refresh_from_db()
        assert (on.insured_amount, settled.state) == (0, "void")
        assert "wrote an order of this customer that waits" in settled.note
        assert Order.objects.get(pk=waits.pk).state == "held"

    def test_asks_for_nothing_where_nothing_changes(self, clerk: User) -> None:
        on = make.account()

        assert asked(on, CreditTerms.of(on), clerk) is None
        assert not ChangeRequest.objects.exists()

    def test_is_void_where_the_terms_moved_meanwhile(
        self, clerk: User, credit: User, deliver_all: Callable[[], int]
    ) -> None:
        on = make.account()
        change = asked(on, INSURED, clerk)
        terms = replace(CreditTerms.of(on), insured_amount=Decimal(50))
        agree_credit(account_id=on.pk, terms=terms, actor=None, reason="Other", now=make.NOW)

        agree(change, credit)
        deliver_all()

        on.refresh_from_db()
        assert on.insured_amount == 50
        assert change is not None
        assert ChangeRequest.objects.get(pk=change.pk).state == "void"

    def test_refuses_terms_that_make_no_sense_at_once(self, clerk: User) -> None:
        on = make.account()

        with pytest.raises(BadCreditTerms):
            asked(on, CreditTerms(temporary_limit=Decimal(5)), clerk)
        with pytest.raises(ReasonMissing):
            request_credit_terms(
                account_id=on.pk, terms=INSURED, reason=" ", actor=clerk, now=make.NOW
            )
        assert not ChangeRequest.objects.exists()


class TestABankAccount:
    def test_changes_by_agreement_only_and_stands_beside_the_trail(
        self, clerk: User, credit: User, deliver_all: Callable[[], int]
    ) -> None:
        on = make.account()

        [change] = request_customer_changes(
            customer_id=on.customer_id,
            entity_id=on.entity_id,
            wanted={"bank_account": IBAN},
            reason="Letter of 3 May",
            actor=clerk,
            now=make.NOW,
        )

        assert IBAN not in change.label
        assert Customer.objects.get(pk=on.customer_id).bank_account == ""
        agree(change, credit)
        deliver_all()
        assert Customer.objects.get(pk=on.customer_id).bank_account == IBAN
        entry = AuditEntry.objects.get(action="orders.change_bank_account")
        assert IBAN not in str(entry.after)


class TestTheConsequence:
    @pytest.mark.parametrize(
        ("limit", "said"), [("150", "More may be owed by"), ("50", "Less may be owed by")]
    )
    def test_of_another_limit_is_said_in_money(self, clerk: User, limit: str, said: str) -> None:
        on = make.account(limit="100")

        request_customer_changes(
            customer_id=on.customer_id,
            entity_id=on.entity_id,
            wanted={"credit_limit": Decimal(limit)},
            reason="x",
            actor=clerk,
            now=make.NOW,
        )

        (effect,) = Approval.objects.get().effects
        assert (effect["kind"], effect["text"]) == ("money", said)
        assert (Decimal(effect["amount"]), effect["currency"]) == (50, on.currency)
