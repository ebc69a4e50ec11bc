"""How the picture depends on place: other ward boundaries, other units, clusters, and the edition of the index."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from geo.clusters import Moran, between_variation, local_moran_of_rates, morans_i_of_rates, scan
from geo.lookups import Converted, Lookup, convert
from geo.neighbours import Neighbours, from_pairs
from jsna.disclosure import Released, protect
from jsna.errors import Problem, SourceError
from jsna.evidence.places import (
    LINES,
    PAIR,
    SmallAreas,
    expected,
    hidden_note,
    ward_counts,
)
from jsna.linked.places import LSOA, MOVE, MOVES, OLD_WARD, WARD
from jsna.measures import overdispersion, slope_index
from jsna.sealed import Sealed

SIMULATIONS = 999
OLD, NEW = "old", "new"


def old_and_new_wards(
    areas: SmallAreas, lookup: Lookup, names: pd.Series, residents: pd.DataFrame
) -> tuple[Released, Converted]:
    """The same pupils under the wards of before and of today, name by name, and what of the former is estimated.

    ``lookup``: LSOA to the old wards, those of the column ``ward17`` of ``areas.lsoas``; ``names``: of old wards, by
    code; ``residents``: rows ``source`` (ward of today), ``target`` (old ward) and ``weight``, the share of today's
    residents who lived in the old one. One row a name: ``label``, ``old_code``, ``new_code``, for each set counts and
    shares with limits, and ``same_residents`` (percent of today's ward who live within the old ward of that name;
    missing when there is none).

    Raises ``SourceError`` where an LSOA is shared out over several old wards: shares are estimates, and cannot be
    protected together with counts.
    """
    frame = areas.frame.groupby("lsoa21", as_index=False)[["pupils", areas.outcome]].sum()
    moved = convert(frame, lookup, code="lsoa21", values=["pupils", areas.outcome], whole=True)
    if moved.rows_estimated:
        raise SourceError(
            Problem(
                "Small areas are shared out over several old wards.",
                value=f"{moved.rows_estimated} of {moved.rows_converted}",
                expected="each small area in one old ward",
                mend="Use a lookup by best fit.",
            )
        )
    before = ward_counts(areas, OLD_WARD, (areas.outcome,)).rename(columns={"group": "code"})
    before["label"] = before["code"].map(names)
    today = ward_counts(areas, WARD, (areas.outcome,)).rename(columns={"group": "code"})
    today["label"] = today["code"].map(areas.lsoas.drop_duplicates(WARD).set_index(WARD)["ward_name"])
    parts = {OLD: before, NEW: today}
    columns = ["code", *PAIR, "percent", "percent_lower", "percent_upper"]
    parts = {k: v.set_index("label")[columns].add_prefix(f"{k}_") for k, v in parts.items()}
    both = parts[NEW].join(parts[OLD], how="outer").sort_index().reset_index()
    shared = residents.set_index(["source", "target"])["weight"]
    pairs = pd.MultiIndex.from_frame(both[["new_code", "old_code"]])
    both["same_residents"] = 100 * shared.reindex(pairs).to_numpy()
    rates = {f"{k}_{c}": (f"{k}_numerator", f"{k}_denominator") for k in parts for c in columns[3:]}
    named = {
        f"{k}_{c}": name
        for k, column in ((OLD, OLD_WARD), (NEW, WARD))
        for c, name in areas.names(column, both[f"{k}_code"], areas.outcome).items()
    }
    sealed = Sealed(both, counts=tuple(named), rates=rates)
    shown = protect(sealed, areas.rule, source=areas.source, synthetic=areas.synthetic, names=named)
    return shown, moved


def units(areas: SmallAreas, columns: Sequence[tuple[str, str]]) -> Released:
    """The same pupils in units of several sizes: how many, how far apart, and whether like lies beside like.

    ``columns``: pairs of a column of ``areas.lsoas`` and its name in words. One row a unit: ``units`` (shown of all),
    ``pupils_each``, ``lowest`` and ``highest`` crude share in percent, ``times_chance`` (variance of shares over that
    of chance: Spiegelhalter's, unwinsorised), ``variation`` (how far units' own risks lie from the mean, chance taken
    off, in percent of it), ``adjusted_variation`` (the same against numbers expected), and Moran's I of rates with p.
    """
    rows = []
    for column, name in columns:
        counts = ward_counts(areas, column, (areas.outcome,))
        dark = counts["group"].isin(list(areas.hidden_groups(column, areas.outcome)))
        may = ~dark & (counts[PAIR[1]] >= areas.policy.minimum_denominator)
        x, n = (counts[c].where(may) for c in PAIR)
        mean = expected(areas, column, areas.outcome, LINES["adjusted"])["expected"].reindex(counts["group"])
        near = merged_neighbours(areas, column, counts["group"])
        moran = morans_i_of_rates(x.set_axis(near.codes), n.set_axis(near.codes), near)
        rows.append(
            {
                "unit": name,
                "units": len(counts),
                "units_shown": int(may.sum()),
                PAIR[0]: x.sum(),
                PAIR[1]: n.sum(),
                "pupils_each": n.mean(),
                "lowest": counts["percent"].where(may).min(),
                "highest": counts["percent"].where(may).max(),
                "times_chance": overdispersion(x, n, x.sum() / n.sum(), winsorise=0),
                "variation": 100 * between_variation(x, n),
                "adjusted_variation": 100 * between_variation(x, mean.set_axis(x.index).where(may), model="poisson"),
                "moran": moran.i,
                "moran_p": moran.p_permutation,
            }
        )
    frame = pd.DataFrame(rows)
    derived = tuple(c for c in frame if c not in ("unit", "units", "units_shown", *PAIR))
    return areas.protected(frame, _sums_of_shown(frame), derived=derived, notes=hidden_note(areas))


def _sums_of_shown(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """The names of counts that are sums of shown ones, in each row: none, as the plan does not know them."""
    return {c: pd.Series("", index=rows.index) for c in PAIR}


def merged_neighbours(areas: SmallAreas, column: str, order: Sequence[str]) -> Neighbours:
    """Neighbourhood of areas made of LSOAs: two touch when an LSOA of one touches one of the other."""
    of = areas.lsoas.set_index("lsoa21", drop=False)[column]
    place = {code: i for i, code in enumerate(order)}
    rows = [(i, place[of[c]]) for i, c in enumerate(areas.neighbours.codes) if of.get(c) in place]
    at, to = zip(*rows, strict=True)
    member = sparse.csr_array((np.ones(len(rows)), (at, to)), shape=(len(areas.neighbours), len(place)))
    links = sparse.coo_array(member.T @ areas.neighbours.matrix @ member)
    codes = list(order)
    return from_pairs(codes, [(codes[a], codes[b]) for a, b in zip(links.row, links.col, strict=True) if a < b])


def _by_lsoa(areas: SmallAreas) -> pd.DataFrame:
    """Counts, and those expected, of the LSOAs that may be shown, in the order of neighbours; missing of the others."""
    codes = list(areas.neighbours.codes)
    counts = ward_counts(areas, "lsoa21", (areas.outcome,)).set_index("group").reindex(codes)
    made = expected(areas, "lsoa21", areas.outcome, LINES["adjusted"])["expected"].reindex(codes)
    frame = counts[list(PAIR)].astype("float64").assign(expected=made)
    frame.loc[frame.index.isin(list(areas.hidden))] = np.nan
    return frame


def alikeness(areas: SmallAreas) -> dict[str, Moran]:
    """Moran's I over LSOAs that may be shown: of crude rates, and against numbers expected."""
    rows = _by_lsoa(areas)
    return {
        "crude": morans_i_of_rates(rows[PAIR[0]], rows[PAIR[1]], areas.neighbours),
        "adjusted": morans_i_of_rates(rows[PAIR[0]], rows["expected"], areas.neighbours, model="poisson"),
    }


