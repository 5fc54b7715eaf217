"""What a user may be allowed to do with policies, approvals and the audit trail."""

VIEW_AUDIT = "governance.view_auditentry"
VIEW_POLICY = "governance.view_policy"
WRITE_POLICY = "governance.write_policy"
ACTIVATE_POLICY = "governance.activate_policy"
LIMIT_POLICY = "governance.limit_policy"
VIEW_APPROVAL = "governance.view_approval"
BE_SECOND_PERSON = "governance.be_second_person"
VIEW_DUTIES = "governance.view_duties"
ERASE_PERSONAL = "governance.erase_personal"
MITIGATE_DUTIES = "governance.mitigate_duties"
DELEGATE = "governance.add_delegation"
DELEGATE_FOR_OTHERS = "governance.delegate_for_others"

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
    VIEW_AUDIT: ["controller", "executive", "administrator", "operations_lead"],
    VIEW_POLICY: STAFF,
    WRITE_POLICY: ["operations_lead", "credit", "pricing", "administrator"],
    ACTIVATE_POLICY: ["controller", "executive"],
    LIMIT_POLICY: ["controller", "executive"],
    VIEW_APPROVAL: STAFF,
    BE_SECOND_PERSON: ["controller", "executive", "operations_lead"],
    VIEW_DUTIES: ["controller", "executive", "administrator"],
    ERASE_PERSONAL: ["steward", "administrator"],
    MITIGATE_DUTIES: ["controller", "executive"],
    DELEGATE: STAFF,
    DELEGATE_FOR_OTHERS: ["operations_lead", "administrator"],
}
