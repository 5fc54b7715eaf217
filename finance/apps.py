from django.apps import AppConfig


class FinanceConfig(AppConfig):
    """What it was worth: the ledger, invoices and payments."""

    name = "finance"
