"""How many children with SEND there are by group: stated with the survey, else pupils of the census as shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from jsna.codes import labels
from jsna.disclosure import protect
from jsna.evidence.local_values.specification import who_of
from jsna.evidence.voice.gathered import CHARACTERISTICS, as_group
from jsna.evidence.voice.rules import read, rule
from jsna.linked.names import group_names, pupil_names
from jsna.sealed import Sealed

if TYPE_CHECKING:
    from jsna.area import Area

COLUMNS = ("who", "characteristic", "group", "population", "origin")
CENSUS, STATED = "school census", "stated with the survey"


def population(area: Area, reach: pd.DataFrame, wave: str, kinds: Sequence[str]) -> pd.DataFrame:
    """Numbers of children with SEND by kind of respondent, characteristic and group.

    Rows of ``reach`` (survey_reach) with a population go before the census for their kind of respondent and
    characteristic. Columns ``COLUMNS``; ``population`` is missing where a number of pupils is hidden in every form.
    Practitioners have no rows but stated ones.
    """
    told = _stated(reach, wave)
    census = _of_pupils(area) if kinds else pd.DataFrame(columns=list(COLUMNS[1:4]))
    bands = read("groups.yml")["of_respondents"]
    parts = [told]
    for who in (k for k in kinds if k in bands):
        own = census[(census["characteristic"] != "age_band") | census["group"].isin(bands[who]) | (not bands[who])]
        stated = set(told.loc[told["who"] == who, "characteristic"])
        parts.append(own[~own["characteristic"].isin(stated)].assign(who=who, origin=CENSUS))
    return pd.concat([p for p in parts if len(p)] or [told], ignore_index=True)[list(COLUMNS)]


def _stated(reach: pd.DataFrame, wave: str) -> pd.DataFrame:
    if reach.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    rows = reach[
        (reach["wave"] == wave) & reach["characteristic"].isin(list(CHARACTERISTICS)) & reach["population"].notna()
    ]
    groups = [as_group(part["group"], str(name)) for name, part in rows.groupby("characteristic")]
    rows = rows.assign(
        group=pd.concat(groups) if groups else rows["group"],
        who=rows["respondent_type"].map(who_of),
        population=rows["population"].astype("float64"),
        origin=STATED,
    )
    sums = (
        rows[rows["group"] != ""].groupby([c for c in COLUMNS if c != "population"], as_index=False)["population"].sum()
    )
    # A number of so few children is no margin: it is not even looked at by group.
    return sums.loc[sums["population"] >= rule("fewest_of_group"), list(COLUMNS)]


def _of_pupils(area: Area) -> pd.DataFrame:
    """Pupils with SEND of the latest census by the groups of a survey, from the counts that the pack shows."""
    groups = read("groups.yml")
    code_of = {
        "ethnicity_major": labels("ethnicity", "major"),
        "age_band": {code: band for band, codes in groups["age_band"]["codes"].items() for code in codes},
    }
    counted = area.count(["ethnicity"], ["year_group"], []).unseal("to set beside those who answered")
    counted = counted[counted["time_period"].astype("str") == area.periods[-1]]
    parts = []
    for characteristic, groups_of in code_of.items():
        column = groups[characteristic]["of"]
        rows = counted[counted["grouping"] == column].assign(group=lambda f, c=column: f[c].astype("str"))
        rows = rows[["group", "any_sen"]].reset_index(drop=True)
        shown = _shown(area, rows, group_names(rows.index, area.periods[-1], column, rows["group"], "any_sen"))
        sums = shown.groupby(shown["group"].map(groups_of))["any_sen"].sum(min_count=1).reset_index()
        known = sums[sums["group"].isin(list(groups[characteristic]["groups"]))]
        parts.append(known.rename(columns={"any_sen": "population"}).assign(characteristic=characteristic))
    whole = counted.loc[counted["grouping"] == "", ["ehc_plan", "sen_support"]]
    rows = pd.DataFrame({"group": ["E", "K"], "any_sen": whole.iloc[0].to_numpy()})
    names = pupil_names(rows.index, area.periods[-1], pd.Series(["ehc_plan", "sen_support"]))
    shown = _shown(area, rows, names).rename(columns={"any_sen": "population"})
    parts.append(shown.assign(characteristic="sen_provision"))
    return pd.concat(parts, ignore_index=True)


def _shown(area: Area, rows: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    policy = area.policy
    if policy.pattern is not None:
        rows = rows.assign(any_sen=policy.pattern.rounded(rows["any_sen"], names))
    sealed = Sealed(rows, counts=("any_sen",))
    released = protect(
        sealed,
        policy,
        source=area.pupil_source,
        synthetic=area.synthetic,
        names={"any_sen": names},
        relations=((),),
    )
    return released.frame.astype({"any_sen": "float64"})
