"""What to look at in the pupil table: completeness, schools that jump from one year to the next, groups that vanish."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from jsna.area import period_name
from jsna.codes import labels
from jsna.files.packaged import packaged_yaml
from jsna.sources.homes import UNKNOWN_WARD

NOT_KNOWN: Mapping[str, tuple[str, ...]] = {
    "ethnicity": ("REFU", "NOBT"),
    "first_language": ("NOT", "REF", "ZZZ"),
    "sex": ("U",),
    "lsoa21": ("",),
    "ward_code": (UNKNOWN_WARD,),
    "idaci_decile": ("0",),
    "school_urn": ("",),
}
WORDS: Mapping[str, str] = {
    "ethnicity": "ethnic group",
    "first_language": "first language",
    "sex": "sex",
    "lsoa21": "home (LSOA)",
    "ward_code": "ward of the authority",
    "idaci_decile": "deprivation of the home",
    "school_urn": "school",
    "primary_need": "type of need",
    "year_group": "year group",
}
SHARES = ("any_sen", "ehc_plan", "not_obtained", "fsm_eligible")
GROUPS = ("ethnicity", "first_language", "primary_need", "school_urn", "year_group")


@dataclass(frozen=True)
class Looked:
    """What is looked at: ``complete`` as ``completeness`` gives it, ``schools`` as ``by_school``, ``sizes`` as
    ``group_sizes``."""

    complete: pd.DataFrame
    schools: pd.DataFrame
    sizes: Mapping[str, pd.DataFrame]


@cache
def limits() -> dict[str, float]:
    """From what on something is worth a look, as limits.yml has it."""
    return packaged_yaml("jsna.check", "limits.yml")


def completeness(pupils: pd.DataFrame, by: str | None = None) -> pd.DataFrame:
    """The share of pupils for whom each characteristic is known, in each census: time_period, (by,) characteristic,
    pupils, known, share. ``by`` is a further column, such as the school or the ethnic group.

    >>> frame = pd.DataFrame({"time_period": ["202526"] * 2, "sex": ["F", "U"]})
    >>> completeness(frame)[["characteristic", "pupils", "known", "share"]].values.tolist()
    [['sex', 2, 1, 0.5]]
    """
    keys = ["time_period", *([by] if by else [])]
    names = [c for c in NOT_KNOWN if c in pupils and c != by]
    known = pd.DataFrame({c: ~pupils[c].astype("str").isin(NOT_KNOWN[c]) for c in names})
    counted = known.groupby([pupils[k].astype("str") for k in keys], observed=True).agg(["size", "sum"])
    long = counted.stack(level=0, future_stack=True).reset_index(names=[*keys, "characteristic"])
    long = long.rename(columns={"size": "pupils", "sum": "known"})
    return long.assign(share=long["known"] / long["pupils"])


def gaps_by(pupils: pd.DataFrame, by: str) -> pd.DataFrame:
    """Where something is lacking more often than the limit allows: completeness by ``by`` in the latest census, the
    emptiest first, groups of fewer than the limit's pupils left out."""
    return gaps_in(completeness(pupils, by), by)


