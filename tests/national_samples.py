"""Pupils of three authorities, in one of which a disproportion is planted."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from jsna.synthetic.national import area_pupils, authorities

CODES = authorities()[:4]
PLANTED, USUAL, ONE_SCHOOL, NOBODY = CODES
ASKED = {"dimensions": ("ethnicity", "idaci_quintile"), "outcomes": ("any_sen", "need_SEMH")}


def three_authorities() -> dict[str, pd.DataFrame]:
    """One with a planted disproportion, a usual one, and one whose pupils are all in one school."""
    made = {code: area_pupils(n, code, 2500) for n, code in enumerate((PLANTED, USUAL, ONE_SCHOOL))}
    made[PLANTED] = _planted(made[PLANTED])
    one = made[ONE_SCHOOL]
    made[ONE_SCHOOL] = one.assign(school_urn=one["school_urn"].astype(str).iloc[0], school_phase="primary")
    return made


def _planted(frame: pd.DataFrame) -> pd.DataFrame:
    """Half of the Indian pupils without SEN get it, in every school and census alike."""
    more = (frame["ethnicity"] == "AIND") & (frame["sen_provision"] == "N")
    more &= frame["pupil_id"].astype(str).str[-1].isin(list("01234567"))
    provision = frame["sen_provision"].astype(str).mask(more, "K").astype("category")
    need = frame["primary_need"].astype(str).mask(more, "SEMH").astype("category")
    return frame.assign(sen_provision=provision, primary_need=need)


def write(file: Path, frame: pd.DataFrame) -> None:
    """A parquet file of text, as a warehouse would write it."""
    words = [c for c in frame if isinstance(frame[c].dtype, pd.CategoricalDtype)]
    pq.write_table(pa.Table.from_pandas(frame.astype(dict.fromkeys(words, "str")), preserve_index=False), file)
