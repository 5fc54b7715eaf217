"""Gathers the promises of every app and checks them."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import apps

from erp.kernel.invariants import Finding, Invariant, check


def all_invariants() -> list[Invariant]:
    """Return the invariants that the installed apps declare in their selectors, app by app."""
    found: list[Invariant] = []
    for app in apps.get_app_configs():
        name = f"{app.name}.selectors"
        if app.name.startswith("django.") or find_spec(name) is None:
            continue
        found += getattr(import_module(name), "INVARIANTS", [])
    return found


def verify_all() -> list[Finding]:
    """Check every invariant on everything there is. Reads whole tables: not for pages."""
    return [check(invariant) for invariant in all_invariants()]
