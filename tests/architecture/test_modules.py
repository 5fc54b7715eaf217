"""Sizes, names and places of files."""

import ast
from pathlib import Path

import pytest

from tests.architecture.house import APPS, PACKAGES, ROOT, folder, functions_of, parsed, sources

MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
TRANSLATORS = {"urls", "views", "forms", "handlers", "tasks", "admin", "api", "management"}
CORE = {"services", "selectors", "models", "rules", "events", "permissions"}
DJANGO = {"__init__", "apps", "migrations", "templatetags", "static", "policies"}
# What an app outside the domains holds besides, each with its reason to exist.
OWN = {
    "erp.accounts": {"authentication", "backends", "grants", "middleware"},
    "erp.outbox": {"publishing", "registry", "delivery", "claims", "waking"},
}
SHELL = {"erp.web", "erp.partners", "erp.insight", "erp.governance"}
FORBIDDEN = {"utils", "helpers", "managers", "signals", "constants", "exceptions", "mixins"}


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how long a function is, its signature and docstring apart."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize(
    "path",
    [path for package in PACKAGES for path in sources(package)],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_a_module_fits_a_sitting(path: Path) -> None:
    assert path.read_text().count("\n") <= MODULE_LINES_MAX
    for function in functions_of(parsed(path)):
        assert code_lines(function) < FUNCTION_LINES_MAX, function.name


@pytest.mark.parametrize("app", [app for app in APPS if app not in SHELL])
def test_an_app_s_files_have_the_names_of_the_house(app: str) -> None:
    allowed = TRANSLATORS | CORE | DJANGO | OWN.get(app, set())
    found = {
        p.stem
        for p in folder(app).iterdir()
        if (p.suffix == ".py" or p.is_dir()) and p.name != "__pycache__"
    }

    assert found - allowed == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_no_file_is_a_drawer_for_everything(package: str) -> None:
    for path in folder(package).rglob("*"):
        if path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py"))):
            assert path.stem not in FORBIDDEN, path


@pytest.mark.parametrize("package", PACKAGES)
def test_names_in_services_are_gerunds(package: str) -> None:
    for services in folder(package).rglob("services"):
        for path in services.glob("*.py"):
            assert path.stem == "__init__" or path.stem.startswith("_"), path
