"""The ledger of promises: what was promised for each line, and every change with its cause."""

import pgtrigger
from django.db import models

# Every change of a line's promise has its row, whoever made it: the database writes it.
KEEP_LEDGER = """
    INSERT INTO orders_promisechange (
        line_id, at, requested_date, previous_date, promised_date, p90_date, cause, supplies
    )
    SELECT NEW.id,
           coalesce((said.basis ->> 'at')::timestamptz, transaction_timestamp()),
           o.requested_date, OLD.promised_date, NEW.promised_date, NEW.promised_p90_date,
           coalesce(said.basis ->> 'cause', 'Promised by hand'),
           coalesce(said.basis -> 'supplies', '[]'::jsonb)
    FROM orders_order o
    CROSS JOIN (
        SELECT CASE WHEN NEW.promise_basis IS DISTINCT FROM OLD.promise_basis
                    THEN NEW.promise_basis END AS basis
    ) AS said
    WHERE o.id = NEW.order_id;
    RETURN NULL;
"""


class PromiseChange(models.Model):
    """One promise of one line. `previous_date` null: the first. Append-only.

    `promised_date` is kept one time of two, `p90_date` nine of ten (null: not told). `supplies` is
    a list of `{kind, label, quantity, date}`: what the promise rests on.
    """

    line = models.ForeignKey("orders.OrderLine", on_delete=models.CASCADE, related_name="promises")
    at = models.DateTimeField()
    requested_date = models.DateField()
    previous_date = models.DateField(null=True)
    promised_date = models.DateField(null=True)
    p90_date = models.DateField(null=True)
    cause = models.CharField(max_length=200)
    supplies = models.JSONField(default=list)

    class Meta:
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.promised_date}: {self.cause}"