def local_clusters(areas: SmallAreas) -> Released:
    """Each LSOA among its neighbours, against numbers expected: local Moran, false discovery allowed for."""
    rows = _by_lsoa(areas)
    made = local_moran_of_rates(rows[PAIR[0]], rows["expected"], areas.neighbours, model="poisson")
    frame = ward_counts(areas, "lsoa21", (areas.outcome,)).set_index("group")
    known = areas.lsoas.set_index("lsoa21").reindex(rows.index)
    frame = frame[list(PAIR)].assign(
        cluster=made["cluster"].where(made["cluster"] != ""),
        q=made["q"],
        label=known["label"],
        ward_code=known["ward_code"],
        ward_name=known["ward_name"],
    )
    frame = frame.rename_axis("group").reset_index()
    return areas.protected(frame, areas.names(LSOA, frame["group"], areas.outcome), derived=("cluster", "q"))


def scanned(areas: SmallAreas, simulations: int = SIMULATIONS) -> tuple[Released, pd.Series, int]:
    """The likeliest round clusters of LSOAs against numbers expected (Kulldorff), the cluster of each LSOA, the seed.

    Rows in order of likelihood: ``direction``, ``n_areas``, ``wards`` (names with how many of their LSOAs),
    ``numerator``, ``denominator``, ``expected``, ``ratio``, ``p_chance`` (pupils one by one) and ``p`` (areas that
    differ from one another, but not by place). The series holds the number of the cluster where ``p`` is at most 5%,
    otherwise 0. Circles hold LSOAs that may be shown, and none other.
    """
    rows = _by_lsoa(areas)
    counts = rows[PAIR[0]], rows["expected"]
    how = {"model": "poisson", "simulations": simulations, "level": 0.05}
    chance = scan(*counts, areas.points, **how)
    spread = between_variation(*counts, model="poisson")
    found = scan(*counts, areas.points, variation=0.0 if np.isnan(spread) else spread, **how)
    table = found.clusters.reset_index(drop=True)
    of = areas.lsoas.set_index("lsoa21")["ward_name"]
    total = of.value_counts()

    def wards(codes: Sequence[str]) -> str:
        inside = of.reindex(list(codes)).value_counts().sort_index().sort_values(ascending=False, kind="stable")
        return ", ".join(f"{name} ({k} of {total[name]})" for name, k in inside.items())

    frame = pd.DataFrame(
        {
            "number": np.arange(1, len(table) + 1),
            "direction": table["direction"],
            "n_areas": table["n_areas"],
            "wards": table["areas"].map(wards) if len(table) else [],
            "numerator": [rows.loc[list(a), PAIR[0]].sum(skipna=False) for a in table["areas"]],
            "denominator": [rows.loc[list(a), PAIR[1]].sum(skipna=False) for a in table["areas"]],
            "expected": table["expected"].astype("float64"),
            "ratio": table["ratio"].astype("float64"),
            "p_chance": chance.clusters["p"].to_numpy(dtype="float64"),
            "p": table["p"].astype("float64"),
        }
    )
    derived = ("expected", "ratio", "p_chance", "p")
    shown = areas.protected(frame, _sums_of_shown(frame), derived=derived, notes=hidden_note(areas))
    return shown, found.areas["cluster"], found.seed


