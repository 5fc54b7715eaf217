"""How late suppliers come, measured and passed down to whoever promises."""

from procurement.services.pacing._measuring import measure_paces

__all__ = ["measure_paces"]
