"""What is counted of pupils, said once: for a statement of SQL and for columns of codes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jsna.codes import code_list

OUTCOMES = tuple(code_list("outcome").index)
NEEDS = tuple(code_list("need").index)
COUNTS = ("pupils", *OUTCOMES, *(f"need_{n}" for n in NEEDS))
PROVISION = {"any_sen": ("K", "E"), "sen_support": ("K",), "ehc_plan": ("E",)}
# What makes a pupil one of a count, with {t} in the place of the table.
COUNTED = {
    **{c: f"{{t}}.sen_provision in ({', '.join(repr(p) for p in PROVISION[c])})" for c in OUTCOMES},
    **{f"need_{n}": f"{{t}}.primary_need = '{n}'" for n in NEEDS},
}
KEYS = 256
# Before the name of a count: the column that holds the key of its cell.
CELL_KEY = "cell_key_"


def counted_of(provision: Sequence[str], need: Sequence[str]) -> NDArray[np.float64]:
    """Which of ``COUNTS`` a pupil with each provision and primary need is one of: 1 or 0, a row a pair.

    >>> dict(zip(COUNTS, counted_of(["K"], ["ASD"])[0].astype(int).tolist()))["need_ASD"]
    1
    """
    kept, needs = np.asarray(provision, dtype=object), np.asarray(need, dtype=object)
    columns = [np.ones(len(kept), bool), *(np.isin(kept, PROVISION[c]) for c in OUTCOMES), *(needs == n for n in NEEDS)]
    return np.stack(columns, axis=1).astype("float64")


def record_keys(ids: pd.Series) -> pd.Series:
    """A number from 0 to 255 for each person, all alike likely: the same for the same person in every table and census.

    ``ids``: the keyed hash of each pupil number (``pupil_id``). Who has the key of the project can make the record keys
    again, and nobody else: they are secret, and must never be shown.

    >>> a, b, c = record_keys(pd.Series(["6f1c", "a2d9", "6f1c"]))
    >>> a == c, 0 <= b < 256
    (True, True)
    """
    number, people = pd.factorize(ids.astype("str"), use_na_sentinel=False)
    hashed = b"".join(hashlib.blake2b(p.encode(), person=b"record key", digest_size=1).digest() for p in people)
    return pd.Series(np.frombuffer(hashed, dtype="uint8")[number], index=ids.index, name="record_key")
