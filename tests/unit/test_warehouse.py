"""The key `engine` of a params file: what it may say, what a notebook is told, and that no address gets out."""

import json
import os
from types import SimpleNamespace

import pytest

from jsna.errors import ParamsError
from jsna.params import Params, check_params, params_of_notebook
from jsna.refresh import keys
from jsna.refresh.digests import Contents
from jsna.refresh.plan import all_chapters, plan
from jsna.refresh.refresh import _by_worker
from jsna.refresh.tasks import told_by_environment
from jsna.synthetic.national import write_national
from jsna.warehouse import ENGINE_VARIABLE, Warehouse

PARQUET = {"kind": "parquet", "address": "secret-folder/national"}
POSTGRES = {"kind": "postgresql", "address": "postgresql://reader@secret-server/census", "table": "census.pupils"}
SPARK = {"kind": "spark", "address": "local[2]", "table": "census.pupils"}


@pytest.mark.parametrize(
    "engine",
    [
        PARQUET,
        POSTGRES | {"password_env": "WAREHOUSE"},
        {"kind": "duckdb", "address": "duckdb:///file.duckdb", "table": "pupils", "synthetic": True},
        *({"kind": "spark", "address": a, "table": "census.pupils"} for a in ("local[2]", "yarn", "sc://host:15002")),
    ],
)
def test_an_engine_of_each_kind(engine):
    params = check_params({"areas": ["E06000002", "E06000001"], "source": "local", "engine": engine}, "p.yml")
    assert params.engine == Warehouse(**engine)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"engine": PARQUET}, "engine: these belong to source: local, and the source is synthetic"),
        ({"engine": PARQUET, "source": "official"}, "the source is official"),
        ({"engine": PARQUET, "source": "local", "pupils": "census"}, "engine stands in the place of pupils"),
        ({"engine": PARQUET, "source": "local", "census_date": "2026-01-15"}, "in the place of census_date"),
        ({"engine": PARQUET, "source": "local", "sen2": "returns"}, "need the project's key"),
        ({"engine": {**PARQUET, "kind": "sparc"}, "source": "local"}, "Found: 'sparc'. Did you mean 'spark'?"),
        (
            {"engine": {**PARQUET, "tabel": "x"}, "source": "local"},
            "engine.tabel: Unknown parameter. Did you mean 'table'",
        ),
        ({"engine": {"kind": "parquet"}, "source": "local"}, "engine.address: Field required"),
        ({"engine": {**PARQUET, "table": "x"}, "source": "local"}, "parquet files have no table"),
        (
            {"engine": {**PARQUET, "password_env": "X"}, "source": "local"},
            "are for postgresql, and the kind is parquet",
        ),
        ({"engine": {**POSTGRES, "table": ""}, "source": "local"}, "postgresql needs the name of the table"),
        (
            {"engine": {**POSTGRES, "kind": "duckdb"}, "source": "local"},
            "address is of postgresql, and the kind is duckdb",
        ),
        ({"engine": {**POSTGRES, "kind": "spark"}, "source": "local"}, "spark is local[2], spark://host:port"),
        (
            {"engine": {**PARQUET, "checked_by": {**PARQUET, "checked_by": PARQUET}}, "source": "local"},
            "not checked itself",
        ),
        (
            {"engine": {**PARQUET, "checked_by": {**POSTGRES, "table": ""}}, "source": "local"},
            "needs the name of the table",
        ),
        ({"engine": {**POSTGRES, "password_env": "X", "password_file": "y"}, "source": "local"}, "not both"),
    ],
)
def test_what_an_engine_cannot_be(values, words):
    with pytest.raises(ParamsError) as caught:
        check_params({"areas": ["E06000002" if values.get("source") else "E06000032"], **values}, "p.yml")
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("engine", ["postgresql://reader:hush@server/census", ["hush"], {**POSTGRES, "address": 3}])
def test_what_stands_in_the_place_of_an_address_is_never_repeated(engine):
    with pytest.raises(ParamsError) as caught:
        check_params({"source": "local", "engine": engine}, "p.yml")
    assert "hush" not in str(caught.value)


