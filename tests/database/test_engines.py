"""Three engines and the embedded one count the same pupils to the same numbers; what fails says so in one message."""

import os
import signal
import threading
import time
from contextlib import contextmanager

import duckdb
import pandas as pd
import pytest
import sqlalchemy as sa

from jsna.counts import count_pupils, count_repeats, record_keys, with_latest_school
from jsna.engines import check_agreement, count_area, count_areas, open_engine, repeats_of_area
from jsna.errors import SourceError
from jsna.national_flags import national_flags
from jsna.synthetic.national import authorities, write_national
from tests.national_samples import ASKED, CODES, NOBODY, ONE_SCHOOL, three_authorities, write
from tests.postgres_server import fill

PURPOSE = "to test"
KINDS = ["parquet", "duckdb", "postgresql", "spark"]
AREAS = authorities()[:4]
CODE = AREAS[1]
GROUPINGS = [
    [],
    ["ethnicity"],
    ["sex", "ethnicity"],
    ["ward_code", "idaci_decile"],
    ["fsm_eligible"],
    ["latest_school", "special", "idaci_quintile"],
]
FILTERS = {"keep": {"time_period": ["202526"]}, "leave_out": {"ethnicity": ["REFU", "NOBT"], "idaci_decile": [1, 2]}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("national")
    write_national(made, pupils=1600, areas=len(AREAS), files=2, jobs=1)
    return made


@pytest.fixture(scope="module")
def whole(folder):
    """All pupils as one frame of text and numbers, with what the workbench works out of an authority's table."""
    frame = pd.read_parquet(folder)
    return frame.assign(
        special=frame["school_phase"].isin(["special", "alternative"]), idaci_quintile=(frame["idaci_decile"] + 1) // 2
    )


@pytest.fixture(scope="module")
def of_area(whole):
    frame = whole[whole["la_code"] == CODE].reset_index(drop=True)
    words = [c for c in frame if frame[c].dtype == "str" and c != "pupil_id"]
    return with_latest_school(frame.astype({c: "category" for c in words}))


def named(kind, folder, request, tmp_path_factory, table="pupils"):
    """How an engine is told of the pupils in ``folder``, once they are where it reads them."""
    if kind == "parquet":
        return kind, str(folder)
    if kind == "duckdb":
        file = tmp_path_factory.mktemp("duck") / "warehouse.duckdb"
        with duckdb.connect(str(file)) as connection:
            connection.execute(f"create table {table} as select * from read_parquet('{folder}/*.parquet')")
        return kind, f"duckdb:///{file}", table
    if kind == "postgresql":
        server = request.getfixturevalue("postgres")
        fill(server, table, pd.read_parquet(folder))
        return kind, server.owner_url(), f"public.{table}"
    request.getfixturevalue("spark")
    return kind, "local[2]", str(folder)


@pytest.fixture(scope="module", params=KINDS)
def engine(request, folder, tmp_path_factory):
    """Each engine in turn, opened once."""
    with open_engine(*named(request.param, folder, request, tmp_path_factory)) as made:
        yield made


def test_an_area_is_counted_as_its_own_frame_is(engine, of_area):
    counted = count_area(engine, CODE, *GROUPINGS)
    expected = count_pupils(of_area, *GROUPINGS)
    check_agreement(counted, expected, (engine.kind, "the frame"))
    pd.testing.assert_frame_equal(counted.unseal(PURPOSE), expected.unseal(PURPOSE))


def test_some_pupils_of_an_area(engine, of_area):
    counted = count_area(engine, CODE, ["sex", "ethnicity"], ["special"], **FILTERS).unseal(PURPOSE)
    latest = of_area[
        (of_area["time_period"] == "202526")
        & ~of_area["ethnicity"].isin(["REFU", "NOBT"])
        & ~of_area["idaci_decile"].isin([1, 2])
    ]
    expected = count_pupils(latest, ["sex", "ethnicity"], ["special"]).unseal(PURPOSE)
    assert counted["pupils"].sum() == 2 * len(latest)
    pd.testing.assert_frame_equal(counted, expected, check_categorical=False)


def test_all_areas_are_the_areas_one_by_one(engine, whole):
    counted = count_areas(engine, ["ethnicity"], ["sex", "ethnicity"]).unseal(PURPOSE)
    assert tuple(counted["la_code"].cat.categories) == AREAS
    for code in AREAS:
        own = counted[counted["la_code"] == code].drop(columns="la_code").reset_index(drop=True)
        expected = count_pupils(whole[whole["la_code"] == code], ["ethnicity"], ["sex", "ethnicity"]).unseal(PURPOSE)
        pd.testing.assert_frame_equal(own.astype(expected.dtypes.to_dict()), expected)


def test_pupils_of_two_censuses(engine, of_area):
    counted = repeats_of_area(engine, CODE).unseal(PURPOSE)
    expected = count_repeats(of_area).unseal(PURPOSE)
    assert expected["both_identified"].sum() > 0
    pd.testing.assert_frame_equal(counted, expected, check_dtype=False)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ((CODE, ["ethncity"]), "lacks a column.*Did you mean 'ethnicity'"),
        (("E09000001", ["sex"]), "no pupils of this authority.*E09000001"),
    ],
)
def test_faults_of_the_question(engine, asked, words):
    with pytest.raises(SourceError, match=words):
        count_area(engine, asked[0], *asked[1:])


