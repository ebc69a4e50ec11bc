"""Smoothing and clusters of small areas: seconds, beside esda in the same run where it has the same thing.

    JSNA_DATA=<folder of official files> python benchmarks/places.py

With the folder: England's 33,755 LSOAs by local authority, children under 16 as totals, counts drawn from a known risk.
Without: square lattices. esda is a peer for this benchmark and the tests, not used by the workbench.

First comes the national run, in a process of its own so that its peak memory can be told: shapes read, neighbours, and
every LSOA steadied within its authority, by Marshall's and by the BYM2 model. Its bars: a minute and 2 GiB.
"""

from __future__ import annotations

import multiprocessing
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import shapely

from geo.clusters import between_variation, local_moran, morans_i, scan
from geo.neighbours import Neighbours, contiguity
from geo.smoothing import bym2, empirical_bayes

SEED, RISK = 20250101, 0.05
BAR_SECONDS, BAR_GIB = 60, 2


def _seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """The best of several tries: the least disturbed one."""
    tries = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        tries.append(time.perf_counter() - start)
    return min(tries)


def _line(name: str, ours: float, peer: str = "", theirs: float | None = None, apart: float | None = None) -> None:
    beside = "" if theirs is None else f"{peer:<34}{theirs:>9.3f} s{theirs / ours:>9.1f} times"
    print(f"{name:<52}{ours:>9.3f} s   {beside}" + ("" if apart is None else f"{apart:>11.0e}"))


def _apart(ours, theirs) -> float:
    return float(np.nanmax(np.abs(np.asarray(ours, float) / np.asarray(theirs, float) - 1)))


def official(folder: Path) -> pd.DataFrame:
    import geopandas as gpd

    shapes = gpd.read_parquet(folder / "geography" / "boundaries_lsoa21_england.parquet").to_crs(27700)
    lookup = pd.read_csv(folder / "geography" / "lookup_lsoa21_ward24_ltla24.csv.gz")
    people = pd.read_csv(folder / "population" / "census21_pop_lsoa21_agegroup.csv.gz")
    people = people[people["age_group"].str.contains("15")].groupby("lsoa21_code")["usual_residents"].sum()
    areas = shapes.merge(lookup[["lsoa21_code", "ltla24_code"]], on="lsoa21_code")
    areas["total"] = areas["lsoa21_code"].map(people).fillna(0)
    return areas.rename(columns={"lsoa21_code": "code", "ltla24_code": "authority"})[
        ["code", "authority", "total", "geometry"]
    ]


