"""Makes the perturbation table of ``cell_key``: jsna/disclosure/perturbation_table.csv.

    python benchmarks/perturbation_table.py > jsna/disclosure/perturbation_table.csv

For each true count the changes that are as random as they can be (greatest entropy), given that they are right on
average, never larger than 5, never lead to a number from 1 to 4, and have a variance of 3 at most; where no such change
has so small a variance (1 to 4), the smallest there is. Then whole numbers of the 256 keys, as near to that as they
come while the average stays right to the last key. The way is that of the R package ``ptable`` (Giessing 2016).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import LinearConstraint, linprog, milp, minimize

KEYS, LARGEST, LAST = 256, 5, 10
VARIANCE = 3.0
NEVER_SHOWN = (1, 2, 3, 4)


def likeliest(changes: np.ndarray) -> np.ndarray:
    """The most random probabilities of the changes with an average of 0 and no more than the allowed variance."""
    equal = np.vstack([np.ones(len(changes)), changes])
    least = linprog(changes**2, A_eq=equal, b_eq=[1, 0], bounds=(0, 1))
    if least.fun >= VARIANCE:
        return least.x

    def wanted(p: np.ndarray) -> float:
        p = np.maximum(p, 1e-12)
        return float(p @ np.log(p))

    constraints = [
        {"type": "eq", "fun": lambda p: equal @ p - [1, 0]},
        {"type": "ineq", "fun": lambda p: VARIANCE - changes**2 @ p},
    ]
    start = np.full(len(changes), 1 / len(changes))
    found = minimize(
        wanted, start, bounds=[(0, 1)] * len(changes), constraints=constraints, method="SLSQP", options={"maxiter": 500}
    )
    return found.x


def in_keys(changes: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Whole numbers of keys that add up to all keys and to an average of 0, with the least sum of differences."""
    n = len(changes)
    target = KEYS * probabilities
    equal = np.hstack([np.vstack([np.ones(n), changes]), np.zeros((2, n))])
    above = np.hstack([np.eye(n), -np.eye(n)])
    below = np.hstack([-np.eye(n), -np.eye(n)])
    found = milp(
        np.r_[np.zeros(n), np.ones(n)],
        constraints=[
            LinearConstraint(equal, [KEYS, 0], [KEYS, 0]),
            LinearConstraint(above, -np.inf, target),
            LinearConstraint(below, -np.inf, -target),
        ],
        integrality=np.r_[np.ones(n), np.zeros(n)],
    )
    return found.x[:n].round().astype("int64")


def main() -> None:
    print("count,change,keys")
    for count in range(1, LAST + 1):
        results = np.arange(max(count - LARGEST, 0), count + LARGEST + 1)
        changes = (results[~np.isin(results, NEVER_SHOWN)] - count).astype("float64")
        for change, keys in zip(changes.astype("int64"), in_keys(changes, likeliest(changes)), strict=True):
            if keys:
                print(f"{count},{change},{keys}")


if __name__ == "__main__":
    main()
