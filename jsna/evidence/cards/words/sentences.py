"""What a card says in plain words: never more than the card, and how sure it is where that is not much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from jsna.evidence.cards.words import Words, about_a_group, one_in, two_shares
from jsna.evidence.catalogue import catalogue

OVER, UNDER = "over-identified", "under-identified"


@dataclass(frozen=True)
class Plain:
    """Short sentences, in order; ``share``: the part, and of how many, that a picture can show."""

    sentences: tuple[str, ...]
    share: tuple[int, int] | None = None


def in_plain_words(
    words: Words, card: Mapping[str, Any], projections: Sequence[Mapping[str, Any]] = ()
) -> Plain | None:
    """A whole card in short sentences; None where there is nothing that plain words can say truthfully.

    ``projections``: those of the pack, for the card on plans to come.
    """
    made = _of_groups(words, card) or _of_a_share(words, card)
    if made is None and str(card.get("id", "")).startswith("sufficiency"):
        made = Plain(about_the_future(words, projections)) if projections else None
    if made is None or not made.sentences:
        return None
    sure = card.get("confidence")
    doubt = f"sure.{sure.get('grade')}" if isinstance(sure, Mapping) else ""
    return Plain((*made.sentences, words(doubt)), made.share) if doubt in words.strings else made


def about_the_future(words: Words, projections: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The newest count of plans, the last year ahead and its 80% range, each to two figures; empty without these."""
    whole = [p for p in projections if str(p.get("part")).casefold().startswith("all")]
    ahead = [p for p in whole if p.get("scenario") == "trend" and not _lacks(p, "value", "lower_80", "upper_80")]
    now = [p for p in whole if p.get("scenario") == "observed" and not _lacks(p, "value")]
    if not ahead or not now:
        return ()
    last, newest = (max(rows, key=lambda p: str(p["period"])) for rows in (ahead, now))
    who = "pupils" if str(newest.get("measure", "")).startswith("Pupils") else "all"
    return (
        words("future.now", now=rounded(newest["value"]), who=words(f"future.who.{who}")),
        words("future.then", value=rounded(last["value"]), when=last["period"]),
        words("future.range", low=rounded(last["lower_80"]), high=rounded(last["upper_80"])),
    )


def rounded(value: float) -> str:
    """A number to two figures, halves up, as people say it.

    >>> [rounded(v) for v in (4216, 2372, 2350, 985, 96, 7)]
    ['4,200', '2,400', '2,400', '990', '96', '7']
    """
    whole = int(value + 0.5)
    step = 10 ** max(0, len(str(whole)) - 2)
    return f"{(whole + step // 2) // step * step:,}"


def _of_groups(words: Words, card: Mapping[str, Any]) -> Plain | None:
    """Of a comparison between groups: the flagged one, those to watch, or that no clear difference was seen."""
    what, gap = f"what.{card.get('outcome')}", card.get("inequality")
    if what in words.strings:
        if isinstance(gap, Mapping):
            return _flagged(words, str(card["outcome"]), gap)
        if not card.get("comparisons_made"):
            return None
        by = f"by.{card.get('characteristic')}"
        asked = words("asked", what=words(what), by=words(by if by in words.strings else "by.any"))
    elif card.get("comparisons_made") and "groups_to_watch" in card and "outcome" not in card:
        asked = words("steps")
    else:
        return None
    return Plain((asked, words("watch" if card.get("groups_to_watch") else "alike")))


def _flagged(words: Words, outcome: str, gap: Mapping[str, Any]) -> Plain | None:
    """The flagged group beside all others. Where the plain shares point the other way than the ratio among pupils
    alike, which alone is flagged, the ratio's way is told and no share."""
    way = {OVER: "more", UNDER: "less"}.get(str(gap.get("status")))
    group = words.strings.get(f"group.{gap['group']}", str(gap["group"]))
    if _lacks(gap, "share", "others_share"):
        return Plain((words("group.hidden", group=group),))
    told, (first, _) = about_a_group(words, outcome, gap), two_shares(words, gap["share"], gap["others_share"])
    share = one_in(gap["share"]) if first == words.share(gap["share"]) else None  # a picture shows what the words say
    if way is None:
        return Plain((told,), share)
    if (gap["share"] > gap["others_share"]) != (way == "more"):
        return Plain((words(f"group.like.{way}", group=group, what=words(f"what.{outcome}")),))
    return Plain((told, words(f"group.{way}")), share)


def _of_a_share(words: Words, card: Mapping[str, Any]) -> Plain | None:
    """Of a figure of the whole area, or of answers: the question in plain words, and the share."""
    name, size = str(card.get("indicator")), card.get("size")
    question = words.strings.get(f"plain.{name}")
    if question is None or card.get("group", "all") != "all":
        return None
    if not isinstance(size, Mapping):
        return Plain((question, words("missing")))
    rate, per = (size.get("rate"), 100) if "rate" in size else (size.get("value"), catalogue()[name].per)
    if "rate" in size and size.get("unit") != "%":
        return None
    if rate is None or pd.isna(rate):
        return Plain((question, words("hidden")))
    share = float(rate) / per
    return Plain((words("answer", question=question, share=first_upper(words.share(share))),), one_in(share))


def first_upper(text: str) -> str:
    """A text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def _lacks(row: Mapping[str, Any], *names: str) -> bool:
    return any(row.get(n) is None or pd.isna(row[n]) for n in names)
