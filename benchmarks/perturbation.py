"""What does each way of protection cost an analyst: in numbers that are lost, and in numbers that are a little wrong?

    python benchmarks/perturbation.py [--scale 1.0] [--seeds 5]

Pupils of the synthetic area in its latest census, by ethnic group and by ward with SEN outcomes and primary needs, and
by both with the outcomes. Suppression hides, over the three tables together; the others change every count. Each is set
beside the true counts. Columns: counts hidden (lost, %); change of counts (count: mean size, bias: mean, largest) and
of identification rates, in points, of groups that reach the minimum (points: mean size, points_large: 95th percentile);
of crude comparisons of a group with all others, % whose status is another or not told (status), and % that become or
cease to be "watch" (watch).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from jsna.codes import code_list
from jsna.counts import CELL_KEY, KEYS, NEEDS, OUTCOMES, count_pupils
from jsna.disclosure import Policy
from jsna.disclosure.cells import Classification, Table, system_of
from jsna.disclosure.perturbation import perturbed
from jsna.disclosure.suppression import protect_jointly
from jsna.disproportionality import crude
from jsna.sealed import Sealed
from jsna.synthetic import load_pupils

ALL = (*OUTCOMES, *(f"need_{n}" for n in NEEDS))
COUNTS = ("pupils", *ALL)
SHOWN = {"ethnic group": COUNTS, "ward": COUNTS, "ward × ethnic group": ("pupils", *OUTCOMES)}
BY = {"ethnic group": ["ethnicity"], "ward": ["ward_code"], "ward × ethnic group": ["ward_code", "ethnicity"]}
WAYS = {
    "round_5": ("round_5", "hidden"),
    "midpoint_6, zeros hidden": ("midpoint_6", "hidden"),
    "midpoint_6, zeros shown": ("midpoint_6", "shown"),
    "cell_key": ("cell_key", "hidden"),
}
MEASURES = {"any_sen": {"sen": "any_sen"}, "sen_support": {"sen": "sen_support"}, "ehc_plan": {"sen": "ehc_plan"}} | {
    f"need_{n}": {"sen": "any_sen", "need": n} for n in NEEDS
}
SEN = Classification("sen", (("", ("no_sen", "any_sen")), ("any_sen", ("sen_support", "ehc_plan"))))


def tables(seed: int, scale: float) -> dict[str, pd.DataFrame]:
    """True counts of the latest census with their cell keys, by each of ``BY``; unknown groups left out."""
    with tempfile.TemporaryDirectory() as folder:
        pupils = load_pupils(seed, scale, Path(folder)).frame
    pupils = pupils[pupils["time_period"].astype(str) == pupils["time_period"].astype(str).max()]
    groups = code_list("ethnicity")
    known = pupils["ethnicity"].astype(str).isin(groups.index[groups["known"] == "1"])
    pupils = pupils[known & (pupils["ward_code"].astype(str) != "")]
    pupils = pupils.assign(**{c: pupils[c].astype(str) for c in ("ward_code", "ethnicity")})
    counts = count_pupils(pupils, *BY.values(), cell_keys=True).unseal("to measure")
    sets = counts["grouping"].map(lambda g: frozenset(g.split(" × ")))
    return {name: counts[sets == frozenset(by)].reset_index(drop=True) for name, by in BY.items()}


def changed(frame: pd.DataFrame, way: str) -> pd.DataFrame:
    """The frame as it would be shown."""
    method, zeros = WAYS[way]
    return perturbed(Sealed(frame, COUNTS), method, zeros=zeros, within="pupils").unseal("to measure")


def whole(frame: pd.DataFrame) -> pd.DataFrame:
    """The row of all pupils of the frame: keys of cells add up, as counts do."""
    keys = [f"{CELL_KEY}{c}" for c in COUNTS]
    sums = frame[[*COUNTS, *keys]].sum()
    sums[keys] %= KEYS
    return sums.to_frame().T


def statuses(frame: pd.DataFrame, everybody: pd.DataFrame, column: str) -> pd.Series:
    """The crude status of each group and outcome, beside all others."""
    long = frame.melt([column, "pupils"], list(ALL), "outcome", "count").astype({"count": "int64"})
    long = long.assign(
        whole_count=long["outcome"].map(everybody.iloc[0]).clip(lower=long["count"]),
        whole_pupils=max(int(everybody["pupils"].iloc[0]), int(long["pupils"].max())),
    )
    found = crude(
        long,
        group=column,
        count="count",
        total="pupils",
        family=["outcome"],
        whole=("whole_count", "whole_pupils"),
    )
    return found.set_index(["outcome", "group"])["status"]


def cost(true: pd.DataFrame, shown: pd.DataFrame, counts: tuple[str, ...], minimum: int) -> dict[str, float]:
    """The change of counts (size, average, largest) and of rates in points (average, 95th percentile)."""
    gap = (shown[list(counts)] - true[list(counts)]).to_numpy("float64")
    large = (true["pupils"] >= minimum) & (shown["pupils"] >= minimum)
    rates = [100 * f.loc[large, list(OUTCOMES)].div(f.loc[large, "pupils"], axis=0) for f in (true, shown)]
    points = (rates[1] - rates[0]).to_numpy()
    return {
        "count": float(np.abs(gap).mean()),
        "bias": float(gap.mean()),
        "largest": float(np.abs(gap).max()),
        "points": float(np.abs(points).mean()),
        "points_large": float(np.quantile(np.abs(points), 0.95)),
    }


def suppressed(true: dict[str, pd.DataFrame], policy: Policy) -> dict[str, dict[str, float]]:
    """The share of counts that are hidden in each table, and of comparisons of which a count is."""
    named = {
        name: Table(
            name, "census", Sealed(frame, SHOWN[name]), tuple(BY[name]), {c: MEASURES.get(c, {}) for c in SHOWN[name]}
        )
        for name, frame in true.items()
    }
    pattern = protect_jointly(system_of(named.values(), classifications=[SEN]), policy)
    found = {}
    for name in named:
        hidden = pattern.hidden_in(name)
        either = hidden[[*SHOWN[name][1:]]].to_numpy() | hidden[["pupils"]].to_numpy()
        found[name] = {"lost": 100 * float(hidden.to_numpy().mean()), "comparisons": 100 * float(either.mean())}
    return found


def measured(seed: int, scale: float) -> pd.DataFrame:
    """All figures of one area, one row a way and table."""
    policy = Policy()
    true = tables(seed, scale)
    rows = [
        {"way": "suppress", "table": name, "lost": found["lost"], "status": found["comparisons"]}
        for name, found in suppressed(true, policy).items()
    ]
    for way in WAYS:
        for name, frame in true.items():
            shown = changed(frame, way)
            row = {"way": way, "table": name, **cost(frame, shown, SHOWN[name], policy.minimum_denominator)}
            if len(BY[name]) == 1:
                before = statuses(frame, whole(frame), BY[name][0])
                after = statuses(shown, changed(whole(frame), way), BY[name][0])
                row["status"] = 100 * float((before != after).mean())
                row["watch"] = 100 * float(((before == "watch") != (after == "watch")).mean())
            rows.append(row)
    return pd.DataFrame(rows).assign(seed=seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    found = pd.concat([measured(2023 + i, options.scale) for i in range(options.seeds)])
    mean = found.groupby(["table", "way"], sort=False).mean(numeric_only=True).drop(columns="seed")
    print(mean.round(2).to_string())


if __name__ == "__main__":
    main()
