"""Ranges around a projection, from how far earlier forecasts of the same kind were from what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from jsna.evidence.projection.specification import settings


@dataclass(frozen=True)
class Spread:
    """How far forecasts err. ``one_year``: by level, the size (of a logarithm) that the share of errors stays under.

    A range ``years`` ahead for ``n`` plans is one_year × years ** exponent × √(1 + size / n).
    """

    one_year: dict[float, float]
    exponent: float
    size: float

    def half_width(self, n: ArrayLike, years: ArrayLike, level: float) -> NDArray[np.float64]:
        """Half the width of the range, in logarithms, for ``n`` plans today.

        >>> Spread({0.8: 0.05}, 1.0, 0.0).half_width(100, [1, 2], 0.8).tolist()
        [0.05, 0.1]
        """
        return self.one_year[level] * _scale(n, years, self.exponent, self.size)

    def limits(
        self, value: ArrayLike, n: ArrayLike, years: ArrayLike, level: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The lower and upper limit around projected plans; around 0 both are 0."""
        value, half = np.asarray(value, "float64"), self.half_width(n, years, level)
        return value * np.exp(-half), value * np.exp(half)

    def wider(self, factor: float) -> Spread:
        """The same, wider by a factor."""
        return Spread({level: factor * width for level, width in self.one_year.items()}, self.exponent, self.size)


def _scale(n: ArrayLike, years: ArrayLike, exponent: float, size: float) -> NDArray[np.float64]:
    plans = np.maximum(np.asarray(n, "float64"), 1.0)
    return np.asarray(years, "float64") ** exponent * np.sqrt(1 + size / plans)


def spread_of(errors: pd.DataFrame, *, parts: bool = False, levels: Sequence[float] | None = None) -> Spread | None:
    """What errors of the past say. ``errors`` has ``forecast``, ``actual``, ``n`` (plans at the origin) and ``ahead``.

    Every error is brought to one year and to a very large authority by the rule of ``Spread``, and the share of them
    is taken without regard to sign. Rows without a figure, or with none above 0, are left out; ``None`` for under 20.
    ``parts``: they are of parts of an authority's plans, those with too few for a range left out.
    """
    told = settings()["ranges"]
    size = told["size_of_parts" if parts else "size"]
    fewest = told["fewest"] if parts else 0
    usable = errors[(errors["forecast"] > 0) & (errors["actual"] > 0) & (errors["n"] >= fewest)]
    if len(usable) < 20:
        return None
    miss = np.abs(np.log(usable["actual"] / usable["forecast"]))
    brought = miss / _scale(usable["n"], usable["ahead"], told["exponent"], size)
    return Spread({p: float(np.quantile(brought, p)) for p in levels or settings()["levels"]}, told["exponent"], size)
