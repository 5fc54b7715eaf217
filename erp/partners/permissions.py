"""What a user may be allowed to do at the edge."""

VIEW_IMPORT = "partners.view_importjob"
RUN_IMPORT = "partners.run_import"
TELL_OUTSIDE = "partners.tell_outside"
VIEW_WEBHOOK = "partners.view_webhook"

GRANTS: dict[str, list[str]] = {
    VIEW_IMPORT: ["steward", "administrator", "order_desk", "operations_lead", "controller"],
    TELL_OUTSIDE: ["administrator"],
    VIEW_WEBHOOK: ["administrator", "operations_lead", "controller"],
    RUN_IMPORT: ["steward", "administrator", "order_desk"],
}
