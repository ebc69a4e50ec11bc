"""A Dask scheduler and workers for the tests that lose some of them."""

import pytest
from dask_processes import scheduling, working


@pytest.fixture(scope="module")
def scheduler():
    with scheduling() as address:
        yield address


@pytest.fixture
def workers(scheduler, tmp_path):
    with working(scheduler, tmp_path) as start:
        yield start
