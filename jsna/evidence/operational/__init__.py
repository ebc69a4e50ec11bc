"""Measures from local extracts: numerators and denominators by group, which add up, and never a percentage.

Every function takes frames as ``read_extract`` gives them and ``by``, the columns to group by, and returns sealed
counts in rows of one measure and group: the columns of ``by``, ``measure``, ``numerator``, ``denominator``. What both
are in words is in ``words()``; limits of law and their basis are in ``operational.yml``. A group without anybody in the
denominator has no row. What may be shown of it all is decided at the gate.
"""

from __future__ import annotations

from jsna.evidence.operational.children import (
    absence,
    absence_from_counts,
    destinations,
    health_checks,
    health_checks_from_counts,
    short_break_units,
    short_breaks,
    survey,
    suspensions,
)
from jsna.evidence.operational.counting import join_groups, limit, words
from jsna.evidence.operational.plans import annual_reviews, appeal_rate, appealable_decisions, disputes, timeliness

__all__ = [
    "absence",
    "absence_from_counts",
    "annual_reviews",
    "appeal_rate",
    "appealable_decisions",
    "destinations",
    "disputes",
    "health_checks",
    "health_checks_from_counts",
    "join_groups",
    "limit",
    "short_break_units",
    "short_breaks",
    "survey",
    "suspensions",
    "timeliness",
    "words",
]
