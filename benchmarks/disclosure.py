"""What does it cost to protect a pack's tables together, in cells and in time, and can anybody undo it?

    python benchmarks/disclosure.py [--attacked 300] [--scale 1.0]

Forty linked tables of one synthetic authority in three censuses are protected jointly, and by the gate's rule of a
companion in each table for itself. Both are set beside the bound below which no pattern can be, and attacked: the least
and most that a hidden small count can be, by linear programming over every sum of all tables, for a seeded sample.
Times are of this machine, wall clock and processor.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import highspy
import numpy as np
import pandas as pd
from scipy import sparse

from jsna.codes import code_list
from jsna.counts import NEEDS, count_pupils
from jsna.disclosure import AddsUp, Policy, protect
from jsna.disclosure.cells import Classification, System, Table, system_of
from jsna.disclosure.suppression import Pattern, lower_bound, protect_jointly
from jsna.errors import DisclosureError
from jsna.sealed import Sealed
from jsna.synthetic import load_pupils

SEED = 20261128
SEN = {
    "pupils": {},
    "any_sen": {"sen": "any_sen"},
    "sen_support": {"sen": "sen_support"},
    "ehc_plan": {"sen": "ehc_plan"},
}
NEED = {f"need_{n}": {"sen": "any_sen", "need": n} for n in NEEDS}
WITH_NEEDS = ("", "sex", "major", "ward_code", "year_group", "fsm_eligible", "school_phase")
GROUPINGS = tuple(
    tuple(g.split())
    for g in (
        "",
        *[
            "sex",
            "ethnicity",
            "major",
            "language_group",
            "first_language",
            "fsm_eligible",
            "year_group",
            "ward_code",
            "lsoa21",
            "idaci",
        ],
        *["school_urn", "school_phase"],
        *(f"ward_code {c}" for c in ("ethnicity", "major", "sex", "fsm_eligible", "language_group")),
        *(f"lsoa21 {c}" for c in ("sex", "fsm_eligible")),
        *(f"school_phase {c}" for c in ("ethnicity", "sex", "fsm_eligible", "major", "language_group", "year_group")),
        *(f"school_urn {c}" for c in ("sex", "fsm_eligible")),
        *(f"ethnicity {c}" for c in ("sex", "fsm_eligible", "language_group")),
        *("major year_group", "major sex", "major fsm_eligible", "language_group sex", "year_group sex"),
        *("idaci ethnicity", "idaci sex", "major sex fsm_eligible", "year_group fsm_eligible"),
    )
)
LEVELS = {
    "place": (("", "ward_code"), ("ward_code", "lsoa21"), ("", "idaci"), ("idaci", "lsoa21")),
    "ethnicity": (("", "major"), ("major", "ethnicity")),
    "language": (("", "language_group"), ("language_group", "first_language")),
    "school": (("", "school_phase"), ("school_phase", "school_urn")),
}


def pack(scale: float) -> tuple[list[Table], list[Classification]]:
    """The tables, and how their categories lie in one another."""
    with tempfile.TemporaryDirectory() as folder:
        pupils = load_pupils(2023, scale, Path(folder)).frame
    pupils = pupils.assign(
        major=pupils["ethnicity"].astype(str).map(code_list("ethnicity")["major"]),
        idaci="decile " + pupils["idaci_decile"].astype(str),
    )
    named = list(dict.fromkeys(c for g in GROUPINGS for c in g))
    pupils[named] = pupils[named].astype(str)
    counts = count_pupils(pupils, *GROUPINGS).unseal("to make tables of them")
    sets = counts["grouping"].map(lambda g: frozenset(filter(None, g.split(" × "))))
    tables = []
    for by in GROUPINGS:
        name = " × ".join(by)
        measures = SEN | (NEED if name in WITH_NEEDS else {})
        rows = counts[sets == frozenset(by)]
        tables.append(Table(name or "everybody", "census", Sealed(rows, tuple(measures)), by, measures))
    return tables, _classifications(pupils)


def _classifications(pupils: pd.DataFrame) -> list[Classification]:
    found = [Classification("sen", (("", ("no_sen", "any_sen")), ("any_sen", ("sen_support", "ehc_plan"))))]
    for variable, levels in LEVELS.items():
        splits = []
        for wide, narrow in levels:
            within = pupils[wide] if wide else pd.Series("", index=pupils.index)
            splits += [(w, tuple(sorted(set(parts)))) for w, parts in pupils[narrow].groupby(within)]
        found.append(Classification(variable, tuple(splits), tuple({c for level in levels for c in level if c})))
    return found


def apart(system: System, policy: Policy) -> Pattern:
    """Each table by the gate's rule for itself: a lone small count gets a companion in its row and in its column."""
    hidden = np.zeros(len(system), bool)
    for table in system.tables:
        frame = table.counts.unseal("to protect it as the gate does")[["time_period", *table.by, *table.measures]]
        keys = [("time_period", *(c for c in table.by if c != left)) for left in table.by] or [("time_period",)]
        relations = tuple(AddsUp(k, np.ones(len(frame), bool)) for k in keys)
        sealed = Sealed(frame, tuple(table.measures))
        shown = protect(sealed, policy, source="census", synthetic=True, relations=relations)
        places = system.places[(system.places["table"] == table.name) & (system.places["row"] >= 0)]
        marks = (shown.symbols == "c").to_numpy()
        at = [frame.columns.get_loc(c) for c in places["column"]]
        hidden[places["cell"]] |= marks[places["row"], at]
    # A combination that has no row is a zero, and a row that is not there tells it: taken as hidden, to its credit.
    counts = system.cells.unseal("to compare")["count"].to_numpy()
    small = (counts < policy.threshold) & system.shown
    return Pattern(system, small, hidden & ~small)


