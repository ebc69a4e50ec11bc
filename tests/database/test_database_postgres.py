"""A table of pupils in a real PostgreSQL server: read as a file is, and every fault is a message without secrets."""

import os
import threading
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from jsna.errors import SourceError
from jsna.sources.database import read_table

COLUMNS = {"upn": "pupil_upn", "dob": "date_of_birth", "sex": "sex", "fsm": "fsm", "urn": "school_urn"}
TABLES = """
create role reader login password '{password}';
create schema census;
grant usage on schema census to reader;
create table census.pupils (
    id integer primary key, pupil_upn varchar(13), date_of_birth date, sex char(1), fsm boolean, school_urn integer,
    surname text, "NC Year" text, attendance numeric(5, 2), reference integer, scan bytea, seen timestamptz,
    tags text[], hours double precision, key uuid, year smallint, extra json
);
insert into census.pupils values
    (3, 'C999000000003', null, null, null, null, 'Hidden', null, null, null, null, null, null, null, null, 2025, null),
    (1, 'A999000000001', '2015-03-04', 'F', true, 900060, 'Hidden', 'R', 132.00, 7, 'x', '2025-07-01 00:00+01', '{{a}}',
     27.5, '00000000-0000-0000-0000-000000000001', 2026, '{{}}'),
    (2, 'B999000000002', '1899-12-31', 'M', false, 900061, 'Hidden', '10', 27.50, 8, null, '2026-01-15 09:30+00', null,
     'NaN', null, 2026, null);
create view census.recent as select pupil_upn, date_of_birth, sex, fsm, school_urn from census.pupils where year = 2026;
create table census.empty (pupil_upn text);
create table "Pupils" ("Upn" text, "upn" text, sex text);
insert into "Pupils" values ('A', 'B', 'F');
create table census."two.parts" (upn text);
insert into census."two.parts" values ('A');
create table secret (upn text);
create table census.many as
    select 'A' || lpad((i * 7919 %% 120001)::text, 12, '0') as upn, i %% 15 as age from generate_series(1, 120000) i;
create view census.slow as select 'A' as upn, pg_sleep(30)::text as age;
create view census.breaks as
    select 'A' || i as upn, (10 / (1500 - i))::text as age from generate_series(1, 2000) i;
create view census.strange as select 'infinity'::date as dob;
grant select on all tables in schema census to reader;
grant select on "Pupils" to reader;
"""


@pytest.fixture(scope="module")
def server(postgres):
    engine = sa.create_engine(postgres.owner_url().replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.exec_driver_sql(TABLES.format(password=postgres.password))
    engine.dispose()
    return postgres


@pytest.fixture
def read(server, monkeypatch):
    """``read_table`` as the reader, whose password is in the environment."""
    monkeypatch.setenv("PGPASSWORD", server.password)
    monkeypatch.delenv("PGPASSFILE", raising=False)

    def reading(table="census.pupils", columns=COLUMNS, **options):
        return read_table(options.pop("url", server.reader_url()), table, columns, **options)

    return reading


@contextmanager
def refused(server, words):
    """A SourceError with these words, and with nothing that belongs to the address."""
    with pytest.raises(SourceError, match=words) as caught:
        yield caught
    message = str(caught.value)
    for secret in (server.password, "reader", "127.0.0.1", str(server.port), "Hidden", "postgresql://"):
        assert secret not in message
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_cells_come_as_a_file_would_have_them(read):
    loaded = read()
    assert loaded.frame.to_numpy().tolist() == [
        ["A999000000001", "2015-03-04", "F", "1", "900060"],
        ["B999000000002", "1899-12-31", "M", "0", "900061"],
        ["C999000000003", "", "", "", ""],
    ]
    assert loaded.frame.columns.tolist() == list(COLUMNS)
    assert loaded.frame.index.tolist() == [1, 2, 3]
    assert set(map(str, loaded.frame.dtypes)) == {"str"}
    assert (loaded.summary.rows_read, loaded.summary.file) == (3, "census.pupils")
    assert "in order by id" in loaded.summary.notes[0]


def test_numbers_times_and_keys_as_text(read):
    """Midnight of a summer's day, as it is in England, is that day and not the evening before."""
    wanted = {
        "nc_year": "NC Year",
        "pupil_reference": "attendance",
        "phase": "hours",
        "census_date": "seen",
        "la": "key",
    }
    assert read(columns=wanted, where={"year": 2026}).frame.to_numpy().tolist() == [
        ["R", "132", "27.5", "2025-07-01", "00000000-0000-0000-0000-000000000001"],
        ["10", "27.5", "", "2026-01-15 09:30:00+00:00", ""],
    ]


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ({"year": 2026}, 2),
        ({"YEAR": "2026"}, 2),
        ({"year": [2025, 2026]}, 3),
        ({"sex": "F"}, 1),
        ({"fsm": "true", "year": 2026}, 1),
        ({"date_of_birth": "2015-03-04"}, 1),
        ({"attendance": "27.5"}, 1),
    ],
)
def test_filters(read, where, rows):
    assert len(read(where=where).frame) == rows


