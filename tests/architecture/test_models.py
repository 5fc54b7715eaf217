"""What every model promises the database."""

import ast
import re
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import models
from django.db.migrations.loader import MigrationLoader
from django_fsm import FSMField

from tests.architecture.house import APPS, parsed, sources

PHYSICAL = {"weight", "volume", "length", "width", "height"}  # neither money nor a count
SNAKE = re.compile(r"[a-z][a-z0-9_]{0,62}")


def our_models() -> Iterator[type[models.Model]]:
    names = {*APPS, "erp.api"}
    for config in apps.get_app_configs():
        if config.name in names:
            yield from config.get_models()


@pytest.mark.parametrize("model", list(our_models()), ids=lambda m: m._meta.label)
class TestModel:
    def test_says_what_a_row_is(self, model: type[models.Model]) -> None:
        assert model.__doc__
        assert not model.__doc__.startswith(f"{model.__name__}(")

    def test_names_its_constraints_and_indexes(self, model: type[models.Model]) -> None:
        for each in [*model._meta.constraints, *model._meta.indexes]:
            assert SNAKE.fullmatch(each.name), each.name
            assert not re.search(r"_[0-9a-f]{6,8}(_idx)?$", each.name), each.name

    def test_has_no_float_and_no_32_bit_key(self, model: type[models.Model]) -> None:
        for field in model._meta.concrete_fields:
            assert field.get_internal_type() != "FloatField", field
        key = model._meta.pk
        assert not isinstance(key, models.AutoField) or isinstance(key, models.BigAutoField), key

    def test_keeps_decimals_to_the_house_s_columns(self, model: type[models.Model]) -> None:
        for field in model._meta.concrete_fields:
            if isinstance(field, models.DecimalField) and field.name not in PHYSICAL:
                kind = type(field)
                assert kind.__module__ == "erp.kernel.fields", (field.name, kind)

    def test_protects_its_states(self, model: type[models.Model]) -> None:
        for field in model._meta.concrete_fields:
            if isinstance(field, FSMField):
                assert field.protected, field
                constrained = " ".join(str(c) for c in model._meta.constraints)
                assert field.name in constrained, f"no constraint knows {field.name}"


def test_foreign_keys_point_down() -> None:
    order = [
        {"accounts", "outbox", "api", "auth", "contenttypes"},
        {"governance"},
        {"inventory"},
        {"orders", "procurement"},
        {"finance"},
        {"exceptions"},
        {"partners", "insight"},
        {"web"},
    ]
    level = {label: n for n, labels in enumerate(order) for label in labels}
    for model in our_models():
        own = model._meta.app_label
        for field in model._meta.concrete_fields:
            if field.is_relation and field.related_model._meta.app_label != own:
                other = field.related_model._meta.app_label
                assert level[other] < level[own], f"{model._meta.label}.{field.name} -> {other}"


@pytest.mark.parametrize("app", APPS)
def test_nobody_listens_to_django_s_signals(app: str) -> None:
    for path in sources(app):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ImportFrom):
                assert node.module != "django_fsm.signals", path
                if node.module == "django.db.models.signals":  # it follows no row, only a release
                    assert [name.name for name in node.names] == ["post_migrate"], path


def test_migrations_have_names() -> None:
    loader = MigrationLoader(None)
    for label, name in loader.disk_migrations:
        if label in {m._meta.app_label for m in our_models()}:
            assert "auto_" not in name, (label, name)
