"""Pupils of an authority's own schools with a plan, years ahead, from released numbers and England's ratios by age."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from jsna.errors import MeasureError, Problem
from jsna.evidence.projection.learned import learned, spread
from jsna.evidence.projection.outlook import ALL, OBSERVED, ROWS, TREND
from jsna.evidence.projection.parts import whole_numbers
from jsna.evidence.projection.specification import settings

STAGES = {"Reception to Year 6": ("R", *map(str, range(1, 7))), "Year 7 to Year 11": tuple(map(str, range(7, 12)))}
OTHER_SCHOOLS = "Any other school, or hidden"
OTHERS = "Below Reception or above Year 11"


@dataclass(frozen=True, eq=False)
class PupilOutlook:
    """Pupils with a plan ahead. ``rows``: columns as of ``Outlook``; ``hidden``: year groups whose number is hidden.

    With a hidden year group there is the whole alone, and ``whole`` is true.
    """

    january: int
    rows: pd.DataFrame
    hidden: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether only the number of all pupils with a plan could be projected."""
        return bool(self.hidden)


def ahead_by_year_group(now: pd.Series) -> pd.DataFrame:
    """Pupils with a plan by year group (columns, Reception to Year 11) in each year ahead (rows).

    ``now``: their numbers by year group. Each year group has, a year on, what the one below has today, times England's
    ratio at that age: what starts, less what ends. Reception stays as it is; Year 11 leaves.

    >>> now = pd.Series(0.0, index=list(settings()["year_groups"])); now["R"] = 100.0
    >>> ahead = ahead_by_year_group(now)
    >>> int(ahead.loc[1, "R"]), bool(ahead.loc[1, "1"] == 100 * learned()["ratios"][5])
    (100, True)
    """
    groups = settings()["year_groups"]
    lacking = [g for g in groups if g not in now.index or pd.isna(now[g])]
    if lacking or (now.reindex(list(groups)) < 0).any():
        raise MeasureError(
            Problem("Every year group needs a number of 0 or more.", value=lacking, expected="Reception to Year 11")
        )
    ratio = np.array([learned()["ratios"][age] for age in groups.values()])
    numbers, made = now.reindex(list(groups)).to_numpy("float64"), {}
    for ahead in range(1, settings()["years_ahead"] + 1):
        numbers = np.concatenate([numbers[:1], numbers[:-1] * ratio[1:]])
        made[ahead] = pd.Series(numbers, index=list(groups))
    return pd.DataFrame(made).T


def growth_ahead(history: pd.Series, january: int) -> float:
    """The yearly growth (in logarithms) of pupils with a plan: four fifths England's of the latest year at school ages,
    one fifth the authority's own over the censuses at hand; England's alone where there is one.

    ``history``: numbers by January, missing where hidden.
    """
    told, england = settings()["growth"], float(learned()["growth"])
    known = history[(history > 0) & (history.index >= january - told["years"])]
    if january not in known.index or len(known) < 2:
        return england
    first = int(known.index.min())
    own = float(np.log(known[january] / known[first])) / (january - first)
    return told["own"] * own + (1 - told["own"]) * england


def pupils_ahead(by_year_group: pd.Series, history: pd.Series, january: int) -> PupilOutlook:
    """The outlook from released numbers: pupils with a plan ``by_year_group`` and all of them by January.

    Both are missing where hidden. Pupils of school age are the mean (of logarithms) of the cohort flow and of growth,
    as for plans; those below Reception and above Year 11 stay as many as they are. Where a year group's number is
    hidden, all pupils together are projected, the flow as England's plans of school age would go by the same rule.
    Raises ``MeasureError`` where there is nobody, or the number of all is hidden.
    """
    groups, weight = settings()["year_groups"], settings()["flow"]
    everybody = float(history.get(january, np.nan))
    if not everybody > 0:
        reason = "There is no number of pupils with a plan to project from."
        raise MeasureError(Problem(reason, where=f"census of January {january}"))
    now = by_year_group.reindex(list(groups))
    hidden = tuple(g for g in groups if pd.isna(now[g]))
    if hidden or not now.sum() > 0:
        flowing = ahead_by_year_group(pd.Series({g: float(learned()["england"][age]) for g, age in groups.items()}))
        flowing = flowing * everybody / sum(learned()["england"][age] for age in groups.values())
        start, others = everybody, 0.0
    else:
        flowing, start = ahead_by_year_group(now), float(now.sum())
        others = max(everybody - start, 0.0)
    grown = start * np.exp(growth_ahead(history, january) * flowing.index.to_numpy())
    school = np.exp(weight * np.log(flowing.sum(axis=1)) + (1 - weight) * np.log(grown))
    whole = np.rint(school.to_numpy() + others).astype("int64")
    parts = [_of("all", ALL, [start + others, *whole], january)]
    if not hidden:
        scaled = flowing.mul(school / flowing.sum(axis=1), axis=0)
        stages = pd.DataFrame({s: scaled[list(members)].sum(axis=1) for s, members in STAGES.items()})
        stages[OTHERS] = others
        split = np.array([whole_numbers(v, int(w)) for v, w in zip(stages.to_numpy(), whole, strict=True)])
        starts = [*(float(now[list(members)].sum()) for members in STAGES.values()), others]
        parts += [
            _of("stage", s, [n, *split[:, i]], january) for i, (s, n) in enumerate(zip(stages, starts, strict=True))
        ]
    return PupilOutlook(january, pd.concat(parts, ignore_index=True), hidden)


def shared_out(outlook: PupilOutlook, kinds: pd.Series) -> pd.DataFrame:
    """All pupils with a plan by kind of school, in the shares of today: rows as above.

    ``kinds``: released numbers by kind, missing where hidden. All others, the hidden ones among them, are one kind.
    """
    every = outlook.rows[outlook.rows["kind"] == "all"]
    totals = every.loc[every["scenario"] == TREND, "value"].to_numpy("int64")
    shown = kinds.dropna().astype("float64")
    shown[OTHER_SCHOOLS] = max(float(every.loc[every["scenario"] == OBSERVED, "value"].iloc[0]) - shown.sum(), 0.0)
    split = np.array([whole_numbers(shown.to_numpy(), int(total)) for total in totals])
    rows = [_of("school", str(k), [n, *split[:, i]], outlook.january) for i, (k, n) in enumerate(shown.items())]
    return pd.concat(rows, ignore_index=True)


def _of(kind: str, part: str, values: list, january: int) -> pd.DataFrame:
    """A part's number of today and of the years ahead, with ranges made wider for a history of three censuses."""
    wide = spread("pupils").wider(settings()["ranges"]["own_pupils"])
    years = np.arange(1, len(values))
    rows = pd.DataFrame(
        {"kind": kind, "part": part, "year": january + years, "value": np.asarray(values[1:], "float64")}
    )
    for level in settings()["levels"]:
        low, high = wide.limits(rows["value"], values[0], years, level)
        rows[f"lower_{round(100 * level)}"], rows[f"upper_{round(100 * level)}"] = np.floor(low), np.ceil(high)
        few = kind != "all" and values[0] < settings()["ranges"]["fewest"]
        if few:
            rows[[f"lower_{round(100 * level)}", f"upper_{round(100 * level)}"]] = np.nan
    first = pd.DataFrame(
        {"kind": [kind], "part": [part], "year": [january], "value": [float(values[0])], "scenario": [OBSERVED]}
    )
    return pd.concat([first, rows.assign(scenario=TREND)], ignore_index=True).reindex(columns=list(ROWS))