def attack(pattern: Pattern, sample: int, policy: Policy) -> dict[str, float]:
    """Of a sample of hidden small counts, the share known exactly, within 2, and known to be small."""
    system = pattern.system
    counts = system.cells.unseal("to attack it")["count"].to_numpy("float64")
    periods = system.cells.unseal("to attack it")["period"].to_numpy()
    random = np.random.default_rng(SEED)
    chosen = np.sort(random.choice(np.flatnonzero(pattern.small), min(sample, int(pattern.small.sum())), replace=False))
    limits = np.concatenate(
        [_limits(pattern, counts, periods == p, chosen[periods[chosen] == p]) for p in np.unique(periods)]
    )
    width = limits[:, 1] - limits[:, 0]
    share = {"exact_%": width < 1, "within_2_%": width <= 2, "known_small_%": limits[:, 1] < policy.threshold - 1e-4}
    return {name: 100 * float(np.mean(mask)) for name, mask in share.items()}


def _limits(pattern: Pattern, counts: np.ndarray, here: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """The least and most of each of ``cells``: nothing of the engine is used, only what is shown and what adds up."""
    system = pattern.system
    unknown = np.flatnonzero(here & (pattern.hidden | ~system.shown))
    rows = sparse.csr_array(system.relations[:, unknown])
    rows = sparse.csc_array(rows[np.diff(rows.indptr) > 0])
    right = rows @ counts[unknown]
    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = rows.shape
    model.col_cost_, model.col_lower_ = np.zeros(len(unknown)), np.zeros(len(unknown))
    model.col_upper_ = np.full(len(unknown), np.inf)
    model.row_lower_ = model.row_upper_ = right
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = rows.indptr, rows.indices, rows.data
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("presolve", "off")
    highs.setOptionValue("simplex_strategy", 4)
    highs.passModel(model)
    found = []
    for at in np.searchsorted(unknown, cells):
        both = []
        for sign in (1.0, -1.0):
            highs.changeColCost(int(at), sign)
            highs.run()
            unbounded = highs.getModelStatus() != highspy.HighsModelStatus.kOptimal
            both.append(-sign * np.inf if unbounded else sign * highs.getInfo().objective_function_value)
            highs.changeColCost(int(at), 0.0)
        found.append(both)
    return np.array(found).reshape(-1, 2)


def timed(work, *given):
    wall, processor = time.perf_counter(), time.process_time()
    found = work(*given)
    return found, time.perf_counter() - wall, time.process_time() - processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--attacked", type=int, default=300)
    parser.add_argument("--scale", type=float, default=1.0)
    given, policy = parser.parse_args(), Policy()
    tables, classifications = pack(given.scale)
    system, wall, processor = timed(lambda: system_of(tables, classifications=classifications))
    print(f"{system!r} {wall:.1f} s (processor {processor:.1f} s)")
    bound, wall, processor = timed(lower_bound, system, policy)
    shown = int(system.shown.sum())
    print(f"bound: {100 * bound.cells / shown:.1f}% of cells; {wall:.1f} s (processor {processor:.1f} s)", flush=True)
    counts = system.cells.unseal("to say what is lost")["count"].to_numpy("float64")
    for name, work in (("apart", apart), ("jointly", protect_jointly)):
        try:
            pattern, wall, processor = timed(work, system, policy)
        except DisclosureError as error:
            print(f"{name}: {error}")
            continue
        information = np.log2(2 + counts[pattern.companions]).sum()
        print(
            f"{name}: small {100 * pattern.small.sum() / shown:.1f}%, "
            f"all hidden {100 * pattern.share_lost:.1f}% of cells; "
            f"companions {information:.0f} bits (bound {bound.information:.0f}); "
            f"{wall:.1f} s (processor {processor:.1f} s)",
            flush=True,
        )
        if given.attacked:
            print(
                "   attacked:", {k: round(v, 1) for k, v in attack(pattern, given.attacked, policy).items()}, flush=True
            )


if __name__ == "__main__":
    main()
