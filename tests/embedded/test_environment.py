"""erp/embedded/environment.py."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from erp.embedded import data_folder
from erp.embedded.environment import HELD, provide, secret_key, withdraw


class TestProvide:
    def test_leaves_servers_that_are_named_alone(self, folder: Path) -> None:
        environ = {"DATABASE_URL": "postgresql://db", "REDIS_URL": "redis://r", "SECRET_KEY": "s"}
        before = dict(environ)
        held = list(HELD)

        provide(environ, folder)

        assert environ == before
        assert held == HELD
        assert list(folder.iterdir()) == []

    def test_starts_only_what_is_missing(self, folder: Path) -> None:
        environ = {"DATABASE_URL": "postgresql://db"}
        others, HELD[:] = HELD[:], []
        try:
            provide(environ, folder)
            started = [lease.server.name for lease in HELD]
            withdraw()
        finally:
            HELD[:] = others

        assert started == ["valkey"]
        assert environ["DATABASE_URL"] == "postgresql://db"
        assert environ["REDIS_URL"].startswith("unix:///")
        assert len(environ["SECRET_KEY"]) >= 50


class TestSecretKey:
    def test_is_made_once_for_its_owner_alone(self, folder: Path) -> None:
        with ThreadPoolExecutor(8) as pool:
            keys = set(pool.map(lambda _: secret_key(folder), range(16)))

        assert len(keys) == 1
        assert (folder / "secret-key").stat().st_mode & 0o777 == 0o600
        assert [file.name for file in folder.iterdir()] == ["secret-key"]


class TestDataFolder:
    def test_is_named_by_the_environment_or_lies_in_the_project(self) -> None:
        assert data_folder({"ERP_DATA": "/srv/data"}) == Path("/srv/data")
        assert data_folder({}).name == ".data"
