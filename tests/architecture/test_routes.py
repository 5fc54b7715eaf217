"""Every address names what its visitor must be allowed to do."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.urls import URLPattern, URLResolver, get_resolver

from erp.accounts.models import Role
from tests.architecture.house import APPS, load

NOT_OURS = ("admin/", "static/", "media/")


def routes(
    patterns: list[URLPattern | URLResolver], prefix: str = ""
) -> Iterator[tuple[str, object]]:
    for pattern in patterns:
        where = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, where)
        elif not where.startswith(NOT_OURS):
            yield where, pattern.callback


def permissions_of(view: object) -> set[str]:
    """Return what a view names.

    Raises:
        AttributeError: it names nothing.
    """
    if hasattr(view, "actions"):
        named = view.cls.required_permissions
        missing = set(view.actions.values()) - set(named)
        assert not missing, f"no permission for {sorted(missing)}"
        return {named[action] for action in view.actions.values()}
    if hasattr(view, "cls") and hasattr(view.cls, "required_permission"):
        return {view.cls.required_permission}
    while not hasattr(view, "required_permission"):
        view = view.__wrapped__
    return {view.required_permission}


ROUTES = list(routes(get_resolver().url_patterns))


@pytest.mark.parametrize(("where", "view"), ROUTES, ids=[where for where, _ in ROUTES])
def test_every_route_names_its_permission(where: str, view: object) -> None:
    assert permissions_of(view)


@pytest.mark.django_db
def test_every_named_permission_exists() -> None:
    exists = {
        f"{p.content_type.app_label}.{p.codename}"
        for p in Permission.objects.select_related("content_type")
    }
    for where, view in ROUTES:
        assert permissions_of(view) - {""} <= exists, where


@pytest.mark.django_db
@pytest.mark.parametrize("app", APPS)
def test_every_granted_permission_exists_and_names_roles(app: str) -> None:
    module = load(f"{app}.permissions")
    label = apps.get_app_config(app.rpartition(".")[2]).label
    for permission, roles in getattr(module, "GRANTS", {}).items():
        owner, _, codename = permission.partition(".")
        assert owner == label, permission
        assert Permission.objects.filter(
            content_type__app_label=label, codename=codename
        ).exists(), permission
        assert roles, permission
        assert set(roles) <= set(Role.values), permission
