"""Addresses and passwords, without a server: no secret in an address, none in a message; SQL Server by statement."""

import os
import re
import sys

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from jsna.errors import SourceError
from jsna.sources.database import read_table
from jsna.sources.database_address import address_of, password_of
from jsna.sources.database_names import Found, in_any_case, name_parts
from jsna.sources.database_server import explain, kind_of, selection


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://zxuser:s3cret@server/db",
        "postgresql://zxuser:s3cret@server:5432/db",
        "postgresql://zxuser:s3cr@t@server/db",
        "postgresql://zxuser:s3cret@/db?host=server",
        "postgresql://zxuser:s3cret@server:port/db",
        "postgresql+psycopg://zxuser:@server/db?sslpassword=s3cret",
        "postgresql://zxuser@server/db?password=s3cret",
        "mssql+pyodbc://zxuser:s3cret@server/db",
        "mssql://server/db?PWD=s3cret",
        "oracle://zxuser:s3cret@server/db",
        "postgresql//zxuser:s3cret@server",
        "s3cret",
        "mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BUID%3Dzxuser%3BPWD%3Ds3cret",
        "postgresql://zxuser@s3cret",
        "duckdb://zxuser:s3cret@server/file.duckdb",
        "",
    ],
)
def test_an_address_with_a_secret_or_none_at_all_is_refused_without_an_echo(url):
    with pytest.raises(SourceError) as caught:
        read_table(url, "pupils", {"upn": "upn"})
    message = str(caught.value)
    assert "s3cret" not in message
    assert "s3cr" not in message
    assert "zxuser" not in message
    assert caught.value.__context__ is None or caught.value.__suppress_context__


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_an_address_or_refused(text):
    for url in (text, f"postgresql://{text}", f"postgresql://zxuser:{text}@server/db", f"duckdb:///{text}"):
        try:
            address = address_of(url)
        except SourceError as error:
            shown = str(error)
        else:
            assert address.url.password is None
            continue
        if len(text) > 8 and text.isalnum():
            assert text not in shown


@pytest.mark.parametrize(
    ("url", "driver", "server", "database"),
    [
        ("postgresql://zxuser@server:5433/warehouse", "postgresql+psycopg", "server", "warehouse"),
        ("postgres://server/warehouse?sslmode=require", "postgresql+psycopg", "server", "warehouse"),
        ("mssql://server/warehouse", "mssql+pyodbc", "server", "warehouse"),
        ("mssql+pyodbc://server/warehouse?driver=ODBC+Driver+17+for+SQL+Server", "mssql+pyodbc", "server", "warehouse"),
        ("duckdb:///folder/x.duckdb", "duckdb", None, "folder/x.duckdb"),
    ],
)
def test_addresses(url, driver, server, database):
    found = address_of(url).url
    assert (found.drivername, found.host, found.database) == (driver, server, database)


def test_sql_server_has_a_driver_when_none_is_named():
    assert address_of("mssql://server/db").url.query["driver"] == "ODBC Driver 18 for SQL Server"
    assert address_of("mssql://server/db?driver=Other").url.query["driver"] == "Other"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:///x.db", "kind of database is not read"),
        ("postgresq://server/db", "kind of database is not read.*Did you mean 'postgresql'"),
        ("postgresql://server", "names no database"),
        ("duckdb://x.duckdb", "names no file|names no"),
        ("duckdb://", "names no file"),
        ("mssql+pyodbc:///?odbc_connect=x", "names no database|connection string"),
        ("mssql+pyodbc://server/db?odbc_connect=x", "connection string is not taken"),
    ],
)
def test_addresses_that_are_refused(url, words):
    with pytest.raises(SourceError, match=words):
        address_of(url)


def test_passwords_come_from_the_environment_or_a_file_of_the_owners(monkeypatch, tmp_path):
    assert password_of() is None
    monkeypatch.setenv("CENSUS_PASSWORD", "s3cret")
    assert password_of(variable="CENSUS_PASSWORD") == "s3cret"
    kept = tmp_path / "password"
    kept.write_text("s3cret\nsecond line\n")
    kept.chmod(0o600)
    assert password_of(file=str(kept)) == "s3cret"
    if os.name != "nt":
        kept.chmod(0o640)
        with pytest.raises(SourceError, match="Others on this computer can read"):
            password_of(file=str(kept))
    kept.chmod(0o600)
    kept.write_text("\n")
    faults = [
        ({"file": str(kept)}, "no password"),
        ({"file": str(tmp_path)}, "cannot be read"),
        ({"file": str(tmp_path / "none")}, "missing"),
        ({"variable": "NOT_SET"}, "not set.*NOT_SET"),
        ({"variable": "CENSUS_PASSWORD", "file": str(kept)}, "not both"),
    ]
    for options, words in faults:
        with pytest.raises(SourceError, match=words) as caught:
            password_of(**options)
        assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(("url", "missing"), [("mssql://server/db", "pyodbc"), ("postgresql://server/db", "psycopg")])