def lattices(parts: int = 153, side: int = 15) -> pd.DataFrame:
    import geopandas as gpd

    random, rows = np.random.default_rng(SEED), side**2
    shift = np.repeat(np.arange(parts) * (side + 5), rows)
    x, y = np.tile(np.arange(rows) % side, parts) + shift, np.tile(np.arange(rows) // side, parts)
    boxes = shapely.box(x * 100, y * 100, x * 100 + 100, y * 100 + 100)
    codes, total = [f"L{i:05d}" for i in range(len(x))], random.integers(100, 500, len(x))
    frame = {"code": codes, "authority": np.repeat(np.arange(parts), rows), "total": total}
    return gpd.GeoDataFrame(frame, geometry=boxes, crs=27700)


def with_counts(areas: pd.DataFrame) -> pd.DataFrame:
    random = np.random.default_rng(SEED)
    own = np.clip(RISK * np.exp(0.3 * random.normal(size=len(areas))), 0, 1)
    return areas.assign(count=random.binomial(areas["total"].astype(int), own))


def one_place(areas: pd.DataFrame, size: int) -> tuple[pd.DataFrame, Neighbours]:
    """The authority with at least so many areas that has fewest, cut to the size along the map."""
    counts = areas["authority"].value_counts()
    enough = counts[counts >= size]
    place = areas if enough.empty else areas[areas["authority"] == enough.sort_index().idxmin()]
    place = place.iloc[np.argsort(place.geometry.centroid.y.to_numpy(), kind="stable")[:size]].reset_index(drop=True)
    return place, contiguity(place, "code", tolerance_m=2)


def peer_weights(neighbours: Neighbours):
    import libpysal

    matrix = neighbours.matrix
    starts = zip(matrix.indptr, matrix.indptr[1:], strict=False)
    links = {i: matrix.indices[a:b].tolist() for i, (a, b) in enumerate(starts)}
    return libpysal.weights.W(links, id_order=list(links))


def smoothing_beside_loops(areas: pd.DataFrame) -> None:
    import esda

    def theirs() -> list:
        groups = areas.groupby("authority", sort=False)
        return [
            esda.smoothing.Empirical_Bayes(p["count"].to_numpy(), p["total"].to_numpy()).r.ravel() for _, p in groups
        ]

    def ours() -> pd.DataFrame:
        return empirical_bayes(areas["count"], areas["total"], by=areas["authority"])

    name = f"Marshall, {len(areas):,} areas in {areas['authority'].nunique()} groups, limits"
    parts = [p.to_numpy() for _, p in ours().groupby(areas["authority"], sort=False)["smoothed"]]
    # Where areas differ less than by chance, or there is one, the peer has no answer or one beyond the mean.
    same = np.median(
        [_apart(a, b) for a, b in zip(parts, theirs(), strict=True) if np.isfinite(b).all() and len(b) > 1]
    )
    _line(name, _seconds(ours), "esda by group, no limits", _seconds(theirs), float(same))

    near = contiguity(areas, "code", tolerance_m=2)
    weights = peer_weights(near)
    local = _seconds(lambda: empirical_bayes(areas["count"], areas["total"], near))
    peer = _seconds(lambda: esda.smoothing.Spatial_Empirical_Bayes(areas["count"], areas["total"], weights), 1)
    _line("Marshall with neighbours, the same areas", local, "esda, no limits", peer)


def models(areas: pd.DataFrame) -> None:
    for size in (125, 500):
        place, near = one_place(areas, size)
        taken = _seconds(lambda place=place, near=near: bym2(place["count"], place["total"], near), 1)
        _line(f"BYM2, {len(place)} areas", taken)


def clusters(areas: pd.DataFrame) -> None:
    import esda

    place, near = one_place(areas, 125)
    x, n, y = place["count"], place["total"], (place["count"] / place["total"]).to_numpy()
    weights = peer_weights(near)
    for permutations in (999, 9_999):
        ours = _seconds(lambda p=permutations: morans_i(y, near, permutations=p))
        theirs = _seconds(lambda p=permutations: esda.Moran(y, weights, permutations=p))
        apart = abs(morans_i(y, near).i / esda.Moran(y, weights, permutations=0).I - 1)
        _line(f"Moran's I, 125 areas, {permutations:,} permutations", ours, "esda", theirs, apart)
    for permutations in (999, 9_999):
        ours = _seconds(lambda p=permutations: local_moran(y, near, permutations=p))
        theirs = _seconds(lambda p=permutations: esda.Moran_Local(y, weights, permutations=p, n_jobs=1, seed=1))
        is_ = esda.Moran_Local(y, weights, permutations=0).Is * 125 / 124
        apart = _apart(local_moran(y, near)["local_i"], is_)
        _line(f"local Moran, 125 areas, {permutations:,} permutations", ours, "esda", theirs, apart)
    points, varied = place.geometry, between_variation(x, n)
    _line("scan, 125 areas, 999 simulations", _seconds(lambda: scan(x, n, points), 1))
    expected = n * x.sum() / n.sum()
    _line("the same, Poisson", _seconds(lambda: scan(x, expected, points, model="poisson"), 1))
    _line("the same, areas' own risks vary", _seconds(lambda: scan(x, n, points, variation=varied), 1))


def all_areas() -> pd.DataFrame:
    folder = os.environ.get("JSNA_DATA")
    areas = with_counts(official(Path(folder)) if folder else lattices())
    return areas[areas["total"] > 0].reset_index(drop=True)


def peak_gib() -> float:
    """The most memory that this process has held; missing where the system does not say (Windows)."""
    try:
        import resource
    except ImportError:
        return float("nan")
    import sys

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)


def national() -> None:
    warnings.simplefilter("ignore")
    start = time.perf_counter()
    areas = all_areas()
    groups = [p.reset_index(drop=True) for _, p in areas.groupby("authority", sort=True)]
    steps = {
        "shapes and counts read": lambda: None,
        "neighbours of all areas": lambda: contiguity(areas, "code", tolerance_m=2),
        "Marshall by authority": lambda: empirical_bayes(areas["count"], areas["total"], by=areas["authority"]),
        "BYM2 by authority": lambda: [_bym2(p) for p in groups],
    }
    print(f"National run: {len(areas):,} areas in {len(groups)} authorities")
    total = 0.0
    for name, work in steps.items():
        made = work()
        lap, start = time.perf_counter() - start, time.perf_counter()
        total += lap
        print(f"  {name:<50}{lap:>9.1f} s   peak so far {peak_gib():.2f} GiB")
        if name.startswith("BYM2"):
            print(f"    answered: {sum(int(m.areas['smoothed'].notna().sum()) for m in made):,} areas")
    met = total <= BAR_SECONDS and peak_gib() <= BAR_GIB
    print(f"  {'in all':<50}{total:>9.1f} s   {peak_gib():.2f} GiB: bar {'met' if met else 'NOT MET'}\n", flush=True)


def _bym2(place: pd.DataFrame):
    return bym2(place["count"], place["total"], contiguity(place, "code", tolerance_m=2))


def main() -> None:
    warnings.simplefilter("ignore")
    process = multiprocessing.get_context("spawn").Process(target=national)
    process.start()
    process.join()
    areas, folder = all_areas(), os.environ.get("JSNA_DATA")
    print(f"{'official areas' if folder else 'lattices'}: {len(areas):,}; last column: how far answers are apart\n")
    _line("contiguity of all areas", _seconds(lambda: contiguity(areas, "code", tolerance_m=2), 1))
    smoothing_beside_loops(areas)
    models(areas)
    clusters(areas)


if __name__ == "__main__":
    main()
