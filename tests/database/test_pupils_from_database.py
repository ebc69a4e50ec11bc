"""Pupils from a real PostgreSQL server and from a DuckDB file are those of the flat extract that was loaded into it."""

import duckdb
import pandas as pd
import pytest
import sqlalchemy as sa

from jsna.area import Area
from jsna.check.report import check_area
from jsna.local import pupils_of
from jsna.params import Params, Table
from jsna.sources.census_tables import census_spec
from jsna.synthetic.files import write_files

SCALE = 0.02


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("flat")
    for form in ("census_flat_lower", "postcodes", "schools", "ehc_cases"):
        write_files(made / form, form, scale=SCALE)
    return made


@pytest.fixture(scope="module")
def params(folder):
    def named(pupils):
        return Params(
            source="local",
            pupils=pupils,
            key_file=str(folder / "ehc_cases" / "training.key"),
            postcodes=str(next((folder / "postcodes").glob("*.csv"))),
            schools=str(next((folder / "schools").glob("*.csv"))),
        )

    return named


@pytest.fixture(scope="module")
def extract(folder):
    """The three censuses in one table of text, each with its day, as a warehouse keeps them."""
    days = {"2024": "2024-01-18", "2025": "2025-01-16", "2026": "2026-01-15"}
    files = sorted((folder / "census_flat_lower").glob("*.csv"))
    parts = [pd.read_csv(p, dtype="str", keep_default_na=False).assign(census_day=days[p.name[:4]]) for p in files]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def columns(extract):
    spelt = {name: [w.casefold().replace(" ", "") for w in words] for name, words in census_spec()["flat"].items()}
    found = {n: next((c for c in extract if c.casefold().replace(" ", "") in w), "") for n, w in spelt.items()}
    return {n: c for n, c in found.items() if c} | {"census_date": "census_day"}


@pytest.fixture(scope="module")
def expected(folder, params):
    return pupils_of(params(str(folder / "census_flat_lower"))).loaded.frame


def test_from_postgresql(postgres, extract, columns, params, expected, tmp_path):
    engine = sa.create_engine(postgres.owner_url())
    try:
        extract.to_sql("pupil_extract", engine, index=False, if_exists="replace")
    finally:
        engine.dispose()
    table = Table(url=postgres.owner_url(), table="pupil_extract", columns=columns)
    read = pupils_of(params(table)).loaded
    pd.testing.assert_frame_equal(read.frame, expected)
    assert check_area(Area(params(table))).unreadable == ()


def test_from_duckdb(extract, columns, params, expected, tmp_path):
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.register("frame", extract)
        connection.execute("create table pupil_extract as select * from frame")
    table = Table(url=f"duckdb:///{(tmp_path / 'warehouse.duckdb').as_posix()}", table="pupil_extract", columns=columns)
    pd.testing.assert_frame_equal(pupils_of(params(table)).loaded.frame, expected)
