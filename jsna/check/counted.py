"""The same look at pupils whose rows are not at hand: from the counts of an engine."""

from __future__ import annotations

import pandas as pd

from jsna.check.pupils import GROUPS, NOT_KNOWN, SHARES, Looked
from jsna.counts.question import Question
from jsna.roll import Roll

PURPOSE = "to look at what is not known, at schools that jump and at groups that vanish"


def looked_at(roll: Roll) -> Looked:
    """What ``jsna.check.pupils`` looks at, counted: the same numbers as from the rows."""
    alone = [(c,) for c in dict.fromkeys([*NOT_KNOWN, *GROUPS])]
    crossed = [("school_urn", "ethnicity"), ("school_urn", "fsm_eligible")]
    question = Question((*alone, *crossed))
    counted = roll.count(question).unseal(PURPOSE)
    counted = counted.assign(time_period=counted["time_period"].astype("str"))
    by = {g: counted[counted["grouping"] == question.label(g)] for g in question.groupings}
    sizes = {f: by[f,].pivot(index="time_period", columns=f, values="pupils").fillna(0).astype("int64") for f in GROUPS}
    return Looked(
        _complete({c: by[c,] for c in NOT_KNOWN}), _schools(by[("school_urn",)], *(by[g] for g in crossed)), sizes
    )


def complete_by(roll: Roll, by: str) -> pd.DataFrame:
    """What ``jsna.check.pupils.completeness`` gives ``by`` a further column, counted."""
    names = [c for c in NOT_KNOWN if c != by]
    question = Question(tuple((by, c) for c in names))
    counted = roll.count(question).unseal(PURPOSE)
    counted = counted.assign(**{c: counted[c].astype("str") for c in ("time_period", by)})
    return _complete({c: counted[counted["grouping"] == question.label((by, c))] for c in names}, by)


def _complete(counted: dict[str, pd.DataFrame], *by: str) -> pd.DataFrame:
    keys = ["time_period", *by]
    parts = []
    for column, rows in counted.items():
        known = rows["pupils"].where(~rows[column].astype("str").isin(NOT_KNOWN[column]), 0)
        sums = rows[keys].assign(pupils=rows["pupils"], known=known).groupby(keys, as_index=False).sum()
        parts.append(sums.assign(characteristic=column, share=sums["known"] / sums["pupils"]))
    table = pd.concat(parts, ignore_index=True).sort_values(keys, kind="stable", ignore_index=True)
    return table[[*keys, "characteristic", "pupils", "known", "share"]]


def _schools(schools: pd.DataFrame, ethnicity: pd.DataFrame, meals: pd.DataFrame) -> pd.DataFrame:
    """Each school in each census, as ``jsna.check.pupils.by_school`` has it."""
    keys = ["time_period", "school_urn"]

    def added(rows: pd.DataFrame, name: str) -> pd.Series:
        return rows.assign(school_urn=rows["school_urn"].astype("str")).groupby(keys)["pupils"].sum().rename(name)

    table = schools.assign(school_urn=schools["school_urn"].astype("str")).set_index(keys)
    table = table[["pupils", "any_sen", "ehc_plan"]]
    table = table.join(added(ethnicity[ethnicity["ethnicity"].isin(NOT_KNOWN["ethnicity"])], "not_obtained"))
    table = table.join(added(meals[meals["fsm_eligible"].astype("bool")], "fsm_eligible")).fillna(0)
    shares = table[list(SHARES)].div(table["pupils"], axis="index")
    return shares.join(table["pupils"]).sort_index().reset_index()
