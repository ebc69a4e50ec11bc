"""How well plans can be projected: rolling origins on every authority, beside three simple methods.

    .venv/bin/python benchmarks/projection.py            error ratios and coverage by years ahead (about five minutes)
    .venv/bin/python benchmarks/projection.py --quick    totals alone (about a minute)
    .venv/bin/python benchmarks/projection.py --write    jsna/evidence/projection/learned.yml anew

Needs JSNA_DATA: the release of 2025, that of 2022, and the ages of January 2023 (docs/sufficiency.md).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pandas as pd
import yaml

from jsna.evidence.projection import backtest
from jsna.evidence.projection.history import History, history_of
from jsna.evidence.projection.learned import learn
from jsna.evidence.projection.specification import bands, settings
from jsna.sources.folder import OfficialFolder

LEARNED = Path(__file__).resolve().parents[1] / "jsna" / "evidence" / "projection" / "learned.yml"
TOLD = settings()["back_test"]
# Exponential smoothing of five bands of every authority takes longest: every second origin.
ORIGINS_BY_BAND = TOLD["origins"][::2]


def table(ours: pd.DataFrame, peers: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Median absolute errors, and ours over the best of the peers, in per cent of what came and in plans."""
    own, other = backtest.misses(ours, by), backtest.misses(peers, ["method", *by])
    made = other["percent"].unstack("method").assign(projection=own["percent"])
    best = {unit: other[unit].unstack("method").min(axis=1) for unit in ("percent", "plans")}
    return made.assign(ratio=own["percent"] / best["percent"], ratio_plans=own["plans"] / best["plans"])


def totals(history: History) -> None:
    first = int(history.plans.columns.min()) + 2
    every = backtest.errors_of(history, range(first, history.latest))
    peers = backtest.peer_errors(history, TOLD["origins"])
    ranged = backtest.with_ranges(every, TOLD["origins"])
    for name, origins in (
        ("all origins", TOLD["origins"]),
        ("origins on which numbers were chosen", TOLD["chosen_on"]),
        ("origins held out", TOLD["held_out"]),
    ):
        here = every["origin"].isin(origins)
        print(f"\nTotals, {name}: {origins}. Median absolute error over authorities, % of what came")
        print(table(every[here], peers[peers["origin"].isin(origins)], ["ahead"]).round(3).to_string())
        rows = ranged[ranged["origin"].isin(origins)]
        held = rows.groupby("ahead")[["held_80", "held_95"]].mean()
        print("Share of authorities whose number lay in the range")
        print(held.round(3).to_string())
    print("\nShare within the 80% range by origin (2016 is the first after the reform)")
    print(ranged.pivot_table(index="origin", columns="ahead", values="held_80").round(2).to_string())


def by_band(history: History) -> None:
    first = int(history.plans.columns.min()) + 2
    every = backtest.errors_by_band(history, range(first, history.latest))
    here = every[every["origin"].isin(ORIGINS_BY_BAND)]
    found = table(here, backtest.peer_errors_by_band(history, ORIGINS_BY_BAND), ["band", "ahead"])
    print(f"\nBy age band, origins {ORIGINS_BY_BAND}: median error in plans over that of the best of the three")
    print(found["ratio_plans"].unstack("ahead").set_axis(bands()).round(2).to_string())
    held = pd.concat(
        [backtest.with_ranges(rows, TOLD["origins"], parts=True) for _, rows in every.groupby("band")],
        ignore_index=True,
    )
    print("By age band, all origins: share within the 80% range")
    print(held.pivot_table(index="band", columns="ahead", values="held_80").set_axis(bands()).round(2).to_string())


def main(asked: list[str]) -> int:
    folder = os.environ.get("JSNA_DATA")
    if not folder:
        print("Set JSNA_DATA to the folder of official files.")
        return 2
    files = OfficialFolder(Path(folder))
    if "--write" in asked:
        text = yaml.safe_dump(learn(files), sort_keys=False, allow_unicode=True, width=118)
        LEARNED.write_text(
            "# Made by benchmarks/projection.py --write. Spreads: size of errors (of logarithms).\n" + text
        )
        print(text)
        return 0
    history = history_of(files)
    totals(history)
    if "--quick" not in asked:
        by_band(history)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
