"""What all chapters share: how to say that an area does not bring the data a question needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from jsna.area import Area
from jsna.evidence.catalogue import Frame, frame_of
from jsna.exhibits.model import Exhibit
from jsna.exhibits.text import notice
from jsna.files.result import Loaded, Summary
from jsna.roll import Roll

REASONS = {
    "pupils": (
        "This needs pupil records, which official statistics do not hold.",
        "Bring the authority's own school census: see docs/own-data.md.",
    ),
    "cases": (
        "This needs a list of requests for EHC needs assessments, which was not brought.",
        "Name the SEN2 return or a case list in the params file (sen2: or extracts:): see docs/own-data.md.",
    ),
    "official": (
        "This needs the official files, which the embedded synthetic area does without.",
        "Run params/luton-open-data.yml with the folder of files.",
    ),
}


def needs(kind: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a function as needing ``pupils``, ``cases`` or ``official`` files.

    Called for an area that does not bring them, it returns a notice with the gap named; given a notice in place of an
    earlier result, it passes that on. So a notebook runs to its end on any area.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def guarded(subject: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(subject, Exhibit):
                return subject
            if isinstance(subject, Area) and kind not in subject.brings:
                return gap(f"{function.__module__.rsplit('.', 1)[-1]}-{function.__name__}", *REASONS[kind])
            return function(subject, *args, **kwargs)

        return guarded

    return decorate


def passes_notice(function: Callable[..., Exhibit]) -> Callable[..., Exhibit]:
    """Mark a function that serves any data: a notice in place of an earlier result is passed on."""

    @wraps(function)
    def guarded(subject: Any, *args: Any, **kwargs: Any) -> Exhibit:
        return subject if isinstance(subject, Exhibit) else function(subject, *args, **kwargs)

    return guarded


def frame_of_area(area: Area) -> Frame:
    """The lists and promises that the area's evidence hangs on: its own where the params name them."""
    return frame_of(area.code, area.params.frames)


def gap(name: str, reason: str, mend: str) -> Exhibit:
    """A notice that something could not be shown; the pack lists it among what it does not hold."""
    exhibit = notice(name, reason, mend)
    return with_extras(exhibit, gap={"reason": reason, "mend": mend})


def with_extras(exhibit: Exhibit, **extras: Any) -> Exhibit:
    """The exhibit with further values for the pack: ``flags``, ``card``, ``sources``, ``gap``."""
    return replace(exhibit, extras={**exhibit.extras, **extras})


def source_row(loaded: Loaded | Roll) -> dict[str, Any]:
    """A source as the index page and the manifest list it."""
    return summary_row(loaded.summary)


def summary_row(s: Summary) -> dict[str, Any]:
    """The same, from what a reader said of its file."""
    return {
        "source": s.source,
        "file": s.file,
        "period": s.period,
        "publisher": s.publisher,
        "licence": s.licence,
        "rows_read": s.rows_read,
        "rows_kept": s.rows_kept,
        "rows_refused": s.rows_refused,
        "sha256": s.sha256,
    }