def by_decile(areas: SmallAreas, indices: Sequence[str]) -> Released:
    """Pupils, and the share identified, by national decile of each index (columns of ``areas.lsoas``).

    Rows: ``index``, ``decile`` (1 the most deprived), ``areas`` (LSOAs), counts and shares; deciles without an LSOA are
    left out.
    """
    return _grouped(areas, indices, "index", "decile")


def gradients(areas: SmallAreas, indices: Sequence[str]) -> Released:
    """How steeply the share runs along each index: slope and relative index over its deciles (Low and Low).

    Rows: ``index``, ``slope`` (percentage points, most less least deprived end) and ``relative`` (times), with limits.
    Deciles are taken in the order they come: those without an LSOA are left out, not counted as empty. Hidden where a
    decile is.
    """
    rows, dark = [], []
    for index in indices:
        counts = ward_counts(areas, index, (areas.outcome,)).sort_values("group")
        made = slope_index(*(counts[c] for c in PAIR), np.arange(1, len(counts) + 1), areas.confidence).iloc[0]
        slope = [-100 * made[c] for c in ("estimate", "upper", "lower")]
        relative = [1 / made[c] for c in ("relative_index", "relative_index_upper", "relative_index_lower")]
        rows.append((index, *counts[list(PAIR)].sum(), *slope, *relative))
        dark.append(bool(areas.hidden_groups(index, areas.outcome)))
    derived = ("slope", "slope_lower", "slope_upper", "relative", "relative_lower", "relative_upper")
    frame = pd.DataFrame(rows, columns=["index", *PAIR, *derived])
    return areas.protected(frame, _sums_of_shown(frame), derived=derived, dark=np.array(dark))


def edition_moves(areas: SmallAreas) -> Released:
    """How many pupils' home areas change decile between two editions of an index, and their share identified.

    Rows: ``move`` (one of ``MOVES``, from the column ``move`` of ``areas.lsoas``), ``areas``, counts and shares. The
    deciles are national ranks: an area can move because it changed, because others did, or because the index is made
    in another way.
    """
    return _grouped(areas, [MOVE], "index", MOVE, MOVES)


def _grouped(
    areas: SmallAreas, columns: Sequence[str], name: str, group: str, order: Sequence[str] | None = None
) -> Released:
    """Counts of pupils by groups of LSOAs, one block a column of ``areas.lsoas``."""
    parts = []
    for column in columns:
        counts = ward_counts(areas, column, (areas.outcome,)).drop(columns="outcome")
        rows = counts.set_index("group").reindex(order) if order is not None else counts.set_index("group")
        rows = rows.dropna(subset=list(PAIR)).rename_axis(group).reset_index()
        rows.insert(0, name, column)
        rows.insert(2, "areas", rows[group].map(areas.lsoas[column].value_counts()))
        parts.append((rows, areas.names(column, rows[group], areas.outcome)))
    frame = pd.concat([rows for rows, _ in parts], ignore_index=True)
    names = {c: pd.concat([named[c] for _, named in parts], ignore_index=True) for c in PAIR}
    return areas.protected(frame, names)
