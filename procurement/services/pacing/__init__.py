"""How late suppliers come, measured and passed down to whoever promises; and when they work."""

from procurement.services.pacing._following import set_supplier_calendar
from procurement.services.pacing._measuring import measure_paces

__all__ = ["measure_paces", "set_supplier_calendar"]