def test_a_password_in_the_address_is_refused_and_not_repeated():
    engine = POSTGRES | {"address": "postgresql://reader:hush@secret-server/census", "table": ""}
    with pytest.raises(ParamsError) as caught:
        check_params({"source": "local", "engine": engine, "cycle": "x"}, "p.yml")
    text = str(caught.value)
    assert "The address holds a password" in text
    assert "needs the name of the table" in text
    assert "p.yml, cycle" in text
    assert not {w for w in ("hush", "secret-server") if w in text}


def test_paths_are_found_from_other_folders_and_addresses_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    duck = Warehouse(kind="duckdb", address="duckdb:///in/w.duckdb", table="pupils")
    named = Warehouse(**POSTGRES | {"password_file": "secret"}, checked_by=duck).found_from_anywhere()
    assert named.address == POSTGRES["address"]
    assert named.password_file == str(tmp_path / "secret")
    assert named.checked_by.address == f"duckdb:///{tmp_path}/in/w.duckdb"
    assert named.found_from_anywhere() == named


@pytest.mark.parametrize(
    ("engine", "counts"),
    [
        (POSTGRES, True),
        ({**PARQUET, "checked_by": POSTGRES}, True),
        (SPARK, False),
        ({**PARQUET, "checked_by": SPARK}, False),
        (None, False),
    ],
    ids=["a server", "two engines", "a Spark", "checked by a Spark", "none"],
)
def test_workers_count_but_for_a_spark_which_is_started_once(engine, counts):
    params = Params(source="local", engine=Warehouse(**engine)) if engine else Params()
    assert _by_worker(SimpleNamespace(params=params)) is counts


def test_a_notebook_is_told_by_the_environment_and_carries_no_address(monkeypatch):
    params = Params(source="local", engine=Warehouse(**POSTGRES))
    assert params.without_places()["engine"] is None
    assert "secret-server" not in json.dumps(params.without_places())
    monkeypatch.setenv(ENGINE_VARIABLE, params.engine.model_dump_json())
    told = params_of_notebook({**params.without_places()})
    assert told.engine == params.engine
    monkeypatch.delenv(ENGINE_VARIABLE)
    assert params_of_notebook({**params.without_places()}).engine is None


def test_a_pack_is_made_again_when_its_files_change_and_each_time_from_a_server(tmp_path):
    write_national(tmp_path / "load", pupils=700, areas=2, files=1, jobs=1)
    file = tmp_path / "p.yml"

    def parts(engine):
        values = {"areas": ["E06000002"], "source": "local", "engine": engine}
        file.write_text(json.dumps(values))
        (pack,) = plan([file], tmp_path, ["00"])
        made = keys.chapter_parts(pack, keys.Surroundings(Contents(tmp_path / "digests.json")))
        return made[all_chapters()[0].name]["inputs"]

    parquet = {"kind": "parquet", "address": str(tmp_path / "load")}
    first = parts(parquet)
    assert parts(parquet) == first
    assert parts(parquet | {"synthetic": True}) != first
    write_national(tmp_path / "load", pupils=701, areas=2, files=1, jobs=1)
    assert parts(parquet) != first
    duck = duck_of(tmp_path)
    assert parts(duck) != parts(duck)


def duck_of(folder):
    import duckdb

    with duckdb.connect(str(folder / "w.duckdb")) as connection:
        connection.execute(f"create table pupils as select * from read_parquet('{folder}/load/*.parquet')")
    return {"kind": "duckdb", "address": f"duckdb:///{folder}/w.duckdb", "table": "pupils"}


def test_what_a_worker_was_told_for_one_area_does_not_reach_the_next():
    with told_by_environment({ENGINE_VARIABLE: "one"}):
        assert os.environ[ENGINE_VARIABLE] == "one"
        with told_by_environment({}):
            assert ENGINE_VARIABLE not in os.environ
    assert ENGINE_VARIABLE not in os.environ
