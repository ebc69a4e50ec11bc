"""Areas or pupils put into equal parts by a score."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from jsna.errors import MeasureError, Problem
from jsna.measures.columns import MISSING, TOO_FEW_VALUES, aligned, then
from jsna.measures.groups import grouped


def quantile(values: ArrayLike, k: int, inverted: bool = True, by: ArrayLike | pd.Series | None = None) -> pd.DataFrame:
    """Into which of ``k`` equal parts does each value fall? The rule that OHID uses for deprivation.

    ``values``: one score an area, such as the IMD; ``k``: 5 for fifths, 10 for tenths; ``inverted``: part 1 holds the
    highest values (the most deprived, where a high score is deprived), else the lowest; ``by``: rank within these
    groups. Returns ``estimate`` (1 to k) and ``status``, aligned with ``values``. Ties share a part, so that parts may
    differ in size. Missing where a group has fewer values than parts. Ranks are worked in whole numbers: a value on the
    edge of a part falls where the rule says, where arithmetic with fractions may put it one part away.

    Source: OHID, Assigning Deprivation Categories: floor((k+1) − ceil((N+1−r) / (N/k))), r the rank with ties at the
    lowest.

    >>> quantile([50, 40, 30, 20, 10], 5)["estimate"].tolist()
    [1.0, 2.0, 3.0, 4.0, 5.0]
    """
    if k != int(k) or k < 1:
        raise MeasureError(Problem("Not a number of quantiles.", value=k, expected="a whole number from 1"))
    score, index = aligned(values)
    groups = grouped(by, len(score))
    known = ~np.isnan(score)
    size = groups.total(known.astype(float)).astype(np.int64)[groups.codes]
    enough = known & (size >= k)
    rank = pd.Series(score).groupby(groups.codes).rank(method="min", ascending=not inverted).to_numpy()
    from_top = (size + 1 - np.where(enough, rank, 1).astype(np.int64)) * int(k)
    part = int(k) + 1 - -(-from_top // np.maximum(size, 1))
    status = then(np.full(len(score), ""), (~known, MISSING), (~enough, TOO_FEW_VALUES))
    return pd.DataFrame({"estimate": np.where(enough, part, np.nan), "status": status}, index=index)