def gaps_in(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """The same of a table that ``completeness`` gives."""
    latest = table["time_period"] == table["time_period"].max()
    short = latest & (table["share"] < limits()["complete"]) & (table["pupils"] >= limits()["least_pupils"])
    return table[short].sort_values(["share", by], kind="stable", ignore_index=True)


def by_school(pupils: pd.DataFrame) -> pd.DataFrame:
    """Each school in each census: time_period, school_urn, pupils and the shares of ``SHARES`` (0 to 1)."""
    marked = pd.DataFrame(
        {
            "time_period": pupils["time_period"].astype("str"),
            "school_urn": pupils["school_urn"].astype("str"),
            "any_sen": pupils["sen_provision"].isin(["K", "E"]),
            "ehc_plan": pupils["sen_provision"] == "E",
            "not_obtained": pupils["ethnicity"].isin(NOT_KNOWN["ethnicity"]),
            "fsm_eligible": pupils["fsm_eligible"].astype("bool"),
        }
    )
    groups = marked.groupby(["time_period", "school_urn"])
    return groups[list(SHARES)].mean().join(groups.size().rename("pupils")).reset_index()


def jumps(pupils: pd.DataFrame) -> pd.DataFrame:
    """Schools whose share moves, from one census to the next, by more than the limits and than chance would.

    One row a school, field and pair of censuses: school_urn, field, before, after (shares), pupils_before,
    pupils_after, first_period, second_period. ``field`` is one of ``SHARES`` or ``pupils`` (the roll itself, where
    before and after are numbers).
    """
    return jumps_in(by_school(pupils))


def jumps_in(table: pd.DataFrame) -> pd.DataFrame:
    """The same of a table that ``by_school`` gives."""
    limit = limits()
    periods = sorted(table["time_period"].unique())
    found = []
    for first, second in itertools.pairwise(periods):
        pair = table[table["time_period"] == first].merge(
            table[table["time_period"] == second], on="school_urn", suffixes=("_before", "_after")
        )
        pair = pair[pair[["pupils_before", "pupils_after"]].min(axis="columns") >= limit["least_pupils"]]
        for field in SHARES:
            before, after = pair[f"{field}_before"], pair[f"{field}_after"]
            moved = (after - before).abs()
            far = (moved >= limit["school_points"]) & (moved >= limit["school_errors"] * _error(pair, before, after))
            found.append(_rows(pair[far], field, before[far], after[far], first, second))
        roll = pair["pupils_after"] / pair["pupils_before"] - 1
        far = roll.abs() >= limit["roll_change"]
        found.append(
            _rows(pair[far], "pupils", pair.loc[far, "pupils_before"], pair.loc[far, "pupils_after"], first, second)
        )
    columns = [
        "school_urn",
        "field",
        "before",
        "after",
        "pupils_before",
        "pupils_after",
        "first_period",
        "second_period",
    ]
    return pd.concat([*found, pd.DataFrame(columns=columns)], ignore_index=True)[columns]


def _error(pair: pd.DataFrame, before: pd.Series, after: pd.Series) -> pd.Series:
    total = pair["pupils_before"] + pair["pupils_after"]
    both = (before * pair["pupils_before"] + after * pair["pupils_after"]) / total
    return np.sqrt(both * (1 - both) * (1 / pair["pupils_before"] + 1 / pair["pupils_after"]))


def _rows(pair: pd.DataFrame, field: str, before: pd.Series, after: pd.Series, first: str, second: str) -> pd.DataFrame:
    return pair[["school_urn", "pupils_before", "pupils_after"]].assign(
        field=field, before=before, after=after, first_period=first, second_period=second
    )


def vanished(pupils: pd.DataFrame) -> pd.DataFrame:
    """Groups of at least the limit's size in one census that have nobody in the next: field, group, pupils, period.

    ``period`` is the census in which they are gone.
    """
    return vanished_in(group_sizes(pupils))


def group_sizes(pupils: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Pupils by census (rows) and group (columns), of each of ``GROUPS``."""
    counts = {f: pupils.groupby(["time_period", f], observed=False).size().unstack(fill_value=0) for f in GROUPS}
    return {f: c.set_axis(c.index.astype("str")) for f, c in counts.items()}


def vanished_in(sizes: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The same of what ``group_sizes`` gives."""
    found = []
    for field, counts in sizes.items():
        for first, second in zip(counts.index, counts.index[1:], strict=False):
            gone = counts.loc[first][(counts.loc[first] >= limits()["vanished_group"]) & (counts.loc[second] == 0)]
            gone = gone[gone.index.astype("str") != ""]
            found += [{"field": field, "group": str(g), "pupils": int(n), "period": second} for g, n in gone.items()]
    return pd.DataFrame(found, columns=["field", "group", "pupils", "period"])


def pupil_findings(pupils: pd.DataFrame) -> pd.DataFrame:
    """What of the above is worth a look, as findings: check, severity, column, count, sentence, mend."""
    return findings_of(Looked(completeness(pupils), by_school(pupils), group_sizes(pupils)))


def findings_of(looked: Looked) -> pd.DataFrame:
    """The same of what has been counted."""
    rows = [
        *_incomplete(looked.complete),
        *_unsafe(looked.complete),
        *_schools(looked.schools),
        *_gone(looked.sizes),
    ]
    return pd.DataFrame(rows, columns=["check", "severity", "column", "count", "sentence", "mend"])


def _finding(check: str, severity: str, column: str, count: int, sentence: str, mend: str) -> dict:
    return dict(check=check, severity=severity, column=column, count=count, sentence=sentence, mend=mend)


def _incomplete(table: pd.DataFrame) -> list[dict]:
    short = table[(table["share"] < limits()["complete"]) & (table["characteristic"] != "ward_code")]
    return [
        _finding(
            "incomplete",
            "error" if row.share < limits()["lost"] else "look",
            row.characteristic,
            int(row.pupils - row.known),
            f"{period_name(row.time_period)}: for {100 * (1 - row.share):.1f}% of pupils the "
            f"{WORDS[row.characteristic]} is not known.",
            "Figures by this characteristic leave these pupils out.",
        )
        for row in short.itertuples()
    ]


def _unsafe(table: pd.DataFrame) -> list[dict]:
    latest = table[(table["time_period"] == table["time_period"].max()) & (table["characteristic"] == "ethnicity")]
    pupils, known = (int(latest[c].iloc[0]) for c in ("pupils", "known"))
    share = (pupils - known) / pupils
    if share < limits()["not_obtained_unsafe"]:
        return []
    return [
        _finding(
            "flags unsafe",
            "error",
            "ethnicity",
            pupils - known,
            f"{100 * share:.1f}% of pupils of the latest census have no known ethnic group: flags by ethnic group are "
            "unsafe, since who these pupils are could turn them round.",
            "Ask the schools that have most of them, before the pack is shown to anybody.",
        )
    ]


def _schools(table: pd.DataFrame) -> list[dict]:
    limit = limits()
    latest = table[(table["time_period"] == table["time_period"].max()) & (table["pupils"] >= limit["least_pupils"])]
    silent = latest[latest["not_obtained"] >= limit["not_obtained_in_school"]]
    rows = [
        _finding(
            "school without ethnicity",
            "error",
            "ethnicity",
            round(row.not_obtained * row.pupils),
            f"{period_name(row.time_period)}, school {row.school_urn}: {100 * row.not_obtained:.0f}% of "
            f"{row.pupils:,} pupils have no known ethnic group.",
            "An export setting is the usual cause: ask the school.",
        )
        for row in silent.itertuples()
    ]
    words = {
        "any_sen": "with SEN",
        "ehc_plan": "with a plan",
        "not_obtained": "without known ethnic group",
        "fsm_eligible": "eligible for free meals",
    }
    for row in jumps_in(table).itertuples():
        span = f"from {period_name(row.first_period)} to {period_name(row.second_period)}"
        moved = (
            f"the roll goes from {row.before:.0f} to {row.after:.0f} pupils {span}."
            if row.field == "pupils"
            else f"pupils {words[row.field]} go from {100 * row.before:.0f}% to {100 * row.after:.0f}% {span}."
        )
        rows.append(
            _finding(
                "school jumps",
                "look",
                row.field,
                int(row.pupils_after),
                f"School {row.school_urn}: {moved}",
                "Real, or a change of how it is entered? Ask the school.",
            )
        )
    return rows


def _named(field: str, group: str) -> str:
    """A code with its name: BAFR (Black African)."""
    lists = {
        "ethnicity": ("ethnicity", "plain"),
        "primary_need": ("need", "plain"),
        "first_language": ("language", "label"),
    }
    name = labels(*lists[field]).get(group, "") if field in lists else ""
    return f"{group} ({name})" if name else group


def _gone(sizes: Mapping[str, pd.DataFrame]) -> list[dict]:
    return [
        _finding(
            "group vanished",
            "look",
            row.field,
            row.pupils,
            f"{period_name(row.period)}: {WORDS[row.field]} {_named(row.field, row.group)} has no pupils; in the "
            f"census before it had {row.pupils:,}.",
            "A school closed or changed its number, a code was replaced, or a file is missing.",
        )
        for row in vanished_in(sizes).itertuples()
    ]
