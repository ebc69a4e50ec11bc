"""The easy-read page and the page for families, from the cards of a pack: drafts, in every language with words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup, escape

from jsna.area import Area
from jsna.evidence.cards.words import ENGLISH, Words, languages
from jsna.evidence.cards.words.sentences import Plain, about_the_future, first_upper, in_plain_words
from jsna.evidence.catalogue import catalogue, frame_of
from jsna.evidence.scorecard import headline_list
from jsna.pack.names import spoken
from jsna.pack.pictures import beside, people

MOST, EACH, RARE = 6, 2, 0.02
OUTCOMES, BY = ("any_sen", "sen_support", "ehc_plan"), ("ethnicity", "language_group", "sex")
EASY = ("what", "who", "found", "fair", "voice", "unknown", "next", "ask", "tell", "made", "words")
FAMILIES = ("rights", "read", "found", "fair", "voice", "future", "next", "unknown", "tell")
OTHER = ""  # the key of the findings that no priority names


@dataclass(frozen=True)
class Line:
    """One idea: its sentences, and the picture beside it on the easy-read page."""

    sentences: tuple[Markup, ...]
    picture: Markup = field(default_factory=Markup)


@dataclass(frozen=True)
class Section:
    """A heading, its lines, and under smaller headings further ones."""

    heading: str
    lines: tuple[Line, ...]
    under: tuple[tuple[str, tuple[Line, ...]], ...] = ()


@dataclass(frozen=True)
class Pack:
    """What the plain pages are made from: whole cards, proposals of chapter 12, answers, projections, the area."""

    cards: Sequence[Mapping[str, Any]]
    proposals: Sequence[Mapping[str, Any]]
    voice: Sequence[Mapping[str, Any]]
    projections: Sequence[Mapping[str, Any]]
    area: Area


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
    pack = Pack(cards, proposals, voice, projections, area)
    for words in languages():
        if not words.complete:
            continue
        ending = "" if words.code == ENGLISH else f"-{words.code}"
        yield f"easy-read{ending}.html", _page("easy", easy_read(words, pack), words, area)
        yield f"families{ending}.html", _page("families", for_families(words, pack), words, area)


def easy_read(words: Words, pack: Pack) -> list[Section]:
    """The sections of the easy-read page: one idea a line, a picture beside each, findings under their priority."""
    told = {
        part: (words(f"easy.{part}", area=spoken(pack.area.name)), _fixed(words, f"easy.{part}", pack)) for part in EASY
    }
    groups = _groups(words, pack.cards)
    lines = {part: list(fixed) for part, (_, fixed) in told.items()}
    under = _by_priority(words, pack, [*_shares(words, pack.cards), *groups, *_to_come(words, pack)])
    if not under:
        lines["found"] = [_line(words("easy.nothing"), "easy.nothing")]
    if not groups:
        lines["fair"] = []
    lines["voice"] = _voice(words, pack.voice)[:MOST] or [_line(words("easy.voice.none"), "easy.voice.none")]
    lines["unknown"] = _unknown(words, pack.cards)
    lines["next"] += _proposed(words, pack.proposals) if pack.proposals else []
    return [
        Section(told[part][0], tuple(lines[part]), under if part == "found" else ()) for part in EASY if lines[part]
    ]


def for_families(words: Words, pack: Pack) -> list[Section]:
    """The sections of the page for families: where help is first, then what the figures say and do not say."""
    lines = {part: list(_fixed(words, f"families.{part}", pack)) for part in FAMILIES}
    shares, groups = _shares(words, pack.cards, named=True), _groups(words, pack.cards)
    lines["found"] = [_told(p) for _, p in shares] or [_line(words("families.nothing"))]
    lines["fair"] = [*lines["fair"], *(_told(p) for _, p in groups)] if groups else []
    lines["voice"] = _voice(words, pack.voice) or [_line(words("families.voice.none"))]
    ahead = about_the_future(words, pack.projections)
    lines["future"] = [_told(Plain(ahead))] if ahead else []
    lines["next"] += _proposed(words, pack.proposals)
    lines["unknown"] = _unknown(words, pack.cards)
    return [
        Section(words(f"families.{part}", area=spoken(pack.area.name)), tuple(lines[part]))
        for part in FAMILIES
        if lines[part]
    ]


def marked(text: str) -> Markup:
    """A text of the catalogue as HTML: what stands in *stars* in bold, everything else escaped.

    >>> marked("*SEND* & more")
    Markup('<strong>SEND</strong> &amp; more')
    """
    parts = re.split(r"\*([^*]+)\*", text)
    bold = Markup("<strong>{}</strong>")
    return Markup("").join(bold.format(p) if n % 2 else escape(p) for n, p in enumerate(parts))


def _line(text: str, picture: str = "") -> Line:
    return Line((marked(text),), beside(picture) if picture else Markup(""))


def _told(plain: Plain, picture: str = "finding") -> Line:
    """A finding, beside people of whom as many are filled in as it tells, where they can be counted at a glance."""
    drawn = people(*plain.share) if plain.share else None
    return Line(tuple(escape(s) for s in plain.sentences), drawn or beside(picture))


def _fixed(words: Words, stem: str, pack: Pack) -> tuple[Line, ...]:
    keys = [k for k in words.strings if k.startswith(f"{stem}.") and k.rsplit(".", 1)[1].isdigit()]
    easy = stem.startswith("easy.")
    return tuple(_line(words(k, area=spoken(pack.area.name)), k if easy else "") for k in keys)


def _by_priority(
    words: Words, pack: Pack, findings: Sequence[tuple[Mapping[str, Any], Plain]]
) -> tuple[tuple[str, tuple[Line, ...]], ...]:
    """The findings under the first priority that their card speaks to, in the order of the frame's list."""
    items = headline_list(frame_of(pack.area.code, pack.area.params.frames)).items
    placed: dict[str, list[Line]] = {}
    for card, plain in findings:
        first = next((i.name for i in items if i.code in card.get("frames", ())), OTHER)
        kind = "groups" if card.get("outcome") else "future" if str(card["id"]).startswith("suff") else "finding"
        placed.setdefault(first, []).append(_told(plain, kind))
    return tuple((_name(words, n), tuple(placed[n])) for n in [*(i.name for i in items), OTHER] if n in placed)


