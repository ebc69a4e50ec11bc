"""Local operational extracts: one reader, driven by specifications that are data.

Users call ``read_extract``; ``template`` and ``row_guide`` tell an authority what a list has to look like, and
``with_questions`` checks survey answers against their questions.
"""

from __future__ import annotations

from jsna.sources.extracts.guide import guide_page, kinds, row_guide, template
from jsna.sources.extracts.reader import Extract, read_extract
from jsna.sources.extracts.survey import with_questions

__all__ = ["Extract", "guide_page", "kinds", "read_extract", "row_guide", "template", "with_questions"]
