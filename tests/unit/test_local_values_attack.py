"""No hidden number of the values from own records can be got back: an attacker that solves for it finds a range."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from local_records import AREA, YEAR_BEFORE, cases, named, pupils
from scipy.optimize import linprog

from jsna.evidence.catalogue import catalogue
from jsna.evidence.local_values import values_of
from jsna.evidence.local_values.counts import counted, of_cases, of_pupils, tally, together
from jsna.evidence.local_values.specification import ways_of
from jsna.roll import FrameRoll

NEEDS = ["ASD", "SLCN", "SEMH", "MLD", "SLD", "PMLD", "SPLD", "HI", "VI", "MSI", "PD", "OTH", "NSA", "DS", ""]

# An attacker of its own. Everything is a sum of cells, none of which can be below nought; whoever has the shown sums
# asks how small and how large each other number can be. It knows nothing of the sums that the gate was told.


def known_exactly(shown, wanted, sizes):
    """Whether the shown sums of cells leave no choice for ``wanted``."""
    ends = [
        linprog(sign * wanted, A_eq=np.array(shown), b_eq=np.array(shown) @ sizes, bounds=(0, None)) for sign in (1, -1)
    ]
    low, high = (end.fun if end.status == 0 else -np.inf for end in ends)
    return -high - low < 0.5


def attack(values, forms, sizes):
    """Numbers under five that the shown figures give away; ``forms`` are the cells of each figure's two numbers."""
    symbols = {(i, g): s for i, g, s in values.frame[["indicator", "group", "symbol"]].itertuples(index=False)}
    shown = [form for key, pair in forms.items() for form in pair if symbols.get(key) in ("", "u")]
    wanted = [w for n, d in forms.values() for w in (n, d, d - n) if w.any() and w @ sizes < 5]
    return [w for w in unlike(wanted) if shown and known_exactly(unlike(shown), w, sizes)]


def unlike(forms):
    return list({form.tobytes(): form for form in forms}.values())


CELLS = [("N", "", lang, "") for lang in ("ENG", "OTH")] + [
    (sen, need, lang, second) for sen, need, lang, second in product("KE", NEEDS, ("ENG", "OTH"), ("", "MLD"))
]


def cells(condition):
    return np.array([condition(*cell) for cell in CELLS], dtype=float)


ALL, SEN = cells(lambda *c: True), cells(lambda sen, *c: sen != "N")
SUPPORT, PLAN = cells(lambda sen, *c: sen == "K"), cells(lambda sen, *c: sen == "E")
PUPIL_FORMS = {
    ("IDN-01", "all"): (SUPPORT, ALL),
    ("IDN-02", "all"): (PLAN, ALL),
    ("IDN-03", "all"): (SEN, ALL),
    ("POP-06", "all"): (cells(lambda sen, need, lang, second: lang == "OTH"), ALL),
    ("IDN-06", "all"): (cells(lambda sen, need, lang, second: sen == "K" and need == "NSA"), SUPPORT),
    ("IDN-12", "all"): (cells(lambda sen, need, lang, second: second != ""), SEN),
} | {
    ("IDN-05", f"need_{code.casefold()}"): (cells(lambda sen, need, lang, second, code=code: need == code), ALL)
    for code in NEEDS[:12]
}


def test_the_attacker_knows_every_figure_of_pupils():
    ways = ways_of(catalogue().indicators.values())
    ways = ways[ways["brings"] == "pupils"]
    assert named(ways) == set(PUPIL_FORMS)
    sizes = np.zeros(len(CELLS))
    for sen, need, lang, second, n in [
        ("N", "", "ENG", "", 60),
        ("K", "SLCN", "OTH", "MLD", 20),
        ("E", "ASD", "ENG", "", 19),
    ]:
        sizes[CELLS.index((sen, need, lang, second))] = n
    assert attack(_naked(PUPIL_FORMS), PUPIL_FORMS, sizes) != []


def _naked(forms):
    """Values that hide nothing."""
    frame = pd.DataFrame([(*key, "") for key in forms], columns=["indicator", "group", "symbol"])
    return replace(values_of(together([]), AREA), frame=frame)


NUMBERS = st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5, 7, 12, 30])
SLOW = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


