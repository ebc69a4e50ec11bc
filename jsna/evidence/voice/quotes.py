"""Quotes that may be shown, and how many were refused and why. Only what the reader let through comes this far."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from jsna.evidence.local_values.specification import who_of
from jsna.files.result import Loaded
from jsna.sources.extracts.identifying import tells_who
from jsna.sources.extracts.specification import own_list

NO_CONSENT = {
    "consent_date": "No consent is on record.",
    "consent_wording": "No consent is on record.",
    "checked_for_names": "Nobody has checked the quote for names.",
}
COLUMNS = ("quote_id", "text", "who", "theme", "consent_date", "consent_wording")


def theme_labels() -> dict[str, str]:
    """The themes by their codes.

    >>> theme_labels()["WAIT"]
    'Waiting for an assessment or a service'
    """
    return {row["code"]: row["label"] for row in own_list("theme")}


def showable_quotes(lists: Mapping[str, Loaded]) -> pd.DataFrame:
    """Quotes with consent on record, checked by a person, and without a pattern that tells who it is.

    The reader refuses all others when the file is read; the rule is applied once more here, so that a frame that came
    by another way cannot show one.
    """
    if "survey_quotes" not in lists:
        return pd.DataFrame(columns=list(COLUMNS))
    rows = lists["survey_quotes"].frame
    fine = rows["consent_date"].notna() & (rows["consent_wording"] != "") & (rows["text"] != "")
    fine &= rows["checked_for_names"].fillna(False).astype(bool) & ~tells_who(rows["text"])
    kept = rows[fine]
    told = kept.assign(who=kept["respondent_type"].map(who_of), theme=kept["theme_code"].map(theme_labels()).fillna(""))
    return told[list(COLUMNS)].sort_values(["theme", "quote_id"], kind="stable").reset_index(drop=True)


def refusals(lists: Mapping[str, Loaded]) -> pd.DataFrame:
    """Why quotes were refused, by rule: ``rule``, ``rows``; never their words."""
    if "survey_quotes" not in lists:
        return pd.DataFrame(columns=["rule", "rows"])
    put_aside = lists["survey_quotes"].quarantine
    blank = put_aside["column"].map(NO_CONSENT).where(put_aside["rule"] == "blank")
    told = put_aside.assign(rule=blank.fillna(put_aside["rule"].str.capitalize().str.rstrip(".") + "."))
    return told.groupby("rule", as_index=False)["row"].nunique().rename(columns={"row": "rows"})


def quote_for(quotes: pd.DataFrame, who: str, themes: list[str]) -> pd.Series | None:
    """The first quote of a kind of respondent about one of some themes (codes), in their order; nothing without one."""
    names = [theme_labels()[t] for t in themes]
    own = quotes[(quotes["who"] == who) & quotes["theme"].isin(names)]
    if own.empty:
        return None
    order = own["theme"].map({n: i for i, n in enumerate(names)})
    return own.loc[order.sort_values(kind="stable").index[0]]
