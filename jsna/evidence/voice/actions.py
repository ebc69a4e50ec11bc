"""You said, we did: what was said, and what came of it. Without an owner and a date there is no answer yet."""

from __future__ import annotations

import pandas as pd

from jsna.evidence.voice.quotes import theme_labels

STATUS = {"DONE": "Done", "UNDERWAY": "Under way", "PLANNED": "Planned", "NOT": "Cannot be done"}
NO_ANSWER = "No answer yet"
LATE = "Late"
COLUMNS = ("said", "theme", "done", "owner", "status", "date")


def answered(actions: pd.DataFrame, today: pd.Timestamp | None = None) -> pd.DataFrame:
    """Each thing that was said, with what was done, who answers for it, and how it stands: ``COLUMNS``.

    An action without words, an owner, a date or a status is "No answer yet", whatever its status says. With ``today``,
    what was to be done before it and is not is "Late".

    >>> told = pd.DataFrame({"said": ["We wait."], "theme_code": ["WAIT"], "done": ["More clinics"], "owner": [""],
    ...                      "status": ["DONE"], "date": [pd.Timestamp("2026-01-01")]})
    >>> answered(told)["status"].tolist()
    ['No answer yet']
    """
    if actions.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    whole = (actions["done"] != "") & (actions["owner"] != "") & actions["date"].notna()
    status = actions["status"].map(STATUS)
    if today is not None:
        status = status.mask(actions["status"].isin(["UNDERWAY", "PLANNED"]) & (actions["date"] < today), LATE)
    made = pd.DataFrame(
        {
            "said": actions["said"],
            "theme": actions["theme_code"].map(theme_labels()).fillna("Not sorted by theme"),
            "done": actions["done"].where(actions["done"] != "", "Nothing is on record"),
            "owner": actions["owner"].where(actions["owner"] != "", "Nobody is named"),
            "status": status.where(whole & status.notna(), NO_ANSWER),
            "date": actions["date"].dt.strftime("%B %Y").where(actions["date"].notna(), "No date"),
        }
    )
    order = made["status"].map({s: i for i, s in enumerate((NO_ANSWER, LATE, *STATUS.values()))})
    return made.loc[order.sort_values(kind="stable").index].reset_index(drop=True)