def test_a_value_of_a_filter_is_a_value_and_no_part_of_the_statement(read):
    with pytest.raises(SourceError, match="no rows"):
        read(where={"sex": "F' or '1'='1"})


def test_a_view_names_in_another_case_and_two_names_for_one_column(read):
    columns = {"upn": "PUPIL_UPN", "pupil_reference": "Pupil_Upn", "sex": "SEX"}
    frame = read("CENSUS.Recent", columns).frame
    assert frame["upn"].tolist() == frame["pupil_reference"].tolist() == ["A999000000001", "B999000000002"]


def test_quoted_names(read):
    assert read('census."two.parts"', {"upn": "upn"}).summary.file == "census.two.parts"
    assert read('"Pupils"', {"upn": "Upn", "sex": "sex"}).frame["upn"].tolist() == ["A"]
    assert read("pupils", {"upn": "upn"}).frame["upn"].tolist() == ["B"]


def test_many_rows_come_in_pieces_in_one_order_and_whole(read):
    small = read("census.many", {"upn": "upn", "age": "age"}, chunk_rows=7001)
    large = read("census.many", {"upn": "upn", "age": "age"})
    assert len(small.frame) == 120_000
    assert small.frame["upn"].is_monotonic_increasing
    assert small.summary.sha256 == large.summary.sha256
    assert small.frame["age"].astype("int64").sum() == sum(i % 15 for i in range(1, 120_001))


