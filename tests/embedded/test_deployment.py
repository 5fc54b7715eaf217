"""requirements/, docker-compose.yml, Dockerfile: what is installed and started elsewhere."""

import re
import tomllib

import pytest
import yaml

from erp.embedded.lease import PROJECT

LOCKS = ("requirements/base.txt", "requirements/dev.txt")
PIN = re.compile(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==(\S+)", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    return dict(PIN.findall((PROJECT / lock).read_text()))


class TestLocks:
    @pytest.mark.parametrize("lock", LOCKS)
    def test_hashes_every_file_and_names_no_address(self, lock: str) -> None:
        text = (PROJECT / lock).read_text()

        assert re.search(r"https?:|file:|--(extra-)?index-url|--find-links", text) is None
        for requirement in re.split(r"\n(?=[a-z0-9])", text):
            assert "--hash=sha256:" in requirement

    def test_development_runs_what_production_runs(self) -> None:
        base, dev = (pins(lock) for lock in LOCKS)

        assert {name: dev.get(name) for name in base} == base

    def test_holds_everything_that_the_project_asks_for(self) -> None:
        project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
        asked = {re.split(r"[\[=<>~ ]", name)[0] for name in project["project"]["dependencies"]}

        assert asked <= set(pins("requirements/base.txt"))


class TestCompose:
    def compose(self) -> dict[str, dict[str, dict[str, object]]]:
        text = (PROJECT / "docker-compose.yml").read_text()
        found: dict[str, dict[str, dict[str, object]]] = yaml.safe_load(text)
        return found

    def test_runs_everything_and_watches_it(self) -> None:
        services = self.compose()["services"]

        assert set(services) == {"postgres", "redis", "migrate", "web", "worker", "beat"}
        for name in set(services) - {"migrate"}:
            assert "healthcheck" in services[name], name

    def test_has_no_secret_of_its_own(self) -> None:
        text = (PROJECT / "docker-compose.yml").read_text()

        for name in ("SECRET_KEY", "POSTGRES_PASSWORD"):
            uses = re.findall(rf"\$\{{{name}[^}}]*\}}", text)
            assert uses
            assert all(use.startswith(f"${{{name}:?") for use in uses)


class TestImage:
    def test_contains_every_package(self) -> None:
        let_in = (PROJECT / ".dockerignore").read_text()

        packages = {
            folder.name
            for folder in PROJECT.iterdir()
            if (folder / "__init__.py").exists() and folder.name != "tests"
        }
        assert {"erp", "orders"} <= packages
        assert [name for name in packages if f"!{name}\n" not in let_in] == []