@SLOW
@given(st.lists(st.tuples(st.sampled_from(CELLS), NUMBERS), min_size=1, max_size=14, unique_by=lambda g: g[0]))
def test_no_hidden_number_of_pupils_can_be_got_back(groups):
    sizes = np.array([dict(groups).get(cell, 0) for cell in CELLS], dtype=float)
    sizes[:2] += 80
    counts = [(*cell, int(n)) for cell, n in zip(CELLS, sizes, strict=True)]
    found = values_of(of_pupils(FrameRoll(pupils(*counts))), AREA)
    assert attack(found, PUPIL_FORMS, sizes) == []
    shown = found.frame[found.frame["symbol"] == ""]
    per = shown["indicator"].map(lambda i: catalogue()[i].per)
    assert shown["value"].between(0, per).all()
    assert (shown["lower"] <= shown["value"] + 1e-9).all()
    assert (shown["value"] <= shown["upper"] + 1e-9).all()


PLAN_CELLS = [*product((False, True), ("soon", "late", "very late")), (None, "none")]


def plan_cells(condition):
    return np.array([condition(*cell) for cell in PLAN_CELLS], dtype=float)


ENDED = plan_cells(lambda *c: True)
PLANS = plan_cells(lambda exception, time: time != "none")
PLAIN = plan_cells(lambda exception, time: exception is False)
PLAN_FORMS = {
    ("EHC-04", "all"): (PLANS, ENDED),
    ("EHC-05", "all"): (plan_cells(lambda exception, time: exception is False and time == "soon"), PLAIN),
    ("EHC-06", "all"): (plan_cells(lambda exception, time: time == "soon"), PLANS),
    ("EHC-07", "all"): (plan_cells(lambda exception, time: time == "very late"), PLANS),
    ("EHC-08", "all"): (PLANS - PLAIN, PLANS),
}
ISSUED = {"soon": "2024-03-01", "late": "2024-08-01", "very late": "2024-12-20"}


@SLOW
@given(st.lists(NUMBERS, min_size=6, max_size=6))
def test_no_hidden_number_of_plans_can_be_got_back(numbers):
    """Assessments with a plan are the same children as the plans of the case list."""
    rows = [
        ("2023-11-15", "assess", "2023-12-15", ISSUED[time], exception, n)
        for (exception, time), n in zip(PLAN_CELLS[:-1], numbers, strict=True)
    ]
    told = of_cases(cases(*rows, (*YEAR_BEFORE[:3], "2023-12-24", False, 5)), [2024])
    ended = {"to_issue": sum(numbers), "not_to_issue": 9, "concluded": sum(numbers) + 9}
    found = values_of(together([told, tally([counted("assessments", "x.csv", "2024", 2024, ended)])]), AREA)
    if sum(numbers):
        assert attack(found, PLAN_FORMS, np.array([*numbers, 9], dtype=float)) == []


GROUPED = list(product(("no_sen", "sen_support", "ehc_plan"), (False, True)))


@SLOW
@given(st.lists(st.sampled_from([0, 1, 2, 4, 5, 6, 9, 40]), min_size=6, max_size=6))
def test_no_hidden_number_of_a_group_can_be_got_back(numbers):
    """Those on roll behind suspensions are the pupils of the census."""
    inside = {
        "no_sen": ["no_sen"], "sen_support": ["sen_support"], "ehc_plan": ["ehc_plan"],
        "all_sen": ["sen_support", "ehc_plan"], "all": ["no_sen", "sen_support", "ehc_plan"],
    }  # fmt: skip
    parts, forms = [], {}
    for group, parts_of in inside.items():
        mine = np.array([g in parts_of for g, _ in GROUPED], dtype=float)
        out = mine * np.array([suspended for _, suspended in GROUPED])
        forms["ATD-05", group] = (out, mine)
        sums = np.array(numbers)
        told = {"suspended": out @ sums, "on_roll": mine @ sums}
        parts.append(counted("exclusions", "x.csv", "2024/25", 2025, told, group))
        parts.append(counted("pupils", "y.csv", "January 2025", 2025, {"pupils": mine @ sums}, group))
    everyone = forms["ATD-05", "all"][1]
    for indicator, group in (("IDN-01", "sen_support"), ("IDN-02", "ehc_plan"), ("IDN-03", "all_sen")):
        forms[indicator, "all"] = (forms["ATD-05", group][1], everyone)
    found = values_of(tally(parts), AREA)
    assert attack(found, forms, np.array(numbers, dtype=float)) == []
    assert set(found.frame["indicator"]) == {"ATD-05", "IDN-01", "IDN-02", "IDN-03"}
