"""The Northwind sample through the importer, and its open orders to cash through the services."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import transaction

from erp.accounts.models import Entity, Role
from erp.accounts.services import assign_role, create_entity, create_user
from erp.insight.selectors import verify_all
from erp.kernel.sql import rows
from erp.partners.models import ImportJob
from erp.partners.rules.profiles import load_profile
from erp.partners.selectors import issues_of, read_import
from erp.partners.services import (
    ImportShipped,
    Plan,
    advance_import,
    check_import,
    receive_files,
    start_import,
    undo_import,
)
from finance.services import (
    PaymentDraft,
    invoice_shipments,
    open_books,
    post_payments,
    receive_purchase_order,
    ship_shipments,
)
from inventory.services import NodeDraft, Pack, Pick, pack_shipments, upsert_nodes
from orders.services import allocate_orders, pick_shipments
from procurement.services import (
    PurchaseLine,
    accept_proposals,
    approve_order,
    replenish,
    send_order,
    submit_order,
    write_order,
)

DATA = Path(__file__).parents[4] / "shared" / "data" / "northwind"
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the Northwind sample is not at {DATA}")


def figure(statement: str) -> object:
    return rows(statement.replace("%", "%%"))[0][0]


@pytest.fixture(scope="module")
def loaded(django_db_setup, django_db_blocker) -> Iterator[ImportJob]:
    """The sample, imported once for this module and rolled back afterwards."""
    with django_db_blocker.unblock():
        block = transaction.atomic()
        block.__enter__()
        try:
            entity = create_entity(code="NW", name="Northwind", currency="USD", country="US")
            open_books(entity_id=entity.pk, now=NOW)
            node = NodeDraft(code="NW-MAIN", name="Main", entity_id=entity.pk, country="US")
            upsert_nodes(drafts=[node], actor=None, now=NOW)
            yield load(entity)
        finally:
            transaction.set_rollback(True)
            block.__exit__(None, None, None)


def load(entity: Entity) -> ImportJob:
    files = {n: (DATA / n).read_bytes() for n in load_profile("northwind").files}
    job = receive_files(entity=entity, files=files, profile="northwind", actor=None, now=NOW)
    job = check_import(job_id=job.pk, now=NOW)
    assert not issues_of(job_id=job.pk), [i.message for i in issues_of(job_id=job.pk)]
    start_import(job_id=job.pk, actor=None, now=NOW)
    plan = Plan(read_import(job=job))
    while advance_import(job_id=job.pk, plan=plan, now=NOW):
        pass
    return ImportJob.objects.get(pk=job.pk)


class TestFigures:
    """SOURCES.md, figure by figure."""

    def test_every_row_was_loaded(self, loaded: ImportJob) -> None:
        assert (loaded.state, loaded.message) == ("done", "")
        assert loaded.rows_done == loaded.rows_total
        assert loaded.rows_wrong == 0

    @pytest.mark.parametrize(
        ("expected", "statement"),
        [
            (91, "SELECT count(*) FROM orders_customer WHERE code LIKE 'NW-%'"),
            (29, "SELECT count(*) FROM procurement_supplier WHERE code LIKE 'NW-%'"),
            (77, "SELECT count(*) FROM inventory_product WHERE code LIKE 'NW-%'"),
            (8, "SELECT count(*) FROM inventory_product WHERE is_discontinued"),
            (830, "SELECT count(*) FROM orders_order"),
            (2155, "SELECT count(*) FROM orders_orderline"),
            ("1354458.59", "SELECT round(sum(quantity * unit_price), 2) FROM orders_orderline"),
            ("1265793.04", "SELECT round(sum(amount), 2) FROM orders_orderline"),
            ("64942.69", "SELECT round(sum(freight), 2) FROM orders_order"),
            (21, "SELECT count(*) FROM orders_order WHERE shipped_at IS NULL"),
            (
                37,
                "SELECT count(*) FROM orders_order WHERE shipped_at::date > requested_date",
            ),
            (
                "95.43",
                (
                    "SELECT round(100.0 * count(*)"
                    " FILTER (WHERE shipped_at::date <= requested_date)"
                    " / count(*), 2) FROM orders_order WHERE shipped_at IS NOT NULL"
                ),
            ),
            (
                "8.492",
                (
                    "SELECT round(avg(shipped_at::date - submitted_at::date), 3) FROM orders_order"
                    " WHERE shipped_at IS NOT NULL"
                ),
            ),
            (3119, "SELECT sum(on_hand) FROM inventory_stock"),
            (
                "74050.85",
                (
                    "SELECT round(sum(s.on_hand * p.unit_price), 2) FROM inventory_stock s"
                    " JOIN orders_price p ON p.product_id = s.product_id"
                ),
            ),
            (
                0,
                "SELECT count(*) FROM orders_customer WHERE 'NULL' IN (region, postal_code, phone)",
            ),
            (
                5,
                "SELECT count(*) FROM orders_customer WHERE city LIKE 'México%'",
            ),
        ],
    )
    def test_figure(self, loaded: ImportJob, expected: object, statement: str) -> None:
        assert figure(statement) == (Decimal(expected) if isinstance(expected, str) else expected)

    def test_history_left_no_drift(self, loaded: ImportJob) -> None:
        assert [f for f in verify_all() if f.violations] == []

    def test_what_has_shipped_cannot_be_undone(self, loaded: ImportJob) -> None:
        with pytest.raises(ImportShipped):
            undo_import(job_id=loaded.pk, actor=None, now=NOW)
        assert figure("SELECT count(*) FROM orders_order") == 830

    def test_importing_again_makes_no_second_order(self, loaded: ImportJob) -> None:
        with transaction.atomic():
            # Stock would come in twice: an opening balance is a fact of its own each time.
            again = load(loaded.entity)
            assert again.state == "done"
            assert figure("SELECT count(*) FROM orders_order") == 830
            assert figure("SELECT count(*) FROM inventory_shipment") == figure(
                "SELECT count(DISTINCT id) FROM inventory_shipment"
            )
            transaction.set_rollback(True)


def test_the_open_orders_run_to_cash(loaded: ImportJob) -> None:
    """Short ones wait for what replenishment buys; then all 21 are picked, shipped and paid."""
    entity = loaded.entity
    people = {}
    for role in (Role.BUYER, Role.OPERATIONS_LEAD, Role.WAREHOUSE):
        people[role] = create_user(username=f"nw-{role}", password=None)
        assign_role(user=people[role], entity=entity, role=role)
    open_ids = [r[0] for r in rows("SELECT id FROM orders_order WHERE shipped_at IS NULL")]
    assert len(open_ids) == 21

    for attempt in range(2):
        at = NOW + timedelta(days=attempt)
        buy_what_is_missing(entity, at, people)
        waiting = [
            r[0]
            for r in rows(
                "SELECT id FROM orders_order"
                " WHERE state IN ('backordered', 'partly_allocated', 'partly_shipped')"
            )
        ]
        if waiting:
            allocate_orders(order_ids=waiting, limit=100, cause="test", now=at)
        ship_and_bill(at, people)
    collect(entity, NOW + timedelta(days=10))

    states = rows(
        "SELECT state, count(*) FROM orders_order WHERE id = ANY(%s) GROUP BY 1", [open_ids]
    )
    assert states == [("closed", 21)]
    assert figure("SELECT count(*) FROM orders_order WHERE shipped_at IS NULL") == 0
    assert [f for f in verify_all() if f.violations] == []


MISSING = """
    SELECT f.supplier_id, l.product_id, sum(l.waiting) FROM orders_orderline l
    JOIN orders_order o ON o.id = l.order_id
    JOIN procurement_supplierproduct f ON f.product_id = l.product_id
    WHERE l.waiting > 0 AND o.state IN ('backordered', 'partly_allocated', 'partly_shipped')
    GROUP BY 1, 2 ORDER BY 1, 2
