"""What a user may be allowed to do with accounts."""

VIEW_ENTITY = "accounts.view_entity"

GRANTS: dict[str, list[str]] = {
    VIEW_ENTITY: [
        "customer_service",
        "order_desk",
        "credit",
        "pricing",
        "planner",
        "buyer",
        "warehouse",
        "shipping",
        "ar",
        "ap",
        "controller",
        "operations_lead",
        "executive",
        "steward",
        "administrator",
        "partner",
    ],
}
