"""Wilson limits of 100,000 groups in one call, beside statsmodels called group by group (scaled up from a sample)."""

from __future__ import annotations

import time

import numpy as np
from statsmodels.stats.proportion import proportion_confint

from jsna.measures import proportion

GROUPS, SAMPLE, REPEATS, SEED = 100_000, 2_000, 5, 20250101


def _seconds(work) -> float:
    """The best of several tries: the least disturbed one."""
    tries = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        tries.append(time.perf_counter() - start)
    return min(tries)


def main() -> None:
    random = np.random.default_rng(SEED)
    total = random.integers(1, 10_000, GROUPS)
    count = random.binomial(total, 0.17)
    pairs = list(zip(count[:SAMPLE].tolist(), total[:SAMPLE].tolist(), strict=True))
    ours = _seconds(lambda: proportion(count, total))
    sample = _seconds(lambda: [proportion_confint(x, n, method="wilson") for x, n in pairs])
    peer = sample * GROUPS / SAMPLE
    found = proportion(count[:SAMPLE], total[:SAMPLE])[["lower", "upper"]].to_numpy()
    apart = np.abs(found - [proportion_confint(x, n, method="wilson") for x, n in pairs]).max()
    print(f"{GROUPS:,} groups in one call: {ours * 1000:.1f} ms")
    print(f"statsmodels group by group, scaled from {SAMPLE:,}: {peer * 1000:.0f} ms")
    print(f"ratio {peer / ours:.0f}; largest difference between the limits {apart:.1e}")


if __name__ == "__main__":
    main()
