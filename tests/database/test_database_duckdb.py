"""A table of pupils in a DuckDB file, which is opened for reading alone and shut off from all else."""

import subprocess
import sys

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsna.errors import SourceError
from jsna.sources.database import read_table

COLUMNS = {"upn": "pupil_upn", "dob": "dob", "sex": "sex", "fsm": "fsm", "urn": "urn"}


@pytest.fixture
def warehouse(tmp_path):
    """A file with a table of pupils, and its address."""
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(
            """
            create schema census;
            create table census.pupils (
                pupil_upn varchar, dob date, sex varchar, fsm boolean, urn bigint, surname varchar, "NC Year" varchar,
                attendance decimal(5, 2), tags varchar[], seen timestamptz, moment timestamp, year integer, scan blob
            );
            insert into census.pupils values
                ('B999000000002', '2014-01-02', 'M', false, 900061, 'Hidden', 'R', 132.00, ['x'], now(),
                 '2026-01-15 09:30', 2026, 'x'),
                ('A999000000001', '2015-03-04', 'F', true, 900060, 'Hidden', '1', 27.50, [], now(),
                 '2026-01-15', 2026, 'x'),
                ('C999000000003', null, null, null, null, 'Hidden', null, null, null, null, null, 2025, null);
            create view main.current as select pupil_upn as upn from census.pupils where year = 2026;
            create table keyed (id integer primary key, upn varchar);
            insert into keyed values (2, 'A'), (1, 'B');
            create table empty (upn varchar);
            create view outside as select content as upn from read_text('/etc/hostname');
            """
        )
    return path, f"duckdb:///{path}"


def test_cells_come_as_a_file_would_have_them(warehouse):
    loaded = read_table(warehouse[1], "census.pupils", COLUMNS)
    assert loaded.frame.to_numpy().tolist() == [
        ["A999000000001", "2015-03-04", "F", "1", "900060"],
        ["B999000000002", "2014-01-02", "M", "0", "900061"],
        ["C999000000003", "", "", "", ""],
    ]
    assert "no primary key" in loaded.summary.notes[0]
    wanted = {"nc_year": "nc year", "pupil_reference": "attendance", "census_date": "MOMENT"}
    other = read_table(warehouse[1], "CENSUS.Pupils", wanted, where={"year": "2026", "sex": ["F", "M"]}).frame
    assert other.to_numpy().tolist() == [["1", "27.5", "2026-01-15"], ["R", "132", "2026-01-15 09:30:00"]]


def test_a_view_and_the_order_of_a_primary_key(warehouse):
    assert len(read_table(warehouse[1], "current", {"upn": "upn"}).frame) == 2
    keyed = read_table(warehouse[1], "keyed", {"upn": "upn"})
    assert keyed.frame["upn"].tolist() == ["B", "A"]
    assert "by id" in keyed.summary.notes[0]


def test_the_file_is_not_changed_and_nothing_is_left_beside_it(warehouse):
    before = warehouse[0].read_bytes()
    read_table(warehouse[1], "current", {"upn": "upn"})
    assert warehouse[0].read_bytes() == before
    assert [p.name for p in warehouse[0].parent.iterdir()] == ["warehouse.duckdb"]


@pytest.mark.parametrize(
    ("table", "columns", "where", "words"),
    [
        ("census.pupil", COLUMNS, {}, "Did you mean 'pupils'"),
        ("cencus.pupils", COLUMNS, {}, "Did you mean 'census'"),
        ("pupils", COLUMNS, {}, r"another schema.*census\.pupils"),
        ("census.pupils", {"upn": "unp"}, {}, "column is not there"),
        ("census.pupils", {"upn": "surname"}, {}, "never read"),
        ("census.pupils", {"upn": "urn"}, {}, "upn has letters"),
        ("census.pupils", {"phase": "tags"}, {}, "holds no cells"),
        ("census.pupils", {"census_date": "seen"}, {}, "holds no cells"),
        ("census.pupils", {"phase": "scan"}, {}, "holds no cells"),
        ("census.pupils", COLUMNS, {"year": "x"}, "does not fit"),
        ("census.pupils", COLUMNS, {"year": 1999}, "no rows"),
        ("census.pupils", COLUMNS, {"sex": "F' or '1'='1"}, "no rows"),
        ("empty", {"upn": "upn"}, {}, "no rows"),
        ("outside", {"upn": "upn"}, {}, "reads other files"),
        ("read_text('/etc/hostname')", {"upn": "content"}, {}, "not the name of a table|not there"),
    ],
)
def test_faults_of_the_request(warehouse, table, columns, where, words):
    with pytest.raises(SourceError, match=words) as caught:
        read_table(warehouse[1], table, columns, where=where)
    assert "Hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: p.unlink(), "missing"),
        (lambda p: (p.unlink(), p.mkdir()), "folder"),
        (lambda p: p.write_bytes(b""), "not a DuckDB file"),
        (lambda p: p.write_bytes(b"upn,sex\n"), "not a DuckDB file"),
        (lambda p: p.write_bytes(p.read_bytes()[:5000]), "cannot be read"),
        (lambda p: p.write_bytes(b"\0" * 8 + b"DUCK" + b"\xff" * 9000), "cannot be read|another version"),
    ],
    ids=["missing", "folder", "empty", "csv", "cut", "junk"],
)
def test_faults_of_the_file(warehouse, change, words):
    change(warehouse[0])
    with pytest.raises(SourceError, match=words) as caught:
        read_table(warehouse[1], "census.pupils", COLUMNS)
    assert "warehouse.duckdb" in str(caught.value)


def test_a_file_that_another_program_writes(warehouse):
    holding = (
        f"import duckdb, sys; c = duckdb.connect({str(warehouse[0])!r}); print('open', flush=True); sys.stdin.read()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", holding], **pipes) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(SourceError, match="open in another program"):
            read_table(warehouse[1], "census.pupils", COLUMNS)
        other.communicate("", timeout=20)


CELL = st.one_of(st.none(), st.text(alphabet="aé'\";\n, -", max_size=5))


@settings(deadline=None, max_examples=15)
@given(rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=12), chunk=st.integers(min_value=1, max_value=5))
def test_every_row_of_the_table_is_a_row_of_the_frame(tmp_path_factory, rows, chunk):
    path = tmp_path_factory.mktemp("any") / "x.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(
            'create table "a ""table""" (id integer primary key, "first ; one" varchar, "select" varchar)'
        )
        connection.executemany('insert into "a ""table""" values (?, ?, ?)', [[i, *r] for i, r in enumerate(rows)])
    columns = {"sex": "first ; one", "phase": "select"}
    loaded = read_table(f"duckdb:///{path}", '"a ""table"""', columns, chunk_rows=chunk)
    assert loaded.frame.to_numpy().tolist() == [[cell or "" for cell in row] for row in rows]
    assert loaded.summary.rows_read == len(rows)
