"""What a user may be allowed to do with figures."""

VIEW = "insight.view_figure"

STAFF = [
    "customer_service", "order_desk", "credit", "pricing", "planner", "buyer", "warehouse",
    "shipping", "ar", "ap", "controller", "operations_lead", "executive", "steward",
    "administrator",
]  # fmt: skip

GRANTS: dict[str, list[str]] = {VIEW: STAFF}
