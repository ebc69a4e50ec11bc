"""The one pass over pupils: every count that a chapter needs, by place and group, in one query.

Pupil rows are read here, in ``engines`` and in ``sources`` alone. What comes out is sealed: it can be calculated with,
and shown only through ``jsna.disclosure``.
"""

from jsna.counts.counted import CELL_KEY, COUNTED, COUNTS, KEYS, NEEDS, OUTCOMES, record_keys
from jsna.counts.frames import count_pupils, count_repeats, with_latest_school

__all__ = [
    "CELL_KEY",
    "COUNTED",
    "COUNTS",
    "KEYS",
    "NEEDS",
    "OUTCOMES",
    "count_pupils",
    "count_repeats",
    "record_keys",
    "with_latest_school",
]
