"""To which priorities, criteria and outcomes of an area does a comparison of groups speak?"""

from __future__ import annotations

from functools import cache
from typing import Any

from jsna.evidence.catalogue import Frame
from jsna.evidence.pipeline import stages
from jsna.files.packaged import packaged_yaml


@cache
def _told() -> dict[str, Any]:
    return packaged_yaml("jsna.evidence", "speaks_to.yml")


def indicator_of(outcome: str) -> str:
    """The indicator that an outcome of ``flags.csv`` belongs to; empty where there is none.

    >>> indicator_of("sen_support"), indicator_of("need_ASD"), indicator_of("plans_need_ASD"), indicator_of("refused")
    ('IDN-01', 'IDN-05', 'IDN-04', 'EHC-02')
    """
    if outcome.startswith("need_"):
        return _told()["needs"]
    if outcome.startswith("plans_"):
        return _told()["needs_of_plans"]
    found = _told()["indicators"].get(outcome)
    return found or (stages()[outcome].indicator if outcome in stages().all else "")


def codes_for(frame: Frame, outcome: str, characteristic: str) -> list[str]:
    """The codes of the frame's items to which a comparison speaks, in the frame's order."""
    spoken = {*frame.of_indicator.get(indicator_of(outcome), []), *_told()["characteristics"].get(characteristic, [])}
    return [item.code for entry in frame.lists for item in entry.items if item.code in spoken]
