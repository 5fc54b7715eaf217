"""Emptying the personal data of a customer; called by governance once two people agreed."""

from collections.abc import Mapping

from erp.kernel.sql import run
from orders.models import Customer

CUSTOMER = """
    UPDATE orders_customer SET contact = '', email = '', phone = '', address = '', postal_code = '',
        bank_account = ''
    WHERE id = %s
      AND (contact, email, phone, address, postal_code, bank_account) <> ('', '', '', '', '', '')
"""
SHIP_TOS = """
    UPDATE orders_shipto SET name = code, address = '', postal_code = ''
    WHERE customer_id = %s AND (name, address, postal_code) <> (code, '', '')
"""
# Open orders still have to arrive: theirs goes when they are over and it is asked again.
ORDERS = """
    UPDATE orders_order o SET ship_to = (
        SELECT jsonb_object_agg(key, CASE WHEN key IN ('city', 'region', 'country', 'code')
                                          THEN value ELSE '""'::jsonb END)
        FROM jsonb_each(o.ship_to))
    WHERE o.customer_id = %s AND o.state IN ('closed', 'cancelled') AND EXISTS (
        SELECT FROM jsonb_each(o.ship_to)
        WHERE key NOT IN ('city', 'region', 'country', 'code') AND value <> '""'::jsonb)
"""


def find_customer(code: str) -> tuple[int, str] | None:
    """Return the id and label of a customer, if there is one of that code."""
    found = Customer.objects.filter(code=code).first() if "\0" not in code else None
    return (found.pk, f"{found.code} · {found.name}") if found else None


def empty_customer(customer_id: int) -> Mapping[str, int]:
    """Empty contact, e-mail, phone, street and postal code; return how many rows of what.

    Of the customer, their addresses, and the orders of theirs that are closed or cancelled.
    """
    return {
        "customers": run(CUSTOMER, [customer_id]),
        "addresses": run(SHIP_TOS, [customer_id]),
        "orders": run(ORDERS, [customer_id]),
    }
