"""Identification by ward and by LSOA: crude, steadied, and beside what pupils' age, sex and deprivation lead to expect.

Three rules protect what is shown of places that nest. A count that the gate hides is hidden with all that is worked out
from it. An LSOA is hidden too when its ward is, and no ward has just one hidden LSOA. All that lies beyond an area's
own count (steadied rates, clusters, other sets of areas) is worked out from LSOAs, or wards, that may be shown: so it
tells nothing of the others. The last makes tables of several sets of areas safe together (docs: methods of places).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from geo.neighbours import Neighbours, contiguity
from geo.smoothing import bym2, empirical_bayes
from jsna.counts import OUTCOMES
from jsna.disclosure import Policy, Released, protect
from jsna.errors import Problem, SourceError
from jsna.measures import false_discovery, indirectly_standardised_ratio, proportion
from jsna.sealed import Sealed

if TYPE_CHECKING:
    import geopandas as gpd

LINES: dict[str, tuple[str, ...]] = {
    "crude": (),
    "age_and_sex": ("year_group", "sex"),
    "adjusted": ("year_group", "sex", "quintile"),
}
ABOVE, BELOW, UNCLEAR = "above", "below", "unclear"
PAIR = ("numerator", "denominator")
SHARES = ("percent", "percent_lower", "percent_upper")
LEVEL = 0.05
APART = ("special", "alternative")  # kinds of school where pupils are for what is counted


@dataclass(frozen=True, eq=False)
class SmallAreas:
    """Pupils of one census by home LSOA, year group and sex, and what is known of each LSOA.

    ``cells``: sealed counts by ``lsoa21``, ``year_group``, ``sex``, and ``school_urn`` and ``school_phase`` if schools
    are to be allowed for. ``lsoas``: one row an LSOA: ``lsoa21``,
    ``label``, ``ward_code``, ``ward_name``, ``quintile`` (of deprivation, 1 the most deprived) and any further column
    to group by. ``shapes``: ``code`` and geometry of the LSOAs. ``outcome`` is the one that is shown by LSOA; wards are
    shown for all of ``outcomes``. Raises ``SourceError`` for a pupil's LSOA that is not among ``lsoas``, and when these
    are not those of ``shapes``.
    """

    cells: Sealed
    lsoas: pd.DataFrame
    shapes: gpd.GeoDataFrame
    period: str
    policy: Policy
    source: str
    synthetic: bool
    outcome: str = "any_sen"
    outcomes: tuple[str, ...] = OUTCOMES
    confidence: float = 0.95

    def __post_init__(self) -> None:
        strangers = sorted(set(self.frame["lsoa21"]) - set(self.lsoas["lsoa21"]))
        if strangers:
            mend = "Bring these LSOAs with their wards; no pupil is dropped."
            raise SourceError(Problem("Pupils live in LSOAs that are not in the list.", value=strangers[:5], mend=mend))
        apart = sorted(set(self.shapes["code"]) ^ set(self.lsoas["lsoa21"]))
        if apart:
            raise SourceError(Problem("The list of LSOAs and the shapes differ.", value=apart[:5]))

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The true cells of the census with the LSOAs' columns: for calculation in this room only."""
        cells = self.cells.unseal("to add up areas")
        cells = cells[cells["time_period"].astype(str) == self.period]
        names = [c for c in ("lsoa21", "year_group", "sex", "school_urn", "school_phase") if c in cells]
        keep = cells.assign(**{c: cells[c].astype(str) for c in names})
        return keep.merge(self.lsoas, on="lsoa21", how="left")

    @cached_property
    def neighbours(self) -> Neighbours:
        """Which LSOAs touch, in the order of their codes."""
        return contiguity(self.shapes.sort_values("code"), "code")

    @cached_property
    def points(self) -> NDArray:
        """The middle of each LSOA in metres, in the order of ``neighbours``."""
        middle = self.shapes.sort_values("code").geometry.centroid
        return np.column_stack([middle.x, middle.y])

    @cached_property
    def hidden_wards(self) -> dict[str, frozenset[str]]:
        """For each outcome, the wards whose count of pupils may not be shown."""
        shown = self.protected(ward_counts(self, "ward_code", self.outcomes), relations=(("outcome",), ("group",)))
        dark = (shown.symbols[list(PAIR)] == "c").any(axis=1)
        return {o: frozenset(shown.frame.loc[dark & (shown.frame["outcome"] == o), "group"]) for o in self.outcomes}

    @cached_property
    def hidden(self) -> frozenset[str]:
        """LSOAs of which no figure of ``outcome`` may be shown."""
        frame = ward_counts(self, "lsoa21", (self.outcome,)).rename(columns={"group": "lsoa21"})
        frame = frame.merge(self.lsoas[["lsoa21", "ward_code"]], on="lsoa21")
        shown = self.protected(frame, relations=(("ward_code",), ()))
        dark = (shown.symbols[list(PAIR)] == "c").any(axis=1)
        inside = frame["ward_code"].isin(list(self.hidden_wards[self.outcome]))
        return frozenset(frame.loc[dark | inside, "lsoa21"])

    def holds_hidden(self, column: str) -> frozenset[str]:
        """The areas of another set (a column of ``lsoas``) that a hidden LSOA lies in."""
        return frozenset(self.lsoas.loc[self.lsoas["lsoa21"].isin(self.hidden), column])

    def protected(
        self,
        frame: pd.DataFrame,
        *,
        derived: Sequence[str] = (),
        rates: Sequence[str] = SHARES,
        relations: tuple[tuple[str, ...], ...] = (),
        dark: NDArray | pd.Series | None = None,
        notes: tuple[str, ...] = (),
    ) -> Released:
        """``frame`` past the gate: ``numerator`` of ``denominator``, ``rates`` of the two, ``derived`` from them; rows
        where ``dark`` is true are hidden as well."""
        of_pair = {r: PAIR for r in rates if r in frame}
        sealed = Sealed(frame.reset_index(drop=True), counts=PAIR, rates=of_pair, derived=tuple(derived))
        shown = protect(sealed, self.policy, source=self.source, synthetic=self.synthetic, relations=relations)
        columns = [*PAIR, *of_pair, *derived]
        return replace(hide(shown, dark, columns) if dark is not None else shown, notes=notes)


