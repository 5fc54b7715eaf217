"""Tests procurement/services/sourcing."""
