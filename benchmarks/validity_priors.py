"""What priors learned elsewhere bring where a need is rare, and what a question about one named group would."""

from __future__ import annotations

import numpy as np
from boroughs import CONFOUNDED, SPOT_BASE, WEAK_GROUP
from numpy.typing import NDArray
from validity_tables import (
    LEARNED,
    NATIONAL,
    OURS,
    Results,
    Verdict,
    boroughs_with_false,
    cut_for,
    false_discovery_rate,
    of,
    oracle,
    our_verdicts,
    power,
    signed_root,
    table,
)

from jsna.measures.columns import normal_quantile


def priors_table(results: Results) -> str:
    """The rule with each prior: false flags, and power at the weak spot and where three groups differ."""
    null, weak, sparse = (of(results, name, SPOT_BASE) for name in (CONFOUNDED, "weak spot", "sparse"))
    at_null, at_weak, at_sparse = (our_verdicts(d) for d in (null, weak, sparse))
    there = _spot_of(weak)
    rows = []
    for rule in (OURS, LEARNED, NATIONAL):
        cut = cut_for(at_null[rule], null["truth"])
        rows.append(
            [
                rule,
                boroughs_with_false(at_null[rule].flags, null["truth"]),
                power(at_weak[rule].flags, weak["planted"], there),
                power(at_weak[rule].at(cut), weak["planted"], there),
                false_discovery_rate(at_sparse[rule].flags, sparse["truth"]),
                power(at_sparse[rule].flags, sparse["planted"]),
                power(at_sparse[rule].at(cut), sparse["planted"]),
            ]
        )
    of_three = [f"three of 18 differ, {len(sparse['truth']):,} boroughs: FDR", "power", "at 5%"]
    return table(["rule", "null boroughs with a false flag", "weak spot: power", "at 5%", *of_three], rows)


def named_table(results: Results) -> str:
    """The weak spot's group, asked about alone: how often it is flagged where nothing differs, and power."""
    null, weak = (of(results, name, SPOT_BASE) for name in (CONFOUNDED, "weak spot"))
    planted = weak["planted"][:, [WEAK_GROUP]]
    everywhere = np.ones_like(planted, bool)
    flagged = [our_verdicts(d)[OURS].flags[:, [WEAK_GROUP]] for d in (null, weak)]
    at_null, at_weak = _by_itself(null), _by_itself(weak)
    rows: list[list[object]] = [
        [
            "as one of 18 groups, by the rule",
            100 * (flagged[0] != 0).mean(),
            power(flagged[1], planted, everywhere),
            "",
        ],
        [
            "named beforehand: its own ratio, two-sided at 5%, without pooling or checks",
            100 * (at_null.flags != 0).mean(),
            power(at_weak.flags, planted, everywhere),
            power(at_weak.at(cut_for(at_null, null["truth"])), planted, everywhere),
        ],
    ]
    ceiling = oracle(weak, null, slice(WEAK_GROUP, WEAK_GROUP + 1))
    rows.append(["ceiling: a test of this group that knows its variance exactly", 5.0, "", ceiling])
    head = ["this group", "flagged in null boroughs", "power as it stands", "power where that is 5%"]
    return table(head, rows)


def _by_itself(d: dict[str, NDArray]) -> Verdict:
    """The signed root of the group's likelihood ratio, over the dispersion that an area can estimate."""
    x, e, dispersion = (d[name][:, [WEAK_GROUP]] for name in ("events", "expected", "dispersion"))
    z = signed_root(x, e) / np.sqrt(dispersion)
    sign, size = np.sign(z).astype(int), np.abs(z)
    return Verdict(np.where(size >= normal_quantile(0.95), sign, 0), sign, size)


def _spot_of(d: dict[str, NDArray]) -> NDArray:
    there = np.zeros_like(d["truth"], bool)
    there[:, WEAK_GROUP] = True
    return there
