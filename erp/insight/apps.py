from django.apps import AppConfig


class InsightConfig(AppConfig):
    """Figures and the rows behind them."""

    name = "erp.insight"
    label = "insight"
