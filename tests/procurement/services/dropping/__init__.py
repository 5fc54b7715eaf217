"""Tests procurement/services/dropping."""