@pytest.mark.parametrize("engine", ["spark"], indirect=True)
def test_ctrl_c_stops_a_spark_and_is_no_fault_of_the_table(engine):
    def press():
        jobs = engine.session.sparkContext.statusTracker()
        patience = time.monotonic() + 30
        while not jobs.getActiveJobsIds() and time.monotonic() < patience:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    pressing = threading.Thread(target=press)
    pressing.start()
    with pytest.raises(KeyboardInterrupt):
        engine.answer("select count(*) as n from range(1000000000000)")
    pressing.join()
    assert len(count_area(engine, CODE, ["sex"]).unseal(PURPOSE)), "it counts again"


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    made = tmp_path_factory.mktemp("planted")
    for code, frame in three_authorities().items():
        write(made / f"{code}.parquet", frame)
    return made


@pytest.fixture(scope="module")
def flagged(planted):
    return national_flags("parquet", str(planted), areas=CODES, jobs=1, **ASKED)


@pytest.mark.parametrize("kind", ["duckdb", "postgresql", "spark"])
def test_flags_of_authorities_are_the_same_from_every_engine(kind, planted, flagged, request, tmp_path_factory):
    told = named(kind, planted, request, tmp_path_factory, "planted")
    made = national_flags(*told, areas=CODES, jobs=2, **ASKED)
    pd.testing.assert_frame_equal(made.table, flagged.table, check_exact=True)
    assert made.flagged == flagged.flagged > 0
    assert [code for code, _ in made.problems] == [ONE_SCHOOL, NOBODY]
    assert [why.partition(": ")[2] for _, why in made.problems] == [
        why.partition(": ")[2] for _, why in flagged.problems
    ]


def test_record_keys_in_files_and_on_a_server(folder, postgres, of_area):
    groupings = [["ethnicity"], ["latest_school", "sex", "year_group", "ward_code"]]
    expected = count_pupils(of_area, *groupings, cell_keys=True)
    with open_engine("parquet", str(folder)) as engine:
        check_agreement(count_area(engine, CODE, *groupings, cell_keys=True), expected)
    fill(
        postgres,
        "keyed",
        of_area.drop(columns="latest_school").assign(record_key=record_keys(of_area["pupil_id"]).astype("int16")),
    )
    with open_engine("postgresql", postgres.owner_url(), "keyed") as engine:
        check_agreement(count_area(engine, CODE, *groupings, cell_keys=True), expected)


def test_missing_cells_on_a_server_are_not_counted_as_a_group(postgres, whole):
    """As a view that joins two tables makes them."""
    fill(postgres, "joined", whole.assign(primary_need=whole["primary_need"].mask(whole["sex"] == "F")))
    with open_engine("postgresql", postgres.owner_url(), "joined") as engine, pytest.raises(SourceError) as caught:
        count_area(engine, CODE, ["ethnicity"])
    assert "missing cells, so nothing was counted" in str(caught.value)


