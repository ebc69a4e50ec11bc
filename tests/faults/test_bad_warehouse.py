"""An engine that fails: one message, before any chapter runs, and nothing half done."""

import pandas as pd
import pytest
import yaml

from jsna.cli import main
from jsna.engines.held import let_go
from jsna.synthetic.national import write_national

AREA, OTHER = "E06000001", "E06000002"


@pytest.fixture
def load(tmp_path):
    write_national(tmp_path / "load", pupils=700, areas=2, files=2, jobs=1)
    yield tmp_path / "load"
    let_go()


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """A refresh with an engine: exit code, what it said, and which packs it made."""
    monkeypatch.delenv("JSNA_DATA", raising=False)
    monkeypatch.setenv("JSNA_CACHE", str(tmp_path / "cache"))

    def refresh(engine, *areas, command="refresh", **more):
        path = tmp_path / "p.yml"
        path.write_text(yaml.safe_dump({"areas": list(areas or [AREA]), "source": "local", "engine": engine, **more}))
        code = main([command, str(path), "--out", str(tmp_path / "out")])
        said = capsys.readouterr()
        packs = sorted(p.parent.parent.name for p in (tmp_path / "out").glob("*/*/manifest.json"))
        assert "Traceback" not in said.out + said.err
        return code, said.out + said.err, packs

    return refresh


def parquet(folder):
    return {"kind": "parquet", "address": str(folder)}


def changed(folder, change, number=1):
    path = sorted(folder.glob("*.parquet"))[number]
    change(pd.read_parquet(path)).to_parquet(path, index=False)


def test_columns_that_are_not_there_are_all_named(load, run):
    for number in (0, 1):
        changed(load, lambda f: f.rename(columns={"ethnicity": "ethnic_group", "idaci_rank": "idaci_rnk"}), number)
    code, said, packs = run(parquet(load), AREA, OTHER)
    assert (code, packs) == (2, [])
    assert "Found: 'ethnicity'" in said
    assert "Did you mean 'idaci_rnk'?" in said
    assert said.count("Found: 'idaci_rank'") == 1


def test_a_part_of_another_schema_stops_the_run_and_is_named(load, run):
    """Its area was counted before the column was asked for."""
    changed(load, lambda f: f.drop(columns="first_language"))
    code, said, packs = run(parquet(load), AREA, OTHER)
    assert (code, packs) == (2, [])
    assert "part-01.parquet: The pupil table lacks a column. Found: 'first_language'" in said


def test_authorities_that_the_table_does_not_hold_are_all_named(load, run):
    code, said, packs = run(parquet(load), AREA, "E06000003", "E06000004")
    assert (code, packs) == (2, [])
    assert "There are no pupils of this authority. Found: 'E06000003'" in said
    assert "Found: 'E06000004'" in said


def test_missing_cells_stop_the_run(load, run):
    changed(load, lambda f: f.assign(secondary_need=f["secondary_need"].mask(f.index % 50 == 0)), 0)
    code, said, packs = run(parquet(load))
    assert (code, packs) == (2, [])
    assert "rows with missing cells, so nothing was counted" in said


def test_wards_of_other_authorities_stop_the_run(load, run):
    changed(load, lambda f: f.assign(la_code="E06000032"), 0)
    code, said, packs = run(parquet(load), "E06000032")
    assert (code, packs) == (2, [])
    assert "names wards that are not the authority's" in said


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        ({"kind": "parquet", "address": "nowhere/at/all"}, "all: There are no parquet files"),
        (
            {"kind": "postgresql", "address": "postgresql://reader@127.0.0.1:1/secret-base", "table": "pupils"},
            "The server cannot be reached",
        ),
        (
            {
                "kind": "postgresql",
                "address": "postgresql://reader@127.0.0.1:1/secret-base",
                "table": "pupils",
                "password_env": "NOT_SET_ANYWHERE",
            },
            "NOT_SET_ANYWHERE",
        ),
        ({"kind": "duckdb", "address": "duckdb:///none.duckdb", "table": "pupils"}, "none.duckdb"),
        (
            {"kind": "spark", "address": "spark://127.0.0.1:1", "table": "pupils"},
            "Spark is not installed|cluster cannot be reached",
        ),
    ],
    ids=["no files", "a server that refuses", "no password", "no file", "a cluster that refuses"],
)
@pytest.mark.parametrize("command", ["refresh", "check"])
def test_an_engine_that_is_not_there(engine, words, command, run):
    code, said, packs = run(engine, AREA, OTHER, command=command)
    assert (code, packs) == (2, [])
    assert any(w in said for w in words.split("|"))
    assert not {w for w in ("secret-base", "127.0.0.1", "nowhere/at") if w in said}


def test_the_check_of_an_engine_says_what_counts_tell(load, run, tmp_path):
    changed(load, lambda f: f.assign(ethnicity=f["ethnicity"].mask(f.index % 3 == 0, "NOBT")), 0)
    code, said, _ = run(parquet(load), command="check")
    assert code == 1
    assert "have no known ethnic group: flags by ethnic group are unsafe" in said
    page = (tmp_path / "out" / f"{AREA}-2026.html").read_text()
    assert "their rows were not read" in page
    assert "Hartlepool (synthetic)" in page


def test_counts_that_differ_between_engines_stop_the_check_and_name_the_first_cell(load, run, tmp_path):
    import duckdb

    base = tmp_path / "w.duckdb"
    with duckdb.connect(str(base)) as connection:
        connection.execute(f"create table pupils as select * from read_parquet('{load}/*.parquet')")
    duck = {"kind": "duckdb", "address": f"duckdb:///{base}", "table": "pupils"}
    beside = parquet(load) | {"checked_by": duck}
    code, said, _ = run(beside, command="check")
    assert "Counted by DuckDB too: every count that was asked for was the same" in said
    assert code < 2
    let_go()
    with duckdb.connect(str(base)) as connection:
        connection.execute(f"update pupils set sex = 'M' where la_code = '{AREA}' and sex = 'F' and year_group = '6'")
    for command in ("check", "refresh"):
        code, said, packs = run(beside, command=command)
        assert (code, packs) == (2, [])
        assert "time_period 202324, grouping " in said
        assert "parquet files and DuckDB count differently, first in pupils" in said
        let_go()