def hide(released: Released, rows: NDArray | pd.Series, columns: Collection[str]) -> Released:
    """The table with further cells hidden: ``columns`` of the ``rows`` that are true. It can only hide more."""
    dark = np.asarray(rows, dtype=bool)
    frame, symbols = released.frame.copy(), released.symbols.copy()
    for column in columns:
        values = frame[column]
        is_number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
        frame[column] = values.astype("float64" if is_number else object).mask(dark)
        symbols.loc[dark, column] = "c"
    return Released(frame, symbols, released.source, released.synthetic, released.notes)


def ward_counts(areas: SmallAreas, by: str, outcomes: Sequence[str]) -> pd.DataFrame:
    """True counts by the column ``by`` of the LSOAs: outcome, group, numerator, denominator and the shares of both."""
    sums = areas.frame.groupby(by, observed=True)[["pupils", *outcomes]].sum()
    names = areas.lsoas.drop_duplicates(by).set_index(by)
    if by == "lsoa21":  # an LSOA without pupils is a hidden count like another
        sums = sums.reindex(names.index.sort_values()).fillna(0).astype("int64")
    if by == "ward_code":  # by name, as in every other table of wards: companions of hidden counts are then the same
        sums = sums.loc[names["ward_name"].reindex(sums.index).sort_values(kind="stable").index]
    parts = [
        pd.DataFrame({"outcome": o, "group": sums.index, "numerator": sums[o], "denominator": sums["pupils"]})
        for o in outcomes
    ]
    return with_shares(pd.concat(parts, ignore_index=True), areas.confidence)


