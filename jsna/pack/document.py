"""``summary.docx``: two pages that a board reads, with real headings, a described picture and a marked-up table."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from jsna.area import Area, period_name
from jsna.chapters.disparity import outcome_name
from jsna.pack.docx_parts import blank, caption, finished, heading, paragraph, picture, table
from jsna.pack.messages import Message, key_messages, proposals, settings, standing_groups, unknowns, voices
from jsna.pack.names import spoken
from jsna.pack.ratio_picture import ratio_picture
from jsna.pack.zipped import made_in, settled

FILE = "summary.docx"
FIGURE_LINES = 13
HEADING_LINES = 2
LEAST_MESSAGES = 3


def write_summary(
    staging: Path,
    area: Area,
    exhibits: Sequence[Mapping[str, Any]],
    cards: Sequence[Mapping[str, Any]] = (),
    flags: Sequence[Mapping[str, Any]] = (),
) -> Path:
    """Write ``summary.docx`` into ``staging`` and say where it is; equal inputs give equal bytes.

    ``exhibits``: all of the pack; ``cards``: whole cards, as in ``cards.json``; ``flags``: the rows of ``flags.csv``.
    Whatever is missing is said in a sentence.
    """
    words, about = settings(), {"area": spoken(area.label), "cycle": area.params.cycle}
    title = words["title"].format(**about)
    document = blank(title, made_in(area.params.cycle), footer=words["footer"].format(**about))
    heading(document, title, 1)
    marks = [words[m] for m, true in (("restricted", area.restricted), ("synthetic", area.synthetic)) if true]
    for mark in marks:
        paragraph(document, mark, bold=True)
    paragraph(document, words["what"].format(**about))
    groups = standing_groups(flags)
    before, after = _voice_and_gaps(cards, exhibits), proposals(exhibits)
    messages = _that_fit(key_messages(cards, exhibits), before, after, len(groups) >= words["chart"]["least"])
    heading(document, words["sections"]["messages"], 2)
    for message in messages:
        paragraph(
            document,
            message.sentence,
            bold=True,
            after=f" {message.more} {message.standing}".replace("  ", " "),
            bullet=True,
        )
    if not messages:
        paragraph(document, words["none_found"])
    _figure(document, groups, area)
    for section, sentences in before.items():
        heading(document, words["sections"][section], 2)
        for sentence in sentences:
            paragraph(document, sentence, bullet=len(sentences) > 1)
    _proposed(document, after, about)
    path = staging / FILE
    path.write_bytes(settled(finished(document)))
    return path


def _voice_and_gaps(cards: Sequence[Mapping[str, Any]], exhibits: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    return {"voice": voices(cards, exhibits), "unknown": unknowns(exhibits)}


def _that_fit(
    messages: list[Message], before: Mapping[str, list[str]], after: Sequence[Mapping[str, Any]], figure: bool
) -> list[Message]:
    """As many messages, the first ones, as two pages hold beside everything else; never fewer than three."""
    words = settings()
    fixed = 9 + HEADING_LINES * len(words["sections"]) + (FIGURE_LINES if figure else 0)
    fixed += sum(_lines(s) for own in before.values() for s in own)
    fixed += sum(max(_lines(str(p.get("because", "")), 0.55), 2) for p in _in_table(after)) + 9
    left = words["lines"] - fixed
    lengths = pd.Series([_lines(f"{m.sentence} {m.more} {m.standing}") for m in messages], dtype=float).cumsum()
    return messages[: max(LEAST_MESSAGES, int((lengths <= left).sum()))]


def _lines(text: str, share: float = 1.0) -> int:
    return math.ceil(len(text) / (settings()["letters"] * share))


def _in_table(found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [p for p in found if p.get("proposal") in settings()["in_table"]]


def _figure(document: Any, groups: pd.DataFrame, area: Area) -> None:
    """The groups that stand out as a picture with alternative text and caption; nothing where there are too few."""
    words = settings()["chart"]
    if len(groups) < words["least"]:
        return
    shown = groups.head(words["most"])
    labels = [f"{g}: {_short(outcome_name(o))}" for g, o in zip(shown["group"], shown["outcome"], strict=True)]
    ratios = pd.DataFrame(
        {"ratio": shown["pooled_risk_ratio"], "lower": shown["pooled_lower"], "upper": shown["pooled_upper"]}
    )
    values = "; ".join(
        f"{label}, {r:.2f}, between {low:.2f} and {high:.2f}"
        for label, (r, low, high) in zip(labels, ratios.itertuples(index=False), strict=True)
    )
    adjusted = pd.to_numeric(shown.get("adjusted_risk_ratio"), errors="coerce").notna().all()
    said = words["caption"].format(
        title=words["title"],
        area=spoken(area.label),
        period=", ".join(dict.fromkeys(period_name(str(p)) for p in shown["period"])),
        adjusted=words["adjusted"] if adjusted else "",
        number=len(shown),
        all=len(groups),
    )
    png = ratio_picture(labels, ratios, words["axis"], "Synthetic data" if area.synthetic else "")
    picture(document, png, words["title"], words["alt"].format(values=values))
    caption(document, said)


def _short(name: str) -> str:
    """A measure's name as it fits beside a chart.

    >>> _short("Of those with an EHC plan, autism as primary need")
    'with a plan, autism'
    """
    return name.replace("Of those with an EHC plan,", "with a plan,").removesuffix(" as primary need")


def _proposed(document: Any, found: Sequence[Mapping[str, Any]], about: Mapping[str, str]) -> None:
    """What is proposed, as a table; what the rules keep or cannot say, as a sentence; and who decides."""
    words = settings()
    heading(document, words["sections"]["proposed"], 2)
    paragraph(document, words["decide"])
    rows = [
        (f"{p['code']} {p['name']}", _capital(str(p["proposal"])), str(p.get("because", ""))) for p in _in_table(found)
    ]
    if rows:
        caption(document, words["table_caption"].format(**about), with_next=True)
        table(document, words["table_head"], rows, words["table_caption"].format(**about))
    others: dict[str, list[str]] = {}
    for p in found:
        if p.get("proposal") not in words["in_table"]:
            others.setdefault(str(p.get("proposal")), []).append(f"{p['code']} {p['name']}")
    said = [words["others_said"].format(proposal=_capital(k), codes="; ".join(v)) for k, v in others.items()]
    if said or not rows:
        paragraph(document, " ".join(said) or words["no_proposals"])


def _capital(text: str) -> str:
    return re.sub(r"^.", lambda m: m[0].upper(), text)


__all__ = ["FILE", "write_summary"]
