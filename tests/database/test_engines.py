"""Three engines and the embedded one count the same pupils to the same numbers; what fails says so in one message."""

import os
import shutil
import threading
from contextlib import contextmanager

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from jsna.counts import count_pupils, count_repeats, record_keys, with_latest_school
from jsna.counts.question import Question
from jsna.engines import check_agreement, count_area, count_areas, open_engine, repeats_of_area
from jsna.engines.duck import open_duck_parquet
from jsna.errors import SourceError
from jsna.synthetic.national import authorities, write_national

PURPOSE = "to test"
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


def opened_parquet(folder, request, tmp_path_factory):
    return open_engine("parquet", str(folder))


def opened_duckdb(folder, request, tmp_path_factory):
    file = tmp_path_factory.mktemp("duck") / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"create table pupils as select * from read_parquet('{folder}/*.parquet')")
    return open_engine("duckdb", f"duckdb:///{file}", "pupils")


def opened_postgres(folder, request, tmp_path_factory):
    server = request.getfixturevalue("postgres")
    fill(server, "pupils", pd.read_parquet(folder))
    return open_engine("postgresql", server.owner_url(), "public.pupils")


@contextmanager
def opened_spark(folder, request, tmp_path_factory):
    pytest.importorskip("pyspark", reason="Spark is an optional engine: pip install 'pyspark>=4.0,<5'")
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        pytest.skip("Spark needs Java 17 or 21")
    with pytest.MonkeyPatch.context() as patch:
        # A Java that starts quickly and never becomes fast.
        patch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        patch.setenv("SPARK_LOCAL_DIRS", str(tmp_path_factory.mktemp("spark")))
        with open_engine("spark", "local[2]", str(folder)) as engine:
            yield engine


def fill(server, table, frame):
    """A table of pupils on the server, with the types that a warehouse would give them."""
    engine = sa.create_engine(server.owner_url().replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        frame.to_sql(table, connection, index=False, if_exists="replace", chunksize=2000)
    engine.dispose()


OPENED = {"parquet": opened_parquet, "duckdb": opened_duckdb, "postgresql": opened_postgres, "spark": opened_spark}


@pytest.fixture(scope="module", params=list(OPENED))
def engine(request, folder, tmp_path_factory):
    """Each engine in turn, opened once."""
    with OPENED[request.param](folder, request, tmp_path_factory) as made:
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
def test_a_spark_that_dies_while_it_counts(engine):
    """The last test of it: its process is killed."""
    killer = threading.Timer(0.5, engine.session.sparkContext._gateway.proc.kill)
    killer.start()
    with pytest.raises(SourceError, match="Spark was lost while counting, so nothing was kept"):
        engine.answer("select count(*) as n from range(1000000000000)")
    killer.join()
    with pytest.raises(SourceError, match="Spark was lost"):
        count_area(engine, CODE, ["sex"])


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


def rewritten(folder, to, change, **options):
    """The same files with a change to the table of one."""
    for number, path in enumerate(sorted(folder.glob("*.parquet"))):
        table = pq.ParquetFile(path).read()
        pq.write_table(change(table) if number else table, to / path.name, **options)


def test_numbers_of_another_width_in_another_file(folder, tmp_path):
    """One authority lies in both files, so that they are put together."""
    table = pq.read_table(folder)
    at, half = table.column_names.index("idaci_decile"), len(table) // 2
    wide = table.set_column(at, "idaci_decile", table["idaci_decile"].cast("int64"))
    pq.write_table(table.slice(0, half), tmp_path / "a.parquet")
    pq.write_table(wide.slice(half), tmp_path / "b.parquet")
    with open_engine("parquet", str(folder)) as engine, open_engine("parquet", str(tmp_path)) as other:
        for groupings in (["idaci_decile"], ["idaci_quintile", "sex"]):
            one, two = (count_areas(e, groupings) for e in (engine, other))
            pd.testing.assert_frame_equal(one.unseal(PURPOSE), two.unseal(PURPOSE))
        with pytest.raises(SourceError, match="counted by authority"):
            engine.count(Question((("sex",),)))


@settings(max_examples=12, deadline=None)
@given(st.none() | st.integers(0, 1000), st.integers(400, 4000))
def test_files_in_any_order_and_in_groups_of_any_size(folder, tmp_path_factory, shuffled_by, rows):
    """Sorting by authority makes it fast, and nothing else."""
    made = tmp_path_factory.mktemp("shuffled")
    table = pq.read_table(folder)
    if shuffled_by is not None:
        table = table.take(pa.array(np.random.default_rng(shuffled_by).permutation(len(table))))
    pq.write_table(table, made / "all.parquet", row_group_size=rows)
    groupings = (("sex", "ethnicity"), ("sex",), ("latest_school",))
    with open_engine("parquet", str(made)) as shuffled, open_duck_parquet(folder) as straight:
        for question in (Question(groupings, by_area=True), Question(groupings, (CODE,))):
            check_agreement(shuffled.count(question), straight.count(question))


def without(name):
    return lambda table: table.drop_columns([name])


def with_holes(table):
    cells = pc.if_else(pc.equal(table["sex"], "F"), table["primary_need"], None)
    return table.set_column(table.column_names.index("primary_need"), "primary_need", cells)


def as_numbers(table):
    return table.set_column(table.column_names.index("sex"), "sex", pa.array([1] * len(table)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without("ethnicity"), "part-01.parquet: The pupil table lacks a column.*'ethnicity'"),
        (
            as_numbers,
            "part-01.parquet, column sex: A column is not of the kind that the other files have.*'int64'.*text",
        ),
        (with_holes, "column primary_need: The pupil table has rows with missing cells, so nothing was counted"),
    ],
    ids=["a column less", "another kind", "missing cells"],
)
def test_a_part_with_another_schema(folder, tmp_path, change, words):
    rewritten(folder, tmp_path, change)
    with open_engine("parquet", str(tmp_path)) as engine, pytest.raises(SourceError, match=words):
        count_areas(engine, ["ethnicity"], ["sex"])


def test_a_file_that_is_cut_short_or_gone_or_none_at_all(folder, tmp_path):
    rewritten(folder, tmp_path, lambda table: table)
    last = max(tmp_path.glob("*.parquet"))
    with open_engine("parquet", str(tmp_path)) as engine:
        assert engine.columns
        content = bytearray(last.read_bytes())
        content[100:-2000] = bytes(len(content) - 2100)
        last.write_bytes(content)
        with pytest.raises(SourceError, match=r"part-01.parquet: The file cannot be read .* cut short"):
            count_areas(engine, ["sex"])
        last.unlink()
        with pytest.raises(SourceError, match=r"part-01\.parquet: The file is missing"):
            count_areas(engine, ["sex"])
    last.write_bytes(b"PAR1")
    with open_engine("parquet", str(tmp_path)) as engine, pytest.raises(SourceError, match="cannot be read"):
        count_areas(engine, ["sex"])
    with pytest.raises(SourceError, match="no parquet files"), open_engine("parquet", str(tmp_path / "nothing")):
        pass


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
        pytest.importorskip("pyspark", reason="Spark is an optional engine: pip install 'pyspark>=4.0,<5'")
    with pytest.raises(SourceError, match=words), open_engine(kind, address, "pupils"):
        pass


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