def with_shares(frame: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """``percent`` with Wilson's limits from numerator and denominator."""
    share = proportion(frame["numerator"], frame["denominator"], confidence)
    return frame.assign(**{c: 100 * share[n] for c, n in zip(SHARES, ("estimate", "lower", "upper"), strict=True)})


def expected(
    areas: SmallAreas, by: str, outcome: str, strata: Sequence[str], dark: Collection[str] = ()
) -> pd.DataFrame:
    """Observed over expected for each area of ``by``, were its pupils identified as all pupils of the same ``strata``.

    The reference is all pupils of the authority, the area's own among them, so that numbers expected add up to the
    number identified. Columns ``ratio``, ``lower``, ``upper``, ``observed``, ``expected``, ``factor`` (of
    ``school_factor``; ``dark`` as there) and ``p`` (two-sided); one row an area. Limits are Poisson's, drawn out on the
    log scale by the root of the factor; p is exact Poisson's (twice the smaller tail), its normal deviate divided by
    that root.
    """
    frame, keys = areas.frame.assign(everybody=0), list(strata) or ["everybody"]
    own = frame.groupby([by, *keys], observed=True)[[outcome, "pupils"]].sum().reset_index()
    all_of_it = frame.groupby(keys, observed=True)[[outcome, "pupils"]].sum().add_suffix("_all")
    own = own.merge(all_of_it, left_on=keys, right_index=True)
    columns = own[outcome], own["pupils"], own[f"{outcome}_all"], own["pupils_all"]
    made = indirectly_standardised_ratio(*columns, by=own[by], confidence=areas.confidence).sort_index()
    made = made.rename(columns={"estimate": "ratio"}).assign(factor=school_factor(areas, by, outcome, keys, dark))
    x, mean, root = made["observed"], made["expected"], np.sqrt(made["factor"])
    tails = np.minimum(stats.poisson.cdf(x, mean), stats.poisson.sf(x - 1, mean))
    deviate = stats.norm.isf(np.minimum(0.5, tails)) / root
    for limit in ("lower", "upper"):
        away = (made[limit] / made["ratio"].where(made["ratio"] > 0)) ** root
        made[limit] = (made["ratio"] * away).fillna(made[limit])
    return made.assign(p=2 * stats.norm.sf(deviate))


def school_factor(
    areas: SmallAreas, by: str, outcome: str, strata: Sequence[str], dark: Collection[str] = ()
) -> pd.Series:
    """How many times Poisson's is the variance of an area's count, as pupils of one school are alike? 1 or more.

    Within an area schools are clusters: variance = Σ (observed - ratio × expected)² · k / (k - 1) over its k schools,
    the ratio being the area's own, over the number expected. Pupils of special and alternative schools, who are there
    for what is counted, are taken singly. Taken is the largest of 1, the area's own factor, and that of all areas
    together without ``dark``. 1 where the cells name no schools.
    """
    frame = areas.frame.assign(everybody=0)
    places = frame[by].drop_duplicates().sort_values()
    if "school_urn" not in frame:
        return pd.Series(1.0, index=pd.Index(places, name=by))
    total = frame.groupby(list(strata))[[outcome, "pupils"]].transform("sum")
    frame = frame.assign(x=frame[outcome], e=frame["pupils"] * total[outcome] / total["pupils"])
    apart = frame["school_phase"].isin(APART)
    schools = frame[~apart].groupby([by, "school_urn"], as_index=False)[["x", "e"]].sum()
    own = schools.groupby(by)[["x", "e"]].sum()
    away = schools["x"] - schools["e"] * schools[by].map(own["x"] / own["e"])
    count = schools.groupby(by).size()
    variance = (away**2).groupby(schools[by]).sum() * count / (count - 1).where(count > 1)
    singly = frame[apart].groupby(by)["x"].sum()
    sums = pd.DataFrame({"v": variance, "s": singly, "e": frame.groupby(by)["e"].sum()}).reindex(places)
    sums["v"] += sums["s"].fillna(0)
    pooled = sums[sums["v"].notna() & ~sums.index.isin(list(dark))].sum()
    together = pooled["v"] / pooled["e"] if pooled["e"] > 0 else 1.0
    return (sums["v"] / sums["e"].where(sums["e"] > 0)).clip(lower=max(1.0, together)).fillna(max(1.0, together))


def sides(ratio: pd.Series, q: pd.Series) -> pd.Series:
    """Above or below the authority's average where q is at most 5%, otherwise unclear."""
    clear = q <= LEVEL
    return pd.Series(np.select([clear & (ratio > 1), clear & (ratio < 1)], [ABOVE, BELOW], UNCLEAR), index=ratio.index)


RATIO = ("ratio", "lower", "upper", "expected")
SMOOTHED = ("smoothed", "smoothed_lower", "smoothed_upper")


def _named(found: pd.DataFrame, line: str) -> dict[str, NDArray]:
    """The ratio, its limits and the number expected of one line, under the line's name."""
    return {f"{line}_{c}": found[c].to_numpy() for c in RATIO}


def ward_rates(areas: SmallAreas) -> Released:
    """Every ward and outcome: the crude share, the steadied one, and observed over expected in three lines.

    Columns: outcome, group (ward code), label, numerator, denominator, percent with Wilson's limits, ``smoothed`` with
    limits (empirical Bayes towards the wards' mean, in percent), and for each of ``LINES`` ``<line>_ratio`` with
    ``_lower``, ``_upper`` (which allow for schools) and ``_expected``. Steadied rates rest on the wards that may be
    shown. Which ward is flagged is not said here: the rule of the workbench says it, over all censuses.
    """
    parts = []
    for outcome, rows in ward_counts(areas, "ward_code", areas.outcomes).groupby("outcome", sort=False):
        dark = areas.hidden_wards[str(outcome)]
        may = ~rows["group"].isin(list(dark))
        steady = empirical_bayes(
            rows["numerator"].where(may), rows["denominator"].where(may), confidence=areas.confidence
        )
        limits = {c: 100 * steady[c.removeprefix("smoothed_")] for c in SMOOTHED[1:]}
        rows = rows.assign(smoothed=100 * steady["smoothed"], **limits)
        for line, strata in LINES.items():
            found = expected(areas, "ward_code", str(outcome), strata, dark).reindex(rows["group"])
            rows = rows.assign(**_named(found, line))
        parts.append(rows)
    frame = pd.concat(parts, ignore_index=True)
    names = areas.lsoas.drop_duplicates("ward_code").set_index("ward_code")["ward_name"]
    frame.insert(2, "label", frame["group"].map(names))
    dark = [g in areas.hidden_wards[o] for o, g in zip(frame["outcome"], frame["group"], strict=True)]
    derived = (*SMOOTHED, *(f"{line}_{c}" for line in LINES for c in RATIO))
    return areas.protected(frame, derived=derived, relations=(("outcome",), ("group",)), dark=np.array(dark))


def lsoa_rates(areas: SmallAreas) -> Released:
    """Every LSOA: the crude share of ``areas.outcome``, the steadied one (BYM2), and observed over expected, adjusted.

    Columns as in ``ward_rates`` (of its lines the adjusted one alone), in the order of codes, with ``ward_code`` and
    ``ward_name``, ``above``, the probability in percent that the area is above the authority's share, and
    ``adjusted_side``, which allows for as many areas as may be shown. Only LSOAs that may be shown steady others.
    """
    frame = ward_counts(areas, "lsoa21", (areas.outcome,))
    order = list(areas.neighbours.codes)
    may = ~frame["group"].isin(list(areas.hidden))
    counts = (frame[c].where(may).set_axis(order) for c in PAIR)
    fit = bym2(*counts, areas.neighbours, confidence=areas.confidence).areas
    columns = dict(zip((*SMOOTHED, "above"), ("smoothed", "lower", "upper", "above"), strict=True))
    frame = frame.assign(**{new: 100 * fit[old].to_numpy() for new, old in columns.items()})
    found = expected(areas, "lsoa21", areas.outcome, LINES["adjusted"], areas.hidden).reindex(frame["group"])
    side = sides(found["ratio"], false_discovery(found["p"].where(may.to_numpy()))).where(found["ratio"].notna())
    frame = frame.assign(**_named(found, "adjusted"), adjusted_side=side.to_numpy())
    known = areas.lsoas.set_index("lsoa21")
    for at, column in enumerate(("label", "ward_code", "ward_name"), start=2):
        frame.insert(at, column, frame["group"].map(known[column]))
    return areas.protected(
        frame,
        derived=(*SMOOTHED, "above", *(f"adjusted_{c}" for c in (*RATIO, "side"))),
        relations=(("ward_code",), ()),
        dark=~may,
        notes=hidden_note(areas),
    )


def hidden_note(areas: SmallAreas) -> tuple[str, ...]:
    """What a reader must know when small areas are hidden."""
    if not areas.hidden:
        return ()
    return (
        f"{len(areas.hidden)} small areas are hidden to protect people. They take no part in steadied rates, clusters "
        "and comparisons of units, which are then a little high, as hidden counts are small ones.",
    )
