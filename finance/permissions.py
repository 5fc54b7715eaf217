"""What a user may be allowed to do with money."""

VIEW_INVOICE = "finance.view_invoice"
POST_INVOICE = "finance.post_invoice"
VIEW_PAYMENT = "finance.view_payment"
POST_PAYMENT = "finance.post_payment"
VIEW_LEDGER = "finance.view_journalentry"
WRITE_ENTRY = "finance.write_journalentry"
CLOSE_PERIOD = "finance.close_period"

STAFF = [
    "customer_service",
    "order_desk",
    "credit",
    "pricing",
    "ar",
    "ap",
    "controller",
    "operations_lead",
    "executive",
    "administrator",
]

GRANTS: dict[str, list[str]] = {
    VIEW_INVOICE: [*STAFF, "shipping", "partner"],
    POST_INVOICE: ["ar", "controller"],
    VIEW_PAYMENT: [*STAFF, "partner"],
    POST_PAYMENT: ["ar", "controller"],
    VIEW_LEDGER: ["ar", "ap", "controller", "executive", "administrator"],
    WRITE_ENTRY: ["controller"],
    CLOSE_PERIOD: ["controller"],
}
