"""What every kind of test shares: where the official files are, and a synthetic area made once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def official_data() -> Path:
    """The folder of official files, or a skip that says how to bring one."""
    named = os.environ.get("JSNA_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no official files: set JSNA_DATA to the folder that holds them")
    return folder
