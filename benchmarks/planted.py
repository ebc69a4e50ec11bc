"""Are the groups whose disparity is planted in the synthetic area flagged, and the others not, over many seeds?

python benchmarks/planted.py              200 seeds
python benchmarks/planted.py --seeds 20
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import multiprocessing

import numpy as np
import pandas as pd
from tqdm import tqdm

from jsna.codes import code_list
from jsna.counts import count_pupils, count_repeats, with_latest_school
from jsna.disproportionality import flags, repetition_floor
from jsna.synthetic import synthesise

FIRST_SEED = 5_000
PLANTED = {
    ("any_sen", "BCRB"): "over-identified",
    ("any_sen", "WOTH"): "under-identified",
    ("need_SEMH", "BCRB"): "over-identified",
    ("need_SEMH", "AIND"): "under-identified",
    ("need_ASD", "AIND"): "under-identified",
}
# Any SEN of every other group is planted at the same risk. In needs, the planted share of one moves all others.
EQUAL_OUTCOME = "any_sen"


def statuses(seed: int) -> pd.DataFrame:
    """The status of every ethnic group, for the outcomes that have something planted."""
    pupils = with_latest_school(synthesise(seed).pupils)
    pupils = pupils.assign(idaci_quintile=(pupils["idaci_decile"] + 1) // 2)
    columns = ["latest_school", "ethnicity", "sex", "year_group", "idaci_quintile"]
    cells = count_pupils(pupils, columns).unseal("to flag groups of no real children")
    repeats = count_repeats(pupils).unseal("to allow for repeated pupils")
    unknown = code_list("ethnicity")
    outcomes = list(dict.fromkeys(outcome for outcome, _ in PLANTED))
    found = flags(
        cells.assign(known=~cells["ethnicity"].isin(unknown.index[unknown["known"] == "0"])),
        group="ethnicity",
        outcomes=outcomes,
        total="pupils",
        period="time_period",
        cluster="latest_school",
        demographic=["sex", "year_group"],
        deprivation=["idaci_quintile"],
        known="known",
        repetition={o: repetition_floor(repeats[repeats["outcome"] == o], periods=3) for o in outcomes},
    )
    return found.table[["outcome", "group", "known", "denominator", "status"]].assign(seed=seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    seeds = range(FIRST_SEED, FIRST_SEED + options.seeds)
    with multiprocessing.get_context("forkserver").Pool(options.workers) as pool:
        table = pd.concat(tqdm(pool.imap(statuses, seeds), total=len(seeds), disable=None, unit="area"))
    print(f"{options.seeds} synthetic areas, seeds {seeds[0]} to {seeds[-1]}")
    for (outcome, group), truth in PLANTED.items():
        own = table[(table["outcome"] == outcome) & (table["group"] == group)]
        shares = ", ".join(f"{s} {100 * n:.1f}%" for s, n in own["status"].value_counts(normalize=True).items())
        print(f"{outcome} {group}, planted {truth}: {shares}")
    equal = table[(table["outcome"] == EQUAL_OUTCOME) & table["known"]]
    equal = equal[~equal["group"].isin([g for o, g in PLANTED if o == EQUAL_OUTCOME])]
    flagged = equal["status"].isin(["over-identified", "under-identified"])
    areas = flagged.groupby(equal["seed"]).any()
    print(
        f"{EQUAL_OUTCOME}, groups with nothing planted: {100 * flagged.mean():.2f} of 100 flagged; "
        f"areas with any such flag {100 * areas.mean():.1f}%"
    )
    print(equal.loc[flagged, "group"].value_counts().to_string() if np.any(flagged) else "")


if __name__ == "__main__":
    main()
