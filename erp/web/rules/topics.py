"""Which pages a fact concerns: from the fact's name to the topics that pages listen to."""

TOPICS: dict[str, tuple[str, ...]] = {
    "exceptions": ("exceptions",),
    "finance.invoice": ("invoices", "orders"),
    "finance.payment": ("payments", "invoices"),
    "finance.bill": ("bills",),
    "finance": ("invoices",),
    "governance.approval": ("approvals",),
    "governance": ("policies",),
    "inventory.shipment": ("shipments", "orders"),
    "inventory.pick": ("shipments", "exceptions"),
    "inventory.stock": ("stock",),
    "inventory.lot": ("stock",),
    "inventory.transfer": ("transfers", "stock"),
    "inventory": ("stock",),
    "orders": ("orders",),
    "outbox": ("jobs", "exceptions"),
    "partners.import": ("imports", "jobs"),
    "partners": ("jobs",),
    "procurement.purchase_order_received": ("receipts", "purchasing", "stock"),
    "procurement": ("purchasing",),
    "insight": ("insight",),
}


def topics_of(event_name: str) -> tuple[str, ...]:
    """Return the topics of a fact by the longest beginning of its name that has some."""
    known = [start for start in TOPICS if event_name.startswith(start)]
    return TOPICS[max(known, key=len)] if known else ()
