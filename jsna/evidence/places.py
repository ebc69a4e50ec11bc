"""Identification by ward and by LSOA: crude, steadied, and beside what pupils' age, sex and deprivation lead to expect.

Which counts are hidden is decided once for all tables of a pack (``jsna.linked.places``), and a hidden count takes all
that is worked out from it with it. What lies beyond an area's own count (steadied rates, clusters, sets of areas that
the plan does not know) is worked out from LSOAs, or wards, that are shown: so it tells nothing of the others (docs:
methods of places).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from geo.neighbours import Neighbours, contiguity
from geo.smoothing import bym2, empirical_bayes
from jsna.counts import CELL_KEY, KEYS, OUTCOMES
from jsna.disclosure import Policy, Released, protect
from jsna.errors import Problem, SourceError
from jsna.linked.names import ALL_PUPILS
from jsna.linked.places import EVERYBODY, LSOA, WARD, AtHome, counts_seen, plan_of_homes
from jsna.measures import false_discovery, indirectly_standardised_ratio, proportion
from jsna.measures.poisson import poisson_limits
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
    groups: tuple[str, ...] = ()
    elsewhere: bool = False
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
    def rule(self) -> Policy:
        """The policy with what is hidden: over all tables of the pack, or, outside of one, over those of places."""
        if self.policy.pattern is not None or self.policy.method != "suppress":
            return self.policy
        from jsna.linked.pattern import pattern_of_plan

        plan = plan_of_homes(
            self.frame, self.lsoas, self.at_home, groups=self.groups, outcome=self.outcome, outcomes=self.outcomes
        )
        return replace(self.policy, pattern=pattern_of_plan(plan, self.policy))

    @property
    def at_home(self) -> AtHome:
        """How the counts are named."""
        return AtHome(self.period, self.elsewhere)

    def names(self, column: str, group: pd.Series, outcome: pd.Series | str) -> dict[str, pd.Series]:
        """The names of ``numerator`` and ``denominator`` of rows by group of a column of ``lsoas``; ``""`` for a set of
        areas whose counts the plan does not know, and for a row without a group."""
        if column not in ("", LSOA, WARD, *self.groups):
            return {c: pd.Series("", index=group.index) for c in PAIR}
        made = (self.at_home.names(group.index, column, group, o) for o in (outcome, ALL_PUPILS))
        return {c: name.where(group.notna(), "") for c, name in zip(PAIR, made, strict=True)}

    @cached_property
    def hidden_wards(self) -> dict[str, frozenset[str]]:
        """For each outcome, the wards of which a count is not shown."""
        return {o: self.hidden_groups(WARD, o) for o in self.outcomes}

    @cached_property
    def hidden(self) -> frozenset[str]:
        """LSOAs of which a count (of all pupils or of ``outcome``) is not shown."""
        return self.hidden_groups(LSOA, self.outcome)

    def once(self, ask: Callable[..., Any], *asked: Hashable) -> Any:
        """What ``ask`` answers of these areas, worked out once: every line of a table rests on the same counts."""
        kept = self.__dict__.setdefault("_kept", {})
        if (ask, *asked) not in kept:
            kept[(ask, *asked)] = ask(self, *asked)
        return kept[(ask, *asked)]

    def hidden_groups(self, column: str, outcome: str) -> frozenset[str]:
        """The areas of a set (a column of ``lsoas``) of which a count is shown in no form.

        Of a set that the plan does not know these are all that hold an LSOA whose counts are not shown as they are: any
        other is a sum of LSOAs that are.
        """
        pattern = self.rule.pattern
        if pattern is None:
            return frozenset()
        if column not in (LSOA, WARD, *self.groups):
            unsure = self._dark(LSOA, self.lsoas[LSOA], self.outcome, pattern.hides)
            return frozenset(self.lsoas.loc[unsure, column])
        groups = pd.Series(sorted((self.frame if column == WARD else self.lsoas)[column].unique()))
        return frozenset(groups[self._dark(column, groups, outcome, pattern.unseen)])

    def _dark(self, column: str, groups: pd.Series, outcome: str, ask: Callable[[pd.Series], NDArray]) -> NDArray:
        """Whether it holds of one count at least of each group."""
        return np.logical_or.reduce([ask(name) for name in self.names(column, groups, outcome).values()])

    def whole(self, outcome: str) -> tuple[pd.DataFrame, bool]:
        """Numerator and denominator of all pupils at home, as readers see them, and whether they do."""
        row = _pair(_sums(self.frame.groupby(lambda _: 0), (outcome,)), outcome)
        names = self.names(EVERYBODY, pd.Series([EVERYBODY]), outcome)
        dark = self.rule.pattern is not None and any(self.rule.pattern.unseen(n).any() for n in names.values())
        return counts_seen(row, names, self.rule, within=PAIR[1]), not dark

    def protected(
        self,
        frame: pd.DataFrame,
        names: Mapping[str, pd.Series],
        *,
        derived: Sequence[str] = (),
        rates: Sequence[str] = SHARES,
        dark: NDArray | None = None,
        notes: tuple[str, ...] = (),
    ) -> Released:
        """``frame`` past the gate: ``numerator`` of ``denominator`` by their ``names``, ``rates`` of the two, and
        ``derived``, which rests on both, and on what is hidden elsewhere in the rows where ``dark`` is true."""
        of_pair = {r: PAIR for r in rates if r in frame}
        sealed = Sealed(frame.reset_index(drop=True), counts=PAIR, rates=of_pair, derived=tuple(derived))
        hide = {} if dark is None else dict.fromkeys(derived, dark)
        told = {"source": self.source, "synthetic": self.synthetic, "names": names, "hide": hide}
        return replace(protect(sealed, self.rule, **told), notes=notes)


def ward_counts(areas: SmallAreas, by: str, outcomes: Sequence[str]) -> pd.DataFrame:
    """Counts by the column ``by`` of the LSOAs, as readers see them where they do (``counts_seen``).

    Columns: outcome, group, numerator, denominator and the shares of both. Those that are hidden are there as well.
    """
    sums = _sums(areas.frame.groupby(by, observed=True), outcomes)
    known = areas.lsoas.drop_duplicates(by).set_index(by)
    if by != WARD:  # an area without pupils is a hidden count like another
        sums = sums.reindex(known.index.sort_values()).fillna(0).astype("int64")
    if by == WARD:  # by name, as in every other table of wards
        sums = sums.loc[known["ward_name"].reindex(sums.index).sort_values(kind="stable").index]
    frame = pd.concat([_pair(sums, o).assign(outcome=o, group=sums.index) for o in outcomes], ignore_index=True)
    seen = counts_seen(frame, areas.names(by, frame["group"], frame["outcome"]), areas.rule, within=PAIR[1])
    return with_shares(seen[["outcome", "group", *PAIR]], areas.confidence)


def _sums(groups: Any, outcomes: Sequence[str]) -> pd.DataFrame:
    """True counts of groups, with the keys of their cells where there are any."""
    wanted = ["pupils", *outcomes]
    keys = [f"{CELL_KEY}{c}" for c in wanted if f"{CELL_KEY}{c}" in groups.obj]
    sums = groups[[*wanted, *keys]].sum()
    return sums.assign(**{k: sums[k] % KEYS for k in keys})


def _pair(sums: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """The columns of one outcome under the names of numerator and denominator."""
    told = dict(zip((outcome, "pupils"), PAIR, strict=True))
    told |= {f"{CELL_KEY}{c}": f"{CELL_KEY}{to}" for c, to in told.items()}
    return sums[[c for c in told if c in sums]].rename(columns=told)


def with_shares(frame: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """``percent`` with Wilson's limits from numerator and denominator."""
    share = proportion(frame["numerator"], frame["denominator"], confidence)
    return frame.assign(**{c: 100 * share[n] for c, n in zip(SHARES, ("estimate", "lower", "upper"), strict=True)})


