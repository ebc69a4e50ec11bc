"""One command makes packs from files, parquet and a server: the same figures; and packs of several areas at once."""

import io
import re

import pandas as pd
import pytest
import sqlalchemy as sa
import yaml

from jsna.area import Area
from jsna.params import read_params
from jsna.refresh.refresh import Asked, refresh
from jsna.synthetic.files import TRAINING_KEY, write_files
from jsna.synthetic.national import write_national

DATA, POPULATION = "00-data", "01-population"
PASSWORD = "WAREHOUSE_OF_A_TEST"  # the name of a variable


def params(folder, name, *chapters, **values):
    path = folder / f"{name}.yml"
    path.write_text(yaml.safe_dump({"cycle": f"2026-{name}", "source": "local", "chapters": list(chapters), **values}))
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory, postgres):
    """The packs of four params files in one run, by name, with what the run said."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("JSNA_DATA", raising=False)
        patch.setenv("JSNA_CACHE", str(folder / "cache"))
        files = {form: str(folder / form) for form in ("census_flat", "postcodes", "schools")}
        for form, path in files.items():
            write_files(path, form, scale=0.03)
        key = folder / "training.key"
        key.write_text(TRAINING_KEY.hex() + "\n")
        key.chmod(0o600)
        own = {"pupils": files["census_flat"], "postcodes": files["postcodes"], "schools": files["schools"]}
        luton = params(folder, "files", POPULATION, areas=["E06000032"], key_file=str(key), **own)
        frame = Area(read_params(luton)).pupils.frame
        frame = frame.astype({c: "str" for c in frame if frame[c].dtype == "category"})
        (folder / "load").mkdir()
        frame.to_parquet(folder / "load" / "luton.parquet", index=False)
        fill(postgres, frame)
        patch.setenv(PASSWORD, postgres.password)
        server = {"address": postgres.reader_url(user="reader_of_pupils"), "table": "pupils", "password_env": PASSWORD}
        parquet = {"kind": "parquet", "address": str(folder / "load"), "synthetic": True}
        write_national(folder / "national", pupils=3000, areas=2, files=1, jobs=1)
        several = {"kind": "parquet", "address": str(folder / "national")}
        server |= {"kind": "postgresql", "synthetic": True}
        asked = [
            luton,
            params(folder, "parquet", POPULATION, areas=["E06000032"], engine=parquet),
            params(folder, "server", DATA, POPULATION, areas=["E06000032"], engine=server),
            params(folder, "two", DATA, areas=["E06000001", "E06000002"], engine=several),
        ]
        said = io.StringIO()
        report = refresh(asked, Asked(folder / "packs"), log=said)
        assert report.failures == ()
        yield {f"{p.parent.name} {p.name}": p for p in report.packs}, said.getvalue()


def fill(server, frame):
    engine = sa.create_engine(server.owner_url().replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.exec_driver_sql(f"create role reader_of_pupils login password '{server.password}'")
        frame.to_sql("pupils", connection, index=False, if_exists="replace", chunksize=2000)
        connection.exec_driver_sql("grant select on pupils to reader_of_pupils")
    engine.dispose()


@pytest.mark.parametrize("name", ["parquet", "server"])
def test_the_pack_has_the_same_figures_as_from_files(made, name):
    packs, _ = made
    own, other = packs["luton-synthetic 2026-files"], packs[f"luton-synthetic 2026-{name}"]
    tables = {p.name for p in (own / "tables").glob("*.csv")}
    assert tables <= {p.name for p in (other / "tables").glob("*.csv")}
    assert len(tables) > 2
    for table in tables:
        assert (own / "tables" / table).read_bytes() == (other / "tables" / table).read_bytes(), table


def test_the_page_is_the_same_as_from_files(made):
    packs, _ = made
    one, two = (
        (packs[f"luton-synthetic 2026-{name}"] / "chapters" / "01-population.html").read_text().replace(f"-{name}", "")
        for name in ("files", "parquet")
    )
    assert one == two


def test_the_pack_says_where_pupils_were_counted(made):
    packs, _ = made
    page = (packs["luton-synthetic 2026-server"] / "chapters" / "00-data.html").read_text()
    assert "pupils (PostgreSQL)" in page
    assert "their rows were not read, and not checked one by one" in page
    assert "The check of the counts found" in page


def test_several_areas_of_one_engine_each_have_a_pack_of_their_own_pupils(made):
    packs, _ = made
    rows = []
    for name in ("Hartlepool", "Middlesbrough"):
        pack = packs[f"{name.lower()}-synthetic 2026-two"]
        assert f"{name} (synthetic)" in (pack / "index.html").read_text()
        rows.append(int(pd.read_csv(pack / "tables" / "data-sources.csv")["Rows read"].iloc[0]))
    assert len(set(rows)) == 2
    assert 8000 < sum(rows) < 10000


def test_no_address_and_no_password_is_in_a_pack_or_in_what_was_said(made, postgres):
    packs, said = made
    secrets = re.compile(f"{postgres.password}|127\\.0\\.0\\.1|reader_of_pupils|{PASSWORD}|/national|/load")
    assert not secrets.search(said)
    for pack in packs.values():
        for path in pack.rglob("*"):
            if path.is_file() and path.suffix in (".html", ".json", ".ipynb", ".csv", ".yml"):
                assert not secrets.search(path.read_text()), path.name
