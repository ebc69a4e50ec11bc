"""The list of requests for EHC needs assessments that the chapters use, from an authority's own case list."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from jsna.codes import code_list
from jsna.files.result import Loaded
from jsna.sources.pupil_fields import NOT_OBTAINED, UNKNOWN_SEX

DECISIONS = {"Y": "assess", "N": "refuse", "A": "pending", "W": "withdrawn", "H": "assess"}
HISTORICAL = "H"


def cases_of_list(extract: Loaded) -> Loaded:
    """The case list ``ehc_cases`` as the chapters use it: case_id, pupil_id, date_requested, decision, date_decided,
    plan_issued, date_issued, exception, weeks_to_issue, sex, ethnicity (main code), age.

    Plans that moved in from elsewhere, and requests decided before the period of the list (H) from which no plan came
    in it, are left out, as the published measure does; both are counted in a note. Sex and ethnic group are not known
    where the list does not say.
    """
    frame = extract.frame
    moved = frame["transferred_in_la"].astype("str").str.strip() != ""
    historical = (frame["request_outcome"].astype("str") == HISTORICAL) & frame["plan_issued_date"].isna()
    own = frame[~(moved | historical)]
    issued = own["plan_issued_date"]
    days = (issued - own["request_received_date"]).dt.days
    made = pd.DataFrame(
        {
            "case_id": own["case_id"].astype("str"),
            "pupil_id": own["person_id"].astype("str"),
            "date_requested": own["request_received_date"],
            "decision": pd.Categorical(own["request_outcome"].map(DECISIONS), list(dict.fromkeys(DECISIONS.values()))),
            "date_decided": own["request_outcome_date"],
            "plan_issued": issued.notna(),
            "date_issued": issued,
            "exception": own["exception_applies"].astype("boolean"),
            "weeks_to_issue": (days / 7).astype("float64").round(1),
            "sex": _codes(own, "sex", UNKNOWN_SEX, "sex"),
            "ethnicity": _codes(own, "ethnicity", NOT_OBTAINED, "ethnicity"),
            "age": own["age_31aug"] if "age_31aug" in own else pd.array(np.full(len(own), pd.NA), dtype="Int64"),
        }
    )
    note = f"{int(moved.sum()):,} plans that moved in and {int(historical.sum()):,} requests decided before the period "
    summary = replace(
        extract.summary,
        source="EHC cases, the authority's own list",
        rows_read=extract.summary.rows_read - len(frame) + len(made),
        rows_kept=len(made),
        notes=(*extract.summary.notes, note + "of the list are left out."),
    )
    return Loaded(made.reset_index(drop=True), extract.quarantine, summary)


def _codes(frame: pd.DataFrame, column: str, unknown: str, name: str) -> pd.Categorical:
    groups = list(code_list(name).index)
    if column not in frame:
        return pd.Categorical([unknown] * len(frame), groups)
    return pd.Categorical(frame[column].astype("str").replace("", unknown), groups)
