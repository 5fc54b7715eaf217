"""What a user may be allowed to do with purchasing."""

VIEW = "procurement.view_purchaseorder"
WRITE = "procurement.write_purchase_order"
APPROVE = "procurement.approve_purchase_order"
APPROVE_LARGE = "procurement.approve_large_purchase_order"
SEND = "procurement.send_purchase_order"
VIEW_PROPOSAL = "procurement.view_purchaseproposal"
DECIDE = "procurement.decide_proposal"
VIEW_SUPPLIER = "procurement.view_supplier"
CHANGE_SUPPLIER = "procurement.change_supplier"

STAFF = [
    "customer_service",
    "order_desk",
    "planner",
    "buyer",
    "warehouse",
    "ap",
    "controller",
    "operations_lead",
    "executive",
    "steward",
    "administrator",
]

GRANTS: dict[str, list[str]] = {
    VIEW: STAFF,
    WRITE: ["buyer", "planner"],
    APPROVE: ["operations_lead", "controller", "executive"],
    APPROVE_LARGE: ["controller", "executive"],
    SEND: ["buyer"],
    VIEW_PROPOSAL: STAFF,
    DECIDE: ["planner", "buyer"],
    VIEW_SUPPLIER: STAFF,
    CHANGE_SUPPLIER: ["steward", "buyer", "administrator"],
}
