"""Which counts of a pack are hidden, by name: what the joint engine decided, in a form that every chapter can look up.

A count is named by its source, its period and the categories of those counted. The pattern holds names and yes or no,
and no number, so that it can be handed to every process that makes a chapter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from jsna.disclosure.relations import EVERYBODY
from jsna.errors import DisclosureError, Problem

NAMED = 5
SAID = "said"


def names_of(index: pd.Index, source: str, *, period: pd.Series | str, **variables: pd.Series | str) -> pd.Series:
    """The names of the counts of some rows, such as ``pupils|202526|ethnicity=WBRI|sen=any_sen``.

    ``index`` is that of the rows; ``period`` and each variable is one category for all rows, or a column of them.
    ``""`` is everybody, and stands in no name.

    >>> names_of(pd.RangeIndex(2), "pupils", period="202526", sex=pd.Series(["F", ""]), sen="any_sen").tolist()
    ['pupils|202526|sen=any_sen|sex=F', 'pupils|202526|sen=any_sen']
    """
    name = pd.Series(f"{source}|", index=index) + _column(period, index)
    for variable in sorted(variables):
        value = _column(variables[variable], index)
        name += (f"|{variable}=" + value).where(value != EVERYBODY, "")
    return name


def _column(value: pd.Series | str, index: pd.Index) -> pd.Series:
    if isinstance(value, pd.Series):
        return pd.Series(value.astype("str").to_numpy(), index=index, dtype="object")
    return pd.Series(value, index=index, dtype="object")


def rounded(counts: ArrayLike, base: ArrayLike) -> NDArray[np.int64]:
    """Counts as they are shown: the nearest multiple of ``base``, the half upwards; where that is 0, as they are.

    >>> rounded([1165, 1164, 7], [10, 10, 0]).tolist()
    [1170, 1160, 7]
    """
    numbers, base = np.asarray(counts, "int64"), np.asarray(base, "int64")
    step = np.maximum(base, 1)
    return (2 * numbers + step) // (2 * step) * step


@dataclass(frozen=True, eq=False, repr=False)
class PackPattern:
    """What each count of the pack may be shown as.

    ``hidden``: whether it is hidden, indexed by its name. ``base``: a hidden one may be shown rounded to the nearest
    multiple of it (0: not at all). ``problems``: tables that cannot be shown, in words.
    """

    hidden: pd.Series
    base: pd.Series
    problems: tuple[str, ...] = ()

    @property
    def share_lost(self) -> float:
        """Hidden counts as a share of all that the pack could show: 0 to 1."""
        return float((self.hidden & (self.base == 0)).mean()) if len(self.hidden) else 0.0

    def hides(self, names: pd.Series | Sequence[str]) -> NDArray[np.bool_]:
        """Whether each of the named counts is hidden.

        Raises ``DisclosureError`` for a name that the pattern does not hold: a count that was not protected together
        with the others does not leave.
        """
        names = pd.Series(names, dtype="object")
        found = self.hidden.reindex(names.to_numpy())
        strangers = list(dict.fromkeys(names[found.isna().to_numpy()]))
        if strangers:
            raise DisclosureError(
                Problem(
                    "Counts would leave that were not protected together with the rest of the pack.",
                    value=strangers[:NAMED],
                    expected="counts that stand in the pack's plan of tables",
                    mend="Add the table to jsna/linked, or do not show it.",
                )
            )
        return found.to_numpy("bool")

    def bases(self, names: pd.Series | Sequence[str]) -> NDArray[np.int64]:
        """To which base each of the named counts is rounded, 0 where it is shown as it is or not at all."""
        hidden = self.hides(names)
        return np.where(hidden, self.base.reindex(pd.Series(names, dtype="object").to_numpy()).to_numpy("int64"), 0)

    def unseen(self, names: pd.Series | Sequence[str]) -> NDArray[np.bool_]:
        """Whether each of the named counts is shown in no form."""
        return self.hides(names) & (self.bases(names) == 0)

    def rounded(self, values: pd.Series, names: pd.Series, within: pd.Series | None = None) -> pd.Series:
        """Counts with those that are shown rounded in that form: to be called before anything is worked out from them.

        ``within``: those among whom they are counted. A count that rounded would be nearly all of these stays as it is,
        and is then hidden, for a share of 100% would be made up.

        >>> name = pd.Series(["a|"], dtype="object")
        >>> PackPattern(pd.Series([True], ["a|"]), pd.Series([10], ["a|"])).rounded(pd.Series([1165]), name).tolist()
        [1170]
        """
        base = self.bases(names)
        nearest = rounded(values, base)
        fits = base > 0 if within is None else (base > 0) & (nearest <= within.to_numpy() - base)
        return pd.Series(np.where(fits, nearest, values), index=values.index).astype(values.dtype)

    def save(self, path: Path) -> None:
        """Write the pattern to a Parquet file."""
        said = pd.DataFrame({"name": [f"{SAID}|{p}" for p in self.problems], "hidden": False, "base": 0})
        rows = pd.DataFrame({"name": self.hidden.index, "hidden": self.hidden.to_numpy(), "base": self.base.to_numpy()})
        rows = pd.concat([rows, said], ignore_index=True)
        rows.astype({"hidden": "bool", "base": "int64"}).to_parquet(path, index=False)

    @classmethod
    def load(cls, path: Path) -> PackPattern:
        """The pattern in a Parquet file."""
        rows = pd.read_parquet(path)
        said = rows["name"].str.startswith(f"{SAID}|")
        counts = rows[~said].set_index("name")
        return cls(counts["hidden"], counts["base"], tuple(rows.loc[said, "name"].str.removeprefix(f"{SAID}|")))

    def __repr__(self) -> str:
        rounded = int((self.base > 0).sum())
        return f"{int(self.hidden.sum()) - rounded:,} of {len(self.hidden):,} counts hidden, {rounded:,} shown rounded."