@contextmanager
def killing(server, words):
    """Ends the server's process that runs a statement that begins so, as soon as there is one."""
    engine = sa.create_engine(server.owner_url().replace("postgresql:", "postgresql+psycopg:"))
    done = threading.Event()
    others = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
    ending = f"{others} and state = 'active' and query like '{words}%%'"

    def end():
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while not done.wait(0.1):
                if connection.exec_driver_sql(ending).scalar():
                    return

    killer = threading.Thread(target=end)
    killer.start()
    try:
        yield
    finally:
        done.set()
        killer.join()
        engine.dispose()


def test_a_server_that_dies_while_it_counts(postgres, whole):
    fill(postgres, "steady", whole.head(50))
    engine = sa.create_engine(postgres.owner_url().replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "create or replace view slow as select * from steady where pg_sleep(0.5) is not null"
        )
    engine.dispose()
    with killing(postgres, "copy ("), pytest.raises(SourceError) as caught:  # noqa: SIM117
        with open_engine("postgresql", postgres.owner_url(), "slow") as slow:
            count_areas(slow, ["sex"])
    assert "The connection was lost while reading, so nothing was kept" in str(caught.value)
    assert postgres.password not in str(caught.value)
    with killing(postgres, "copy ("), pytest.raises(SourceError, match="so nothing was kept"):
        national_flags("postgresql", postgres.owner_url(), "slow", areas=AREAS, jobs=2, **ASKED)


@pytest.mark.parametrize(
    ("kind", "address", "words"),
    [
        ("sparc", "local[2]", "no such engine.*Did you mean 'spark'"),
        ("duckdb", "postgresql://reader@server/census", "another kind of database"),
        ("postgresql", "postgresql://reader:secret@server/census", "holds a password"),
        ("postgresql", "postgresql://reader@127.0.0.1:1/census", "cannot be reached"),
        ("spark", "spark://127.0.0.1:1", "cluster cannot be reached"),
        ("spark", "sc://127.0.0.1:1", "cluster cannot be reached"),
    ],
)
def test_an_engine_that_refuses(kind, address, words):
    if kind == "spark":
        pytest.importorskip("pyspark", reason="Spark is an optional engine: pip install -r requirements-spark.lock")
    with pytest.raises(SourceError, match=words), open_engine(kind, address, "pupils"):
        pass
    with pytest.raises(SourceError, match=words):
        national_flags(kind, address, "pupils", jobs=2)


def test_engines_that_differ_stop_at_the_first_cell_and_say_no_number(whole):
    pupils = whole[whole["la_code"] == CODE]
    one = count_pupils(pupils, ["sex", "ethnicity"])
    check_agreement(one, count_pupils(pupils, ["sex", "ethnicity"]))
    row = pupils[(pupils["time_period"] == "202526") & (pupils["sex"] == "F") & (pupils["sen_provision"] == "N")].index[
        0
    ]
    ethnicity = pupils.loc[row, "ethnicity"]
    changed = pupils.assign(sen_provision=pupils["sen_provision"].mask(pupils.index == row, "K"))
    with pytest.raises(SourceError) as caught:
        check_agreement(one, count_pupils(changed, ["sex", "ethnicity"]), ("DuckDB", "Spark"))
    place = f"time_period 202526, grouping sex × ethnicity, sex F, ethnicity {ethnicity}"
    assert str(caught.value) == (
        f"{place}: DuckDB and Spark count differently, first in any_sen. "
        "Use neither: compare the two tables, and the versions of both engines."
    )


def test_engines_of_which_one_lacks_a_group_or_a_count(whole):
    pupils = whole[whole["la_code"] == CODE]
    fewer = pupils[pupils["ethnicity"] != "WBRI"]
    for pair, lacking in (((pupils, fewer), "Spark"), ((fewer, pupils), "DuckDB")):
        one, other = (count_pupils(p, ["ethnicity"]) for p in pair)
        words = f"time_period 202324, grouping ethnicity, ethnicity WBRI: {lacking} has no pupils in a group"
        with pytest.raises(SourceError, match=words):
            check_agreement(one, other, ("DuckDB", "Spark"))
    with pytest.raises(SourceError, match=r"did not count the same things.*sex"):
        check_agreement(count_pupils(pupils, ["ethnicity"]), count_pupils(pupils, ["ethnicity"], ["sex"]))