def test_a_missing_driver_says_what_to_install(monkeypatch, url, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(SourceError, match=f"driver for .* is not installed.*pip install '?{missing}"):
        read_table(url, "pupils", {"upn": "upn"})


@pytest.mark.parametrize(
    ("written", "schema", "table"),
    [
        ("pupils", None, "pupils"),
        ("dbo.pupils", "dbo", "pupils"),
        ("[my db].[dbo].[pupils 2026]", "my db.dbo", "pupils 2026"),
        ('"a.b"."c""d"', "a.b", 'c"d'),
    ],
)
def test_names_of_tables(written, schema, table):
    assert name_parts(written) == (schema, table)


@pytest.mark.parametrize(
    "written", ["", " ", ".", "a.", "a b", "a;b c", "a--b c", "(select 1)", '"open', "a..b", "a\nb"]
)
def test_what_is_no_name_of_a_table(written):
    with pytest.raises(SourceError, match="not the name of a table"):
        name_parts(written)


def test_names_in_any_case():
    assert in_any_case("UPN", ["upn", "sex"]) == "upn"
    assert in_any_case("UPN", ["upn", "Upn"]) is None
    assert in_any_case("Upn", ["upn", "Upn"]) == "Upn"


def test_the_statement_for_sql_server_has_every_name_quoted_and_every_value_apart():
    from sqlalchemy.dialects import mssql

    table = sa.Table(
        "pupils 2026", sa.MetaData(), sa.Column("Order", sa.Unicode), sa.Column("id", sa.Integer), schema="dbo"
    )
    found = Found("dbo.pupils 2026", "dbo", "pupils 2026", {"Order": "text", "id": "whole number"}, {}, ("id",))
    statement = selection(table, found, {"upn": "Order", "sex": "Order"}, {"id": "7", "Order": ["a'", "b"]})
    compiled = statement.compile(dialect=mssql.dialect(), compile_kwargs={"render_postcompile": True})
    assert " ".join(str(compiled).split()) == (
        "SELECT dbo.[pupils 2026].[Order] AS c0, dbo.[pupils 2026].[Order] AS c1 FROM dbo.[pupils 2026] "
        "WHERE dbo.[pupils 2026].id IN (:id_1_1) AND dbo.[pupils 2026].[Order] IN (:Order_1_1, :Order_1_2) "
        "ORDER BY dbo.[pupils 2026].id"
    )
    assert list(compiled.params.values()) == [7, "a'", "b"]


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        ("BIT", "yes or no"),
        ("UNIQUEIDENTIFIER", "text"),
        ("NVARCHAR", "text"),
        ("DATETIME2", "date"),
        ("SMALLDATETIME", "date"),
        ("TINYINT", "whole number"),
        ("DECIMAL", "number"),
        ("REAL", "number"),
        ("IMAGE", ""),
        ("SQL_VARIANT", ""),
        ("ROWVERSION", ""),
    ],
)
def test_the_types_of_sql_server(type_, kind):
    from sqlalchemy.dialects import mssql

    assert kind_of(getattr(mssql, type_)()) == kind


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("28000", "[28000] Login failed for user 'zxuser'. (18456)"), "does not accept"),
        (("HYT00", "[HYT00] Login timeout expired (0)"), "cannot be reached"),
        (("HYT00", "[HYT00] Query timeout expired (0)"), "took too long"),
        (("08S01", "[08S01] Communication link failure"), "was lost"),
        (("IM002", "[IM002] Data source name not found and no default driver specified"), "driver of the database"),
        (("42000", "zxuser did something"), r"refused to answer \(ProgrammingError 42000\)"),
        (("anything at all with zxuser",), r"refused to answer \(ProgrammingError\)"),
    ],
)
def test_what_odbc_says_is_told_in_our_words(words, told):
    class ProgrammingError(Exception):
        """As pyodbc's: its arguments are the state and the words."""

    problem = str(explain(ProgrammingError(*words)))
    assert re.search(told, problem)
    assert "zxuser" not in problem
