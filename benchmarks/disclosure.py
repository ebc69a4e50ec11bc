"""What does it cost to protect a pack's tables together, in cells and in time, and can anybody undo it?

    python benchmarks/disclosure.py [--attacked 300] [--scale 1.0] [--whole 200] [--tau-argus PYTHON]

Forty linked tables of one synthetic authority in three censuses are protected jointly, and by the gate's rule of a
companion in each table for itself. Both are set beside the bound below which no pattern can be, and attacked: the least
and most that a hidden small count can be, by linear programming over every sum of all tables, for a seeded sample.
Times are of this machine, wall clock and processor.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import highspy
import numpy as np
import pandas as pd
import tau_argus
from scipy import optimize, sparse

from jsna.codes import code_list
from jsna.counts import NEEDS, count_pupils
from jsna.disclosure import AddsUp, Policy, protect
from jsna.disclosure.cells import Classification, System, Table, system_of
from jsna.disclosure.suppression import PROTECTION, Bound, Pattern, lower_bound, protect_jointly
from jsna.sealed import Sealed
from jsna.synthetic import load_pupils

SEED = 20261128
BLOCKS = (60, 600, 6000)
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
# Tables by these are protected together with their margins by wider categories, where Tau-Argus protects them.
WIDER = {
    "lsoa21": "ward_code",
    "ethnicity": "major",
    "first_language": "language_group",
    "school_urn": "school_phase",
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


def whole_people(pattern: Pattern, sample: int, policy: Policy) -> dict[str, int]:
    """Of a sample of hidden small counts, how many can move as far as they should when people are whole.

    Each is sought in blocks of ever more hidden counts around it, all others held: a movement in a block is one in all.
    """
    system = pattern.system
    counts = system.cells.unseal("to move it in whole people")["count"].to_numpy("float64")
    random = np.random.default_rng(SEED)
    chosen = random.choice(np.flatnonzero(pattern.small), min(sample, int(pattern.small.sum())), replace=False)
    unknown = pattern.hidden | ~system.shown
    rows = sparse.csr_array(system.relations[:, np.flatnonzero(unknown)])
    number = np.cumsum(unknown) - 1
    found = {"moves": 0, "not_found": 0}
    for cell in chosen:
        rise, fall = max(policy.threshold - counts[cell], PROTECTION), min(counts[cell], PROTECTION)
        for by in (rise, *([-fall] if fall else [])):
            moves = any(_moves_whole(rows, counts[unknown], number[cell], by, size) for size in BLOCKS)
            found["moves" if moves else "not_found"] += 1
    return found


def _moves_whole(rows: sparse.csr_array, counts: np.ndarray, cell: int, by: float, size: int) -> bool:
    block = np.zeros(len(counts), bool)
    block[cell] = True
    while block.sum() < size:
        wider = abs(rows).T @ (abs(rows) @ block > 0) > 0
        if (wider == block).all():
            break
        block = wider
    here = rows[:, np.flatnonzero(block)]
    here = here[np.diff(here.indptr) > 0]
    low, high = -counts[block], np.full(int(block.sum()), np.inf)
    at = int(block[:cell].sum())
    low[at], high[at] = (by, np.inf) if by > 0 else (low[at], by)
    answer = optimize.milp(
        np.zeros(len(low)),
        integrality=np.ones(len(low)),
        bounds=optimize.Bounds(low, high),
        constraints=optimize.LinearConstraint(here, 0, 0),
        options={"time_limit": 20.0},
    )
    return answer.x is not None


def information_lost(pattern: Pattern) -> float:
    """What the companions would have told, in bits."""
    counts = pattern.system.cells.unseal("to say what is lost")["count"].to_numpy("float64")
    return float(np.log2(2 + counts[pattern.companions]).sum())


def timed(work, *given):
    wall, processor = time.perf_counter(), time.process_time()
    found = work(*given)
    return found, time.perf_counter() - wall, time.process_time() - processor


def tau_argus_patterns(system: System, policy: Policy, python: str) -> dict[str, Pattern]:
    """What Tau-Argus hides, with zeros shown as it shows them, and with these hidden as well, to its credit."""
    found = tau_argus.choice(system, policy.threshold, python, WIDER)
    print(
        f"Tau-Argus: {found.tables - len(found.failures)} of {found.tables} tables protected",
        *found.failures,
        sep="\n   ",
    )
    counts = system.cells.unseal("to compare")["count"].to_numpy()
    small = (counts < policy.threshold) & system.shown
    return {
        "Tau-Argus, zeros shown": Pattern(system, found.small & (counts > 0), found.companions),
        "Tau-Argus, zeros hidden too": Pattern(system, small, found.companions),
    }


def line(name: str, pattern: Pattern, bound: Bound, times: str) -> str:
    shown = int(pattern.system.shown.sum())
    return (
        f"{name}: small {100 * pattern.small.sum() / shown:.1f}%, all hidden {100 * pattern.share_lost:.1f}% of cells; "
        f"companions {information_lost(pattern):.0f} bits (bound {bound.information:.0f}); {times}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--attacked", type=int, default=300)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--whole", type=int, default=0, help="so many small counts are moved in whole people")
    parser.add_argument("--tau-argus", default=sys.executable, metavar="PYTHON", help="an interpreter with pytauargus")
    given, policy = parser.parse_args(), Policy()
    tables, classifications = pack(given.scale)
    system, wall, processor = timed(lambda: system_of(tables, classifications=classifications))
    print(f"{system!r} {wall:.1f} s (processor {processor:.1f} s)")
    bound, wall, processor = timed(lower_bound, system, policy)
    shown = int(system.shown.sum())
    print(f"bound: {100 * bound.cells / shown:.1f}% of cells; {wall:.1f} s (processor {processor:.1f} s)", flush=True)

    def report(name: str, pattern: Pattern, times: str) -> None:
        print(line(name, pattern, bound, times), *(f"   {p}" for p in pattern.problems), sep="\n", flush=True)
        if given.attacked:
            found = {k: round(v, 1) for k, v in attack(pattern, given.attacked, policy).items()}
            print("   attacked:", found, flush=True)

    for name, work in (("apart", apart), ("jointly", partial(protect_jointly, strict=False))):
        pattern, wall, processor = timed(work, system, policy)
        report(name, pattern, f"{wall:.1f} s (processor {processor:.1f} s)")
    if given.whole:
        found, wall, _ = timed(whole_people, pattern, given.whole, policy)
        print(f"   in whole people, of {given.whole} small counts up and down: {found} {wall:.0f} s", flush=True)
    if why := tau_argus.is_there(given.tau_argus):
        print(f"Tau-Argus: left out, for it cannot be run here ({why})")
        return
    patterns, wall, _ = timed(tau_argus_patterns, system, policy, given.tau_argus)
    for name, pattern in patterns.items():
        report(name, pattern, f"{wall:.1f} s for all tables, each in a process")


if __name__ == "__main__":
    main()
