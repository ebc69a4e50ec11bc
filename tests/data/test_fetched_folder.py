"""The official files, served as their publishers would and fetched, give the readers the same figures as before."""

import csv
import gzip
import io
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from fetch_runs import client, fetch, without_network_settings
from fetch_server import FILE, RELEASE, Layer, StandIn, zipped
from shapely.geometry import mapping

from jsna.fetch.catalogue import catalogue
from jsna.sources.folder import OfficialFolder

AS_THEY_ARE = ("ehc", "pupils", "idaci", "imd_2025", "lait", "neighbours", "ward_names", "la_codes")
INDEX_2019 = {
    "lsoa11_code": "LSOA code (2011)",
    "IMD_rank": "Index of Multiple Deprivation (IMD) Rank (where 1 is most deprived)",
    "IMD_decile": "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)",
}


def content_of(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def table_of(path: Path) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(content_of(path)), dtype=str, keep_default_na=False)


def publish_layer(server, entry, frame, shapes=None):
    named = frame[list(entry.columns.values())].set_axis(list(entry.columns), axis="columns")
    rows = [{"OBJECTID": i + 1, **row} for i, row in enumerate(named.to_dict("records"))]
    made = {i + 1: mapping(shape) for i, shape in enumerate(shapes)} if shapes is not None else None
    server.layers[entry.layer] = Layer(rows, cap=1000 if made else 2000, geometry=made is not None, shapes=made)


def census_zip(entry, frame):
    wide = frame.pivot(
        index=["lsoa21_code", "lsoa21_name"], columns="age_group", values="usual_residents"
    ).reset_index()
    groups = [c for c in wide.columns if c.startswith("Aged")]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["date", "geography", "geography code", "Age: Total", *(f"Age: {g}" for g in groups)])
    for row in wide.to_dict("records"):
        writer.writerow(["2021", row["lsoa21_name"], row["lsoa21_code"], "0", *(row[g] for g in groups)])
    return zipped({entry.member: out.getvalue().encode()})


@pytest.fixture(scope="module")
def both(official_data, tmp_path_factory):
    """The folder of official files, and the one fetched from a stand-in that serves them, with the true catalogue."""
    before, folder = OfficialFolder(official_data), tmp_path_factory.mktemp("fetched")
    with StandIn() as server, pytest.MonkeyPatch.context() as patch:
        without_network_settings(patch)
        known = catalogue().elsewhere(server.addresses(catalogue()))
        entries = known.files
        for key in AS_THEY_ARE:
            server.files[server.path_of(entries[key])] = content_of(before.file(key))
        for key in ("ehc", "pupils"):
            e = entries[key]
            server.answers[f"/{e.service}/publications/{e.publication}/releases/{e.release}/version-summary"] = {
                "id": RELEASE
            }
        listed = [{"fileId": FILE, "filename": "spc_pupils_ethnicity_and_language_.csv"}]
        server.lists["/ees_content/data-set-files"] = listed
        for key in ("lsoa_ward", "lsoa_change"):
            publish_layer(server, entries[key], table_of(before.file(key)))
        shapes = gpd.read_parquet(before.file("ward_shapes"))
        publish_layer(server, entries["ward_shapes"], shapes, shapes.geometry)
        index = table_of(before.file("imd_2019"))[list(INDEX_2019)].rename(columns=INDEX_2019)
        server.files[server.path_of(entries["imd_2019"])] = index.to_csv(index=False).encode("utf-8-sig")
        census = table_of(before.file("children"))
        server.files[server.path_of(entries["children"])] = census_zip(entries["children"], census)
        outcomes = fetch(server, folder, known=known, by=client(read=60, whole=600))
    low_income = before.file("low_income")
    (folder / low_income.name).write_bytes(low_income.read_bytes())
    return before, OfficialFolder(folder), outcomes


def test_all_of_them_come(both):
    _, after, outcomes = both
    assert {k: [str(p) for p in o.problems] for k, o in outcomes.items() if o.status != "fetched"}.keys() == {
        "low_income"
    }
    after.check()


@pytest.mark.parametrize(
    "read",
    [
        "lait",
        "neighbours",
        "pupils",
        "children",
        "idaci",
        "imd_2025",
        "imd_2019",
        "lsoa_ward",
        "lsoa_change",
        "ward_names",
        "la_codes",
    ],
)
def test_the_readers_find_the_same_figures(both, read):
    before, after, _ = both
    old, new = (getattr(folder, read)().frame for folder in (before, after))
    columns = list(old.columns)
    old, new = (f.sort_values(columns, ignore_index=True) for f in (old, new[columns]))
    pd.testing.assert_frame_equal(old, new)


def test_the_release_of_plans_is_the_same_file(both):
    before, after, _ = both
    assert before.file("ehc").read_bytes() == after.file("ehc").read_bytes()


def test_the_wards_have_the_same_shapes(both):
    before, after, _ = both
    old, new = (f.ward_shapes(["E06000032"]).sort_values("ward_code", ignore_index=True) for f in (before, after))
    assert len(new) == 20
    assert old["ward_code"].tolist() == new["ward_code"].tolist()
    assert old.geometry.geom_equals_exact(new.geometry, 1e-6).all()