def expected(areas: SmallAreas, by: str, outcome: str, strata: Sequence[str]) -> pd.DataFrame:
    """Observed over expected for each area of ``by``, were its pupils identified as all pupils of the same ``strata``.

    The reference is all pupils of the authority, the area's own among them, so that numbers expected add up to the
    number identified. Columns ``ratio``, ``lower``, ``upper``, ``observed``, ``expected``, ``factor`` (of
    ``school_factor``) and ``p`` (two-sided); one row an area. Limits are Poisson's, drawn out on the log scale by the
    root of the factor; p is exact Poisson's (twice the smaller tail), its normal deviate divided by that root.

    Observed is what readers see, and so expected is worked out for as many pupils as they see: ratio times expected
    tells no more. Where the number identified in all is not shown, those expected add up to that in the areas shown.
    """
    frame, keys = areas.frame.assign(everybody=0), list(strata) or ["everybody"]
    own = frame.groupby([by, *keys], observed=True)[[outcome, "pupils"]].sum().reset_index()
    all_of_it = frame.groupby(keys, observed=True)[[outcome, "pupils"]].sum().add_suffix("_all")
    own = own.merge(all_of_it, left_on=keys, right_index=True)
    columns = own[outcome], own["pupils"], own[f"{outcome}_all"], own["pupils_all"]
    made = indirectly_standardised_ratio(*columns, by=own[by], confidence=areas.confidence).sort_index()
    dark = areas.once(SmallAreas.hidden_groups, by, outcome)
    seen = areas.once(ward_counts, by, (outcome,)).set_index("group").reindex(made.index)
    mean = made["expected"] * seen[PAIR[1]] / own.groupby(by)["pupils"].sum()
    whole, is_shown = areas.once(SmallAreas.whole, outcome)
    may = is_shown | ~made.index.isin(list(dark))
    mean *= (whole[PAIR[0]].iloc[0] if is_shown else seen.loc[may, PAIR[0]].sum()) / mean[may].sum()
    x, factor = seen[PAIR[0]].astype("float64"), school_factor(areas, by, outcome, keys, dark)
    ratio, root = x / mean.where(mean > 0), np.sqrt(factor)
    made = made.assign(observed=x, expected=mean, ratio=ratio, factor=factor)
    for limit, at in zip(("lower", "upper"), poisson_limits(x, areas.confidence), strict=True):
        plain = at / mean.where(mean > 0)
        made[limit] = (ratio * (plain / ratio.where(ratio > 0)) ** root).fillna(plain)
    tails = np.minimum(stats.poisson.cdf(x, mean), stats.poisson.sf(x - 1, mean))
    return made.assign(p=2 * stats.norm.sf(stats.norm.isf(np.minimum(0.5, tails)) / root))


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
            found = expected(areas, "ward_code", str(outcome), strata).reindex(rows["group"])
            rows = rows.assign(**_named(found, line))
        parts.append(rows)
    frame = pd.concat(parts, ignore_index=True)
    names = areas.lsoas.drop_duplicates("ward_code").set_index("ward_code")["ward_name"]
    frame.insert(2, "label", frame["group"].map(names))
    derived = (*SMOOTHED, *(f"{line}_{c}" for line in LINES for c in RATIO))
    return areas.protected(frame, areas.names(WARD, frame["group"], frame["outcome"]), derived=derived)


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
    found = expected(areas, "lsoa21", areas.outcome, LINES["adjusted"]).reindex(frame["group"])
    side = sides(found["ratio"], false_discovery(found["p"].where(may.to_numpy()))).where(found["ratio"].notna())
    frame = frame.assign(**_named(found, "adjusted"), adjusted_side=side.to_numpy())
    known = areas.lsoas.set_index("lsoa21")
    for at, column in enumerate(("label", "ward_code", "ward_name"), start=2):
        frame.insert(at, column, frame["group"].map(known[column]))
    return areas.protected(
        frame,
        areas.names(LSOA, frame["group"], areas.outcome),
        derived=(*SMOOTHED, "above", *(f"adjusted_{c}" for c in (*RATIO, "side"))),
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