def _name(words: Words, priority: str) -> str:
    """A priority in plain words, where the catalogue has them."""
    return words.strings.get(f"priority.{priority}", priority)


def _shares(
    words: Words, cards: Sequence[Mapping[str, Any]], *, named: bool = False
) -> list[tuple[Mapping[str, Any], Plain]]:
    """Cards about a share of the whole area, one an indicator, those of promises first; answers stand elsewhere.

    ``named``: those for which there is no plain question too, by their name.
    """
    told: dict[str, tuple[Mapping[str, Any], Plain]] = {}
    known = catalogue().indicators
    for card in sorted(cards, key=lambda c: not c.get("promise")):
        name, size = str(card.get("indicator")), card.get("size")
        if name not in known or name.startswith("VOI-") or not isinstance(size, Mapping) or card.get("outcome"):
            continue
        plain = in_plain_words(words, card)
        value = size.get("value")
        if plain is None and named and known[name].kind == "proportion" and value is not None:
            plain = Plain((words("figure", name=known[name].name, share=words.share(float(value) / known[name].per)),))
        if plain is not None:
            told.setdefault(name, (card, plain))
    return list(told.values())[:MOST]


def _groups(words: Words, cards: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], Plain]]:
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
    told: dict[tuple[str, str], tuple[Mapping[str, Any], Plain]] = {}
    for *_, card, gap in rows:
        by, plain = str(card.get("characteristic")), in_plain_words(words, card)
        room = len([b for b, _ in told if b == by]) < (1 if by == "sex" else EACH)
        if room and plain is not None and (by, gap["group"]) not in told:
            told[by, gap["group"]] = card, plain
    return list(told.values())[:MOST]


def _to_come(words: Words, pack: Pack) -> list[tuple[Mapping[str, Any], Plain]]:
    """The first card on plans to come."""
    cards = [c for c in pack.cards if str(c.get("id", "")).startswith("sufficiency")]
    found = [(c, p) for c in cards if (p := in_plain_words(words, c, pack.projections)) is not None]
    return found[:1]


def _voice(words: Words, voice: Sequence[Mapping[str, Any]]) -> list[Line]:
    """What parents and young people answered, then those who work with them; of each question its share."""
    known, order = catalogue().indicators, ("parents", "young_people")
    told = [v for v in voice if v.get("value") is not None and v.get("indicator") in known]
    return [
        _line(
            words(
                "voice",
                share=first_upper(words.share(float(v["value"]) / 100)),
                who=words.strings.get(f"who.{v['group']}", str(v["group"])),
                question=str(v.get("question") or known[v["indicator"]].question).replace("*", ""),
            ),
            "voice",
        )
        for v in sorted(told, key=lambda v: v["group"] not in order)
    ]


def _unknown(words: Words, cards: Sequence[Mapping[str, Any]]) -> list[Line]:
    silent = any("voice" in c.get("incomplete", []) for c in cards)
    keys = [*(["unknown.voice"] if silent else []), "unknown.religion", "unknown.after"]
    return [_line(words(k), k) for k in keys]


def _proposed(words: Words, proposals: Sequence[Mapping[str, Any]]) -> list[Line]:
    return [_line(words(f"proposal.{p['proposal']}", name=_name(words, p["name"])), "proposal") for p in proposals]


def _page(kind: str, told: Sequence[Section], words: Words, area: Area) -> str:
    from jsna.pack.page import style, template

    name = spoken(area.name)
    return template("plain.html.j2").render(
        css=style(),
        kind=kind,
        words=words,
        title=words(f"{kind}.title", area=name),
        intro=words("families.intro", area=name) if kind == "families" else "",
        sections=told,
        area_name=area.label,
        cycle=area.params.cycle,
        synthetic=area.synthetic,
    )