"""


def buy_what_is_missing(entity: Entity, at: datetime, people: dict) -> None:
    """Let replenishment propose; what it does not buy again (discontinued) a buyer orders once."""
    replenish(keys=None, now=at)
    proposals = [
        r[0] for r in rows("SELECT id FROM procurement_purchaseproposal WHERE state = 'open'")
    ]
    buyer = people[Role.BUYER]
    orders = [o.id for o in accept_proposals(proposal_ids=proposals, actor=buyer, now=at)]
    node = rows("SELECT id FROM inventory_node")[0][0]
    for supplier, product, waiting in rows(MISSING):
        line = PurchaseLine(product_id=product, quantity=waiting)
        written = write_order(
            entity_id=entity.pk, supplier_id=supplier, node_id=node, lines=[line], actor=buyer,
            now=at,
        )  # fmt: skip
        orders.append(written.pk)
    for order_id in orders:
        if submit_order(order_id=order_id, actor=buyer, now=at).state == "pending":
            approve_order(order_id=order_id, actor=people[Role.OPERATIONS_LEAD], now=at)
        send_order(order_id=order_id, actor=buyer, now=at)
        lines = rows(
            "SELECT id, quantity FROM procurement_purchaseorderline WHERE order_id = %s", [order_id]
        )
        receive_purchase_order(order_id=order_id, lines=lines, actor=people[Role.WAREHOUSE], now=at)


def ship_and_bill(at: datetime, people: dict) -> None:
    ids = [r[0] for r in rows("SELECT id FROM inventory_shipment WHERE state = 'planned'")]
    if ids:
        pick_shipments(
            picks=[Pick(shipment_id=i) for i in ids], actor=people[Role.WAREHOUSE], now=at
        )
        pack_shipments(
            packs=[Pack(shipment_id=i) for i in ids], actor=people[Role.WAREHOUSE], now=at
        )
        ship_shipments(shipment_ids=ids, actor=people[Role.WAREHOUSE], now=at)
        invoice_shipments(shipment_ids=ids, now=at)


def collect(entity: Entity, at: datetime) -> None:
    unpaid = rows(
        "SELECT customer_id, number, total - paid FROM finance_invoice"
        " WHERE state IN ('posted', 'partly_paid')"
    )
    post_payments(
        payments=[
            PaymentDraft(
                entity_id=entity.pk,
                customer_id=customer,
                amount=owed,
                reference=number,
                received_date=at.date(),
                allocations=[(number, owed)],
            )
            for customer, number, owed in unpaid
        ],
        actor=None,
        now=at,
    )
