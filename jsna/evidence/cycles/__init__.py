"""One edition of an area's evidence, and what has changed from one to the next."""

from jsna.evidence.cycles.changes import Changes, changes_between
from jsna.evidence.cycles.edition import Edition
from jsna.evidence.cycles.notebooks import edition_of_notebooks
from jsna.evidence.cycles.packs import edition_of_pack, embedded_previous

__all__ = ["Changes", "Edition", "changes_between", "edition_of_notebooks", "edition_of_pack", "embedded_previous"]
