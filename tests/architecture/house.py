"""What the architecture tests look at: the apps, their modules, their source."""

import ast
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
DOMAINS = ["inventory", "orders", "procurement", "finance", "exceptions"]
APPS = [
    "erp.accounts",
    "erp.governance",
    "erp.outbox",
    "erp.partners",
    "erp.insight",
    "erp.web",
    *DOMAINS,
]
PACKAGES = ["erp", *DOMAINS]


def load(name: str) -> ModuleType | None:
    """Import a module if there is one."""
    return import_module(name) if find_spec(name) else None


def folder(app: str) -> Path:
    return ROOT / app.replace(".", "/")


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def sources(package: str) -> list[Path]:
    """Return every source file of a package that people write."""
    return [p for p in sorted(folder(package).rglob("*.py")) if "migrations" not in p.parts]


def source_tree(app: str, part: str) -> Iterator[tuple[Path, ast.Module]]:
    """Yield the modules of one part of an app, be it a file or a package."""
    single = folder(app) / f"{part}.py"
    for path in [single, *sorted((folder(app) / part).rglob("*.py"))]:
        if path.exists():
            yield path, parsed(path)


def functions_of(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
