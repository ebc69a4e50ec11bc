"""The easy-read page and the page for families, from the cards of a pack: drafts, in every language with words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jsna.area import Area
from jsna.evidence.cards.words import ENGLISH, Words, about_a_group, languages
from jsna.evidence.catalogue import catalogue
from jsna.exhibits.tables import format_number

MOST, EACH, RARE = 6, 2, 0.02
OUTCOMES, BY = ("any_sen", "sen_support", "ehc_plan"), ("ethnicity", "language_group", "sex")
PAGES = {"easy-read": "easy", "families": "families"}


def plain_pages(
    cards: Sequence[Mapping[str, Any]],
    proposals: Sequence[Mapping[str, Any]],
    voice: Sequence[Mapping[str, Any]],
    projections: Sequence[Mapping[str, Any]],
    area: Area,
) -> Iterator[tuple[str, str]]:
    """Name and HTML of each page: easy read and for families, in every language whose words are all there.

    Raises nothing for what is missing: a page without answers says that nobody was asked.
    """
    for words in languages():
        if not words.complete:
            continue
        ending = "" if words.code == ENGLISH else f"-{words.code}"
        for name, kind in PAGES.items():
            yield (
                f"{name}{ending}.html",
                _page(kind, sections(kind, words, cards, proposals, voice, projections, area), words, area),
            )


def sections(
    kind: str,
    words: Words,
    cards: Sequence[Mapping[str, Any]],
    proposals: Sequence[Mapping[str, Any]],
    voice: Sequence[Mapping[str, Any]],
    projections: Sequence[Mapping[str, Any]],
    area: Area,
) -> list[tuple[str, list[str]]]:
    """Headings with their sentences, in order; a heading with nothing under it is left out."""
    figures, groups = _figures(kind, words, cards), _groups(words, cards)
    fixed = {"area": area.name}
    silent = sum("voice" in c.get("incomplete", []) for c in cards)
    unknown = [
        *([words("unknown.voice")] if silent else []),
        words("unknown.religion"),
        words("unknown.after"),
    ]
    heard = _voice(words, voice) or [words(f"{kind}.voice.none")]
    proposed = [words(f"proposal.{p['proposal']}", name=p["name"]) for p in proposals]
    said = {
        "what": _numbered(words, f"{kind}.what", fixed),
        "read": _numbered(words, f"{kind}.read", fixed),
        "found": figures,
        "fair": [*_numbered(words, f"{kind}.fair", fixed), *groups] if groups else [],
        "voice": heard,
        "future": _future(words, projections),
        "next": [*_numbered(words, f"{kind}.next", fixed), *proposed],
        "unknown": unknown,
        "rights": _numbered(words, f"{kind}.rights", fixed),
        "ask": _numbered(words, f"{kind}.ask", fixed),
    }
    return [
        (words(f"{kind}.{part}", **fixed), lines)
        for part, lines in said.items()
        if lines and f"{kind}.{part}" in words.strings
    ]


def _numbered(words: Words, stem: str, values: Mapping[str, str]) -> list[str]:
    keys = [k for k in words.strings if k.startswith(f"{stem}.") and k.rsplit(".", 1)[1].isdigit()]
    return [words(k, **values) for k in keys]


def _figures(kind: str, words: Words, cards: Sequence[Mapping[str, Any]]) -> list[str]:
    """Shares of the whole area that cards are about, one an indicator, those of promises first.

    Easy read has those alone for which there is a plain sentence.
    """
    told: dict[str, str] = {}
    known = catalogue().indicators
    for card in sorted(cards, key=lambda c: not c.get("promise")):
        name, size = str(card.get("indicator")), card.get("size")
        if name not in known or known[name].kind != "proportion" or not isinstance(size, Mapping):
            continue
        if size.get("value") is None:
            continue
        share, plain = words.share(float(size["value"]) / known[name].per), f"plain.{name}"
        if plain in words.strings:
            told.setdefault(name, words(plain, share=share))
        elif kind == "families":
            told.setdefault(name, words("figure", name=known[name].name, share=share))
    return list(told.values())[:MOST]


def _groups(words: Words, cards: Sequence[Mapping[str, Any]]) -> list[str]:
    """Flagged groups, those with most pupils affected first; each group once, and of a characteristic the first two.

    Of the two sexes, which mirror each other, one is told.
    """
    rows = [
        (-abs(gap["pupils_affected"] or 0), str(card["id"]), card, gap)
        for card in cards
        if isinstance(gap := card.get("inequality"), Mapping) and gap.get("share") is not None
    ]
    rows = [r for r in rows if r[2].get("outcome") in OUTCOMES and r[2].get("characteristic") in BY]
    # one in a hundred beside one in fifty helps nobody, and points at few
    rows = sorted((r for r in rows if min(r[3]["share"], r[3]["others_share"]) >= RARE), key=lambda r: r[:2])
    told: dict[tuple[str, str], str] = {}
    for *_, card, gap in rows:
        by = str(card.get("characteristic"))
        room = len([b for b, _ in told if b == by]) < (1 if by == "sex" else EACH)
        if room and (by, gap["group"]) not in told:
            told[by, gap["group"]] = about_a_group(words, card["outcome"], gap)
    return list(told.values())[:MOST]


def _voice(words: Words, voice: Sequence[Mapping[str, Any]]) -> list[str]:
    known = catalogue().indicators
    return [
        words(
            "voice",
            share=_first_upper(words.share(float(v["value"]) / 100)),
            who=words.strings.get(f"who.{v['group']}", str(v["group"])),
            question=v.get("question") or known[v["indicator"]].question,
        )
        for v in voice
        if v.get("value") is not None and v.get("indicator") in known
    ]


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _future(words: Words, projections: Sequence[Mapping[str, Any]]) -> list[str]:
    """The last year of the projection of all plans, with its range, beside the newest count."""
    whole = [p for p in projections if str(p.get("part")).casefold().startswith("all")]
    ahead = [p for p in whole if p.get("scenario") == "trend" and p.get("lower_80") is not None]
    now = [p for p in whole if p.get("scenario") == "observed"]
    if not ahead or not now:
        return []
    last, newest = (max(rows, key=lambda p: str(p["period"])) for rows in (ahead, now))
    count = lambda v: format_number(float(v), "count")  # noqa: E731
    return [
        words(
            "future",
            when=last["period"],
            value=count(last["value"]),
            low=count(last["lower_80"]),
            high=count(last["upper_80"]),
            now=count(newest["value"]),
        )
    ]


def _page(kind: str, told: list[tuple[str, list[str]]], words: Words, area: Area) -> str:
    from jsna.pack.page import style, template

    return template("plain.html.j2").render(
        css=style(),
        kind=kind,
        words=words,
        title=words(f"{kind}.title", area=area.name),
        intro=words("families.intro") if kind == "families" else "",
        sections=told,
        area_name=area.label,
        cycle=area.params.cycle,
        synthetic=area.synthetic,
    )
