"""What a user may be allowed to do with accounts."""

VIEW_ENTITY = "accounts.view_entity"
ADD_ENTITY = "accounts.add_entity"
CHANGE_ENTITY = "accounts.change_entity"

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
    ADD_ENTITY: ["administrator"],
    CHANGE_ENTITY: ["administrator", "controller"],
}
