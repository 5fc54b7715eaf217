"""What a user may be allowed to do with exception cases."""

VIEW = "exceptions.view_exceptioncase"
WORK = "exceptions.work_case"
DISMISS = "exceptions.dismiss_case"
APPROVE_PLAY = "exceptions.approve_play"
PLAN_SHIFTS = "exceptions.plan_shifts"

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
    VIEW: STAFF,
    WORK: [
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
        "administrator",
    ],
    DISMISS: ["operations_lead", "controller"],
    PLAN_SHIFTS: ["operations_lead", "administrator"],
    APPROVE_PLAY: ["operations_lead", "controller", "executive"],
}
