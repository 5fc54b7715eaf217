"""Gives each role the permissions that the apps declare for it, after every migration.

An app's `permissions.py` spells its permissions and says in `GRANTS` which roles hold each.
"""

import logging
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission

from erp.accounts.models import Role

logger = logging.getLogger(__name__)


def grant_declared_permissions(sender: AppConfig, **_more: Any) -> None:
    """Make the groups' permissions of `sender` exactly what its `GRANTS` say."""
    name = f"{sender.name}.permissions"
    if sender.name.startswith("django.") or find_spec(name) is None:
        return
    declared: dict[str, list[str]] = getattr(import_module(name), "GRANTS", {})
    groups = {role: Group.objects.get_or_create(name=role)[0] for role in Role.values}
    by_name = {
        f"{p.content_type.app_label}.{p.codename}": p
        for p in Permission.objects.filter(content_type__app_label=sender.label).select_related(
            "content_type"
        )
    }
    for missing in sorted(declared.keys() - by_name.keys()):
        # a migration that is still to come declares it; a test finds what none does
        logger.warning("nobody was granted %s: no model declares it yet", missing)
    through = Group.permissions.through
    through.objects.filter(permission__content_type__app_label=sender.label).delete()
    through.objects.bulk_create(
        through(group_id=groups[role].pk, permission_id=by_name[permission].pk)
        for permission, roles in declared.items()
        if permission in by_name
        for role in roles
    )
