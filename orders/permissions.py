"""What a user may be allowed to do with orders and customers."""

VIEW = "orders.view_order"
SUBMIT = "orders.submit_order"
RELEASE = "orders.release_order"
CANCEL = "orders.cancel_order"
ALLOCATE = "orders.allocate_order"
VIEW_CUSTOMER = "orders.view_customer"
CHANGE_CUSTOMER = "orders.change_customer"
CHANGE_LIMIT = "orders.change_credit_limit"
ASK_TERMS = "orders.ask_terms"
VIEW_PRICE = "orders.view_price"
CHANGE_PRICE = "orders.change_price"
APPROVE_PRICE = "orders.approve_price"
VIEW_QUOTE = "orders.view_quote"
WRITE_QUOTE = "orders.write_quote"
ANSWER_QUOTE = "orders.answer_quote"
VIEW_BLANKET = "orders.view_blanket"
WRITE_BLANKET = "orders.write_blanket"
CALL_OFF = "orders.call_off"
VIEW_KIT = "orders.view_kit"
CHANGE_KIT = "orders.change_kits"
FOLLOW = "orders.follow_milestones"
VIEW_COMPLIANCE = "orders.view_exportlicence"
CHANGE_COMPLIANCE = "orders.change_compliance"
REVIEW_MATCH = "orders.review_match"
VIEW_REALLOCATION = "orders.view_reallocation"
REALLOCATE = "orders.reallocate_stock"
OVERRIDE = "orders.override_allocation"
APPROVE_REALLOCATION = "orders.approve_reallocation"
SET_ASIDE = "orders.set_aside_stock"

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
    VIEW: [*STAFF, "partner"],
    SUBMIT: ["customer_service", "order_desk", "operations_lead", "partner"],
    RELEASE: ["credit", "pricing", "controller", "order_desk", "operations_lead"],
    CANCEL: ["customer_service", "order_desk", "operations_lead", "partner"],
    ALLOCATE: ["planner", "order_desk", "operations_lead"],
    VIEW_CUSTOMER: [*STAFF, "partner"],
    CHANGE_CUSTOMER: ["steward", "customer_service", "administrator"],
    CHANGE_LIMIT: ["credit", "controller"],
    ASK_TERMS: [
        "customer_service",
        "order_desk",
        "credit",
        "controller",
        "steward",
        "administrator",
    ],
    VIEW_PRICE: STAFF,
    VIEW_COMPLIANCE: STAFF,
    CHANGE_COMPLIANCE: ["controller", "operations_lead", "administrator"],
    REVIEW_MATCH: ["controller", "operations_lead"],
    CHANGE_PRICE: ["pricing", "administrator"],
    APPROVE_PRICE: ["controller", "executive"],
    VIEW_QUOTE: [*STAFF, "partner"],
    WRITE_QUOTE: ["customer_service", "order_desk", "operations_lead"],
    ANSWER_QUOTE: ["customer_service", "order_desk", "operations_lead", "partner"],
    VIEW_BLANKET: [*STAFF, "partner"],
    WRITE_BLANKET: ["customer_service", "order_desk", "operations_lead"],
    CALL_OFF: ["customer_service", "order_desk", "operations_lead", "partner"],
    FOLLOW: ["customer_service", "order_desk", "operations_lead"],
    VIEW_KIT: STAFF,
    VIEW_REALLOCATION: STAFF,
    SET_ASIDE: ["customer_service", "order_desk", "planner", "operations_lead"],
    REALLOCATE: ["planner", "operations_lead"],
    OVERRIDE: ["planner", "order_desk", "operations_lead"],
    APPROVE_REALLOCATION: ["operations_lead", "executive"],
    CHANGE_KIT: ["pricing", "steward", "operations_lead", "administrator"],
}
