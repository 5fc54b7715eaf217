"""Figures, the rows behind them, and whether everything still holds. Nothing here writes."""

from erp.insight.selectors._verifying import all_invariants, verify_all

__all__ = ["all_invariants", "verify_all"]
