"""Small surveys and audits for tests, written as files and read as any authority's."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from jsna.area import Area
from jsna.evidence.values import Values
from jsna.evidence.voice import voice_of
from jsna.files.result import Loaded
from jsna.params import Params
from jsna.sources.extracts import read_extract

QUESTIONS = (
    "survey_id,question_id,text,scale,positive_codes,dont_know_code\n"
    "S1,VOI-01,They listened to what I said.,AGREE5,4 5,9\n"
)


def responses(rows: list[tuple[str, str, str]], wave: str = "2025-10") -> str:
    """A list of answers to VOI-01 from (respondent, kind, code)."""
    head = "survey_id,wave,respondent_id,respondent_type,question_id,response_code,weight\n"
    return head + "".join(f"S1,{wave},{who},{kind},VOI-01,{code},1\n" for who, kind, code in rows)


def profile(rows: list[tuple[str, str]]) -> str:
    """Respondents with their ethnic group."""
    head = "respondent_id,age_band,sex,ethnicity_major,sen_provision,primary_need_area\n"
    return head + "".join(f"{who},5-10,F,{group},K,CI\n" for who, group in rows)


def audits(grades: str, *, frame: str = "500", method: str = "RANDOM", second: str = "") -> str:
    """One round of audits with a grade a plan; ``second`` grades line up with the first."""
    head = (
        "audit_id,plan_ref,cycle,auditor,audit_date,sample_method,frame_size,grade,child_view_recorded,second_grade\n"
    )
    other = second.ljust(len(grades))
    return head + "".join(
        f"A{n:03d},P{n:03d},2025-1,A,2025-03-{1 + n % 28:02d},{method},{frame},{g},{n % 2},{o.strip()}\n"
        for n, (g, o) in enumerate(zip(grades, other, strict=True))
    )


def lists(folder: Path, **texts: str) -> dict[str, Loaded]:
    """The lists by kind, read from files."""
    found = {}
    for kind, text in texts.items():
        path = folder / f"{kind}.csv"
        path.write_text(text, encoding="utf-8")
        found[kind] = read_extract(path, kind).loaded
    return found


def area_with(**texts: Loaded) -> Area:
    """A small synthetic area whose voice is these lists alone, each table of it protected by itself."""
    area = Area(Params(areas=["E06000032"], source="synthetic", scale=0.02))
    vars(area)["voice"] = voice_of(texts)
    vars(area)["policy"] = area.params.policy()
    vars(area)["values"] = Values.none()
    return area


def table(text: str) -> pd.DataFrame:
    """Rows of words as a frame, the headings first; "-" is an empty cell."""
    head, *rows = (line.split() for line in text.strip().splitlines())
    return pd.DataFrame(rows, columns=head).replace("-", "")
