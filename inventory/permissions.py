"""What a user may be allowed to do with stock and shipments."""

VIEW_STOCK = "inventory.view_stock"
VIEW_PRODUCT = "inventory.view_product"
CHANGE_PRODUCT = "inventory.change_product"
VIEW_NODE = "inventory.view_node"
CHANGE_NODE = "inventory.change_node"
VIEW_CARRIER = "inventory.view_carrier"
CHANGE_CARRIER = "inventory.change_carrier"
VIEW_SHIPMENT = "inventory.view_shipment"
PICK = "inventory.pick_shipment"
PACK = "inventory.pack_shipment"
SHIP = "inventory.ship_shipment"
RECEIVE = "inventory.receive_goods"
VIEW_BIN = "inventory.view_bin"
CHANGE_BIN = "inventory.change_bin"
MOVE_IN_BINS = "inventory.move_in_bins"
ADJUST = "inventory.adjust_stock"
BLOCK_LOT = "inventory.block_lot"
VIEW_PROTECTION = "inventory.view_protection"
CHANGE_PROTECTION = "inventory.change_protection"
VIEW_ALLOCATION = "inventory.view_allocationrun"
VIEW_TRANSFER = "inventory.view_transfer"
REQUEST_TRANSFER = "inventory.request_transfer"
APPROVE_TRANSFER = "inventory.approve_transfer"
MOVE_TRANSFER = "inventory.move_transfer"
SETTLE_TRANSFER = "inventory.settle_transfer"
POST_LATE_COST = "inventory.post_latecost"
VIEW_CORRECTION = "inventory.view_correction"
REQUEST_CORRECTION = "inventory.request_correction"
APPROVE_CORRECTION = "inventory.approve_correction"
POST_CORRECTION = "inventory.post_correction"
VIEW_COUNT = "inventory.view_count"
PLAN_COUNT = "inventory.plan_count"
COUNT = "inventory.count_stock"
REVIEW_COUNT = "inventory.review_count"
APPROVE_COUNT = "inventory.approve_count"
POST_COUNT = "inventory.post_count"

STAFF = [
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
]

GRANTS: dict[str, list[str]] = {
    VIEW_STOCK: [*STAFF, "partner"],
    VIEW_PRODUCT: [*STAFF, "partner"],
    CHANGE_PRODUCT: ["steward", "administrator"],
    VIEW_NODE: [*STAFF, "partner"],
    CHANGE_NODE: ["steward", "administrator"],
    VIEW_CARRIER: [*STAFF, "partner"],
    CHANGE_CARRIER: ["steward", "administrator"],
    VIEW_SHIPMENT: [*STAFF, "partner"],
    PICK: ["warehouse", "operations_lead", "partner"],
    PACK: ["warehouse", "shipping", "operations_lead", "partner"],
    SHIP: ["shipping", "operations_lead", "partner"],
    RECEIVE: ["warehouse", "operations_lead", "partner"],
    VIEW_BIN: [*STAFF, "partner"],
    CHANGE_BIN: ["operations_lead", "steward", "administrator"],
    MOVE_IN_BINS: ["warehouse", "operations_lead", "partner"],
    ADJUST: ["operations_lead", "controller"],
    BLOCK_LOT: ["operations_lead", "steward"],
    VIEW_PROTECTION: STAFF,
    CHANGE_PROTECTION: ["planner", "operations_lead"],
    VIEW_ALLOCATION: STAFF,
    VIEW_TRANSFER: [*STAFF, "partner"],
    REQUEST_TRANSFER: ["planner", "buyer", "warehouse", "operations_lead"],
    APPROVE_TRANSFER: ["operations_lead", "controller", "executive"],
    MOVE_TRANSFER: ["warehouse", "shipping", "operations_lead", "partner"],
    SETTLE_TRANSFER: ["operations_lead", "controller"],
    POST_LATE_COST: ["ap", "controller"],
    VIEW_CORRECTION: ["warehouse", "planner", "operations_lead", "controller", "executive"],
    REQUEST_CORRECTION: ["warehouse", "operations_lead", "controller"],
    APPROVE_CORRECTION: ["operations_lead", "controller"],
    POST_CORRECTION: ["operations_lead", "controller"],
    VIEW_COUNT: ["warehouse", "planner", "operations_lead", "controller", "executive", "partner"],
    PLAN_COUNT: ["operations_lead", "controller"],
    COUNT: ["warehouse", "operations_lead", "partner"],
    REVIEW_COUNT: ["operations_lead", "controller", "executive"],
    APPROVE_COUNT: ["operations_lead", "controller"],
    POST_COUNT: ["operations_lead", "controller"],
}
