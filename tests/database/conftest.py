"""A real PostgreSQL server for these tests alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgres_server import NoServer, PostgresServer, running


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server with an owner and an empty database, or a skip that says why there is none."""
    try:
        with running() as server:
            yield server
    except NoServer as error:
        pytest.skip(str(error))
