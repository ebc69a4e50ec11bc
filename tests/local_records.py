"""Pupils and cases made up by hand, as an authority's records, and the means to look at one figure of their values."""

from dataclasses import replace

import pandas as pd

from jsna.area import Area
from jsna.files.result import Loaded, Summary
from jsna.files.result import together as no_rows
from jsna.params import Params


def alone(params=None):
    """An area whose records are protected by themselves, as a pack of their own."""
    area = Area(params or Params())
    area.__dict__["policy"] = area.params.policy()
    return area


AREA = alone()


def loaded(frame, **told):
    summary = Summary("made up", "made_up.csv", "2023 to 2025", len(frame), len(frame), 0)
    return Loaded(frame.reset_index(drop=True), no_rows([]), replace(summary, **told))


def pupils(*groups, period="202526"):
    """Pupils from (provision, need, language group, second need, how many)."""
    rows = [g[:4] for g in groups for _ in range(g[4])]
    frame = pd.DataFrame(rows, columns=["sen_provision", "primary_need", "language_group", "secondary_need"])
    return loaded(frame.assign(time_period=period, pupil_id=[f"p{i}" for i in range(len(frame))]))


def cases(*groups):
    """Cases from (requested, decision, decided, issued, exception, how many)."""
    rows = [g[:5] for g in groups for _ in range(g[5])]
    names = ["date_requested", "decision", "date_decided", "date_issued", "exception"]
    frame = pd.DataFrame(rows, columns=names)
    dates = {c: pd.to_datetime(frame[c]) for c in names if c.startswith("date")}
    exception = frame["exception"].astype("boolean")
    return loaded(frame.assign(**dates, exception=exception, plan_issued=dates["date_issued"].notna()))


def row(values, indicator, group="all", period=None):
    rows = values.of(indicator, group)
    rows = rows if period is None else rows[rows["period"] == period]
    assert len(rows) == 1
    return rows.iloc[0]


def figures(values, indicator, group="all", period=None):
    found = row(values, indicator, group, period)
    return (found["numerator"], found["denominator"], found["symbol"])


def named(frame):
    return set(frame[["indicator", "group"]].itertuples(index=False, name=None))


SCHOOL = pupils(
    ("N", "", "ENG", "", 60),
    ("N", "", "OTH", "", 20),
    ("K", "SLCN", "OTH", "", 20),
    ("K", "SEMH", "ENG", "MLD", 10),
    ("K", "NSA", "ENG", "", 6),
    ("K", "PD", "ENG", "", 3),
    ("K", "VI", "ENG", "", 2),
    ("E", "ASD", "ENG", "SLCN", 12),
    ("E", "ASD", "UNC", "", 7),
)


YEAR_BEFORE = ("2023-11-01", "assess", "2023-12-01", "2024-02-01", False, 30)  # 92 days
CASES = cases(
    YEAR_BEFORE,
    ("2024-01-08", "assess", "2024-02-19", "2024-05-27", False, 20),  # 42 days to decide, 140 to issue
    ("2024-01-08", "assess", "2024-02-20", "2024-05-28", False, 25),  # 43 and 141: both late
    ("2024-02-01", "assess", "2024-05-01", "2024-12-01", True, 10),
    ("2023-01-10", "assess", "2023-03-01", "2024-01-11", None, 8),  # over a year
    ("2024-03-01", "refuse", "2024-03-20", None, None, 15),
    ("2024-11-01", "pending", None, None, None, 7),
    ("2024-10-01", "assess", "2024-10-20", "2025-03-01", False, 40),
)