def test_nothing_can_be_written(server, monkeypatch):
    """Not even by the owner, and not by a function that a view calls."""
    engine = sa.create_engine(server.owner_url().replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "create or replace function census.write() returns text language sql as "
            "$$ insert into census.empty values ('x') returning pupil_upn $$;"
            "create or replace view census.writes as select census.write() as upn"
        )
    with pytest.raises(SourceError, match=r"refused to answer \(ReadOnlySqlTransaction 25006\)"):
        read_table(server.owner_url(), "census.writes", {"upn": "upn"})
    with engine.connect() as connection:
        assert connection.exec_driver_sql("select count(*) from census.empty").scalar() == 0
    engine.dispose()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"table": "census.pupil"}, "Did you mean 'pupils'"),
        ({"table": "cencus.pupils"}, "schema is not there.*Did you mean 'census'"),
        ({"table": "recent"}, r"another schema.*census\.recent"),
        ({"table": "select * from pupils"}, "not the name of a table"),
        ({"table": "census.pupils; drop table census.pupils"}, "not the name of a table"),
        ({"table": ""}, "not the name of a table"),
        ({"table": "a.b.c.d"}, "schema is not there"),
        ({"columns": {"upn": "pupil_unp"}}, "Did you mean 'pupil_upn'"),
        ({"columns": {"upn": "x", "sex": "y"}}, "(?s)Found: 'x'.*Found: 'y'"),
        ({"columns": {"upn": "UPN"}, "table": '"Pupils"'}, "spelt there: Upn or upn"),
        ({"columns": {"upn": "reference"}}, "upn has letters"),
        ({"columns": {"postcode": "year"}}, "postcode has letters"),
        ({"columns": {"phase": "scan"}}, "holds no cells"),
        ({"columns": {"phase": "tags"}}, "holds no cells"),
        ({"columns": {"phase": "extra"}}, "holds no cells"),
        ({"columns": {"upn": "surname"}}, "never read"),
        ({"columns": {"surname": "sex"}}, "never read|no column of this name"),
        ({"columns": {"sen_provison": "sex"}}, "Did you mean 'sen_provision'"),
        ({"where": {"surname": "x"}}, "names, locates or reaches a person"),
        ({"where": {"yaer": 2026}}, "Did you mean 'year'"),
        ({"where": {"year": "this year"}}, "does not fit the column"),
        ({"where": {"scan": "x"}}, "does not fit the column"),
        ({"where": {"year": 1999}}, "no rows.*Is the value in year right"),
        ({"table": "census.empty", "columns": {"upn": "pupil_upn"}}, "no rows"),
        ({"table": "secret", "columns": {"upn": "upn"}}, "may not read"),
        ({"table": "census.slow", "columns": {"upn": "upn", "age": "age"}, "seconds": 1}, "took too long"),
        ({"table": "census.strange", "columns": {"dob": "dob"}}, "none that can be read"),
        (
            {"table": "census.breaks", "columns": {"upn": "upn", "age": "age"}, "chunk_rows": 100},
            r"refused to answer \(DivisionByZero 22012\)",
        ),
    ],
)
def test_faults_of_the_request(server, read, options, words):
    with refused(server, words):
        read(**options)


def test_an_unknown_database_or_user_and_a_wrong_or_missing_password(server, read, monkeypatch):
    with refused(server, "no such database"):
        read(url=server.reader_url("nowhere"))
    with refused(server, "does not accept the user or the password"):
        read(url=server.reader_url(user="nobody_here"))
    monkeypatch.setenv("PGPASSWORD", "wrong")
    with refused(server, "does not accept the user or the password"):
        read()
    monkeypatch.delenv("PGPASSWORD")
    monkeypatch.setenv("PGPASSFILE", os.devnull)
    with refused(server, "asks for a password"):
        read()


def test_the_password_from_a_variable_or_a_file(server, read, monkeypatch, tmp_path):
    monkeypatch.setenv("PGPASSWORD", "wrong")
    monkeypatch.setenv("CENSUS_PASSWORD", server.password)
    assert len(read(password_env="CENSUS_PASSWORD").frame) == 3
    kept = tmp_path / "password"
    kept.write_text(server.password + "\n")
    kept.chmod(0o600)
    assert len(read(password_file=str(kept)).frame) == 3
    monkeypatch.delenv("PGPASSWORD")
    passes = tmp_path / "pgpass"
    passes.write_text(f"127.0.0.1:*:*:reader:{server.password}\n")
    passes.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passes))
    assert len(read().frame) == 3


def test_no_server(server, read):
    port = server.port
    with refused(server, "cannot be reached"):
        read(url=f"postgresql://reader@127.0.0.1:{port + 1 if port < 65535 else port - 1}/postgres")
    with refused(server, "cannot be reached"):
        read(url="postgresql://reader@nowhere.invalid/postgres")


def test_a_connection_that_dies_while_reading(server, read):
    """Its session is ended by the owner as soon as it reads."""
    engine = sa.create_engine(server.owner_url().replace("postgresql:", "postgresql+psycopg:"))
    done = threading.Event()

    def end():
        ending = (
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'reader' and query like 'FETCH%%'"
        )
        # Within one transaction the server would show the same sessions again and again.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while not done.wait(0.1):
                if connection.exec_driver_sql(ending).scalar():
                    return

    killer = threading.Thread(target=end)
    killer.start()
    try:
        with refused(server, "connection was lost while reading"):
            read("census.slow", {"upn": "upn", "age": "age"}, seconds=20)
    finally:
        done.set()
        killer.join()
        engine.dispose()
