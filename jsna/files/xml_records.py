"""Records out of XML of any nesting, as a stream: each record's leaves by local name, whatever lies between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from jsna.errors import Problem, SourceError
from jsna.files.archive import AGAIN, open_stream
from jsna.files.limits import XML_BYTES, XML_DEPTH, XML_SILENCE

PIECE = 1 << 18
ONE_MESSAGE = "A file holds one message: put each into a file of its own."


@dataclass(frozen=True)
class Record:
    """One record: its wanted ``leaves`` by local name in lower case, in the order met; ``groups`` those of each element
    within it that has any, by that element's name; ``inside`` the names of the elements that it lies in, its own last;
    ``around`` the leaves outside of any record that hold for it (header, school); ``line`` where it begins."""

    leaves: Mapping[str, list[str]]
    groups: Mapping[str, list[dict[str, str]]]
    inside: tuple[str, ...]
    around: Mapping[str, str]
    line: int


def records(
    path: Path,
    marker: str,
    *,
    leaves: frozenset[str],
    around: frozenset[str] = frozenset(),
    scopes: Sequence[str] = (),
    elements: Sequence[str] = (),
) -> Iterator[Record]:
    """Every element that has a child named ``marker`` (local name, lower case) as a ``Record``; gzipped files too.

    Namespaces, order and nesting do not matter. ``leaves`` are the leaves that are kept, all others are passed over by
    the parser; ``around`` are those outside of records. ``scopes`` names elements, the widest first, that describe what
    comes after them, such as header and school: where one begins, all that an earlier one of its kind, or of a narrower
    kind, said is forgotten, so that no school goes by the number of the one before it. ``elements`` are names that are
    records with or without ``marker``; in these, and in those once met, it need not be the first child. Memory does not
    grow with the file. Raises ``SourceError`` for a document type or entity (attacks), for a file that breaks off or is
    no XML (with the line), for elements nested deeper than any return's, for more than a mebibyte without a tag, and
    for a file that is too large.
    """
    feed = _feeder(path.name, marker, leaves, around, tuple(scopes), frozenset(elements))
    with open_stream(path, limit=XML_BYTES) as stream:
        while piece := stream.read(PIECE):
            yield from feed(piece, False)
        yield from feed(b"", True)


def _feeder(
    where: str,
    marker: str,
    wanted: frozenset[str],
    wanted_around: frozenset[str],
    scope_names: tuple[str, ...],
    always: frozenset[str],
) -> Callable[[bytes, bool], list[Record]]:
    """A function that takes the next piece of the file and gives the records that it completes.

    The state of the parse lies in this function's own variables: a county's file has twenty million elements, and
    attributes of an object would take half as long again.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    scopes = {name: depth for depth, name in enumerate(scope_names, 1)}
    elements = set(always)
    local: dict[str, str] = {}
    stack: list[str] = []
    own: list[dict[str, str] | None] = []
    open_scopes: list[int] = []
    text: list[str] = []
    done: list[Record] = []
    # What was said around records, with the scope that said it (0 for none).
    said: dict[str, tuple[str, int]] = {}
    leaves: dict[str, list[str]] = {}
    groups: dict[str, list[dict[str, str]]] = {}
    depth = line = silent = 0
    is_leaf = marked = False

    def start(name: str, attributes: object) -> None:
        nonlocal depth, line, silent, is_leaf, marked, leaves, groups, said
        low = local.get(name)
        if low is None:
            low = local[name] = name.rpartition(":")[2].casefold()
        silent = 0
        stack.append(low)
        own.append(None)
        is_leaf = True
        text.clear()
        if depth:
            if low == marker:
                marked = True
            if len(stack) > XML_DEPTH:
                too_deep()
            return
        if len(stack) > XML_DEPTH:
            too_deep()
        if low == marker or low in elements:
            marked = low == marker
            depth, line = len(stack) - marked, parser.CurrentLineNumber
            leaves, groups = {}, {}
        elif low in scopes:
            scope = scopes[low]
            open_scopes.append(scope)
            said = {leaf: (words, of) for leaf, (words, of) in said.items() if of < scope}

    def end(name: str) -> None:
        nonlocal depth, is_leaf
        low, inner = stack.pop(), own.pop()
        if is_leaf:
            is_leaf = False
            if depth:
                if low in wanted:
                    keep(low, "".join(text).strip())
            elif low in wanted_around:
                said[low] = ("".join(text).strip(), open_scopes[-1] if open_scopes else 0)
        elif inner is not None:
            groups.setdefault(low, []).append(inner)
        text.clear()
        if depth:
            if len(stack) < depth:
                if marked or low in always:
                    elements.add(low)
                    around = {leaf: words for leaf, (words, _) in said.items()}
                    done.append(Record(leaves, groups, (*stack, low), around, line))
                depth = 0
        elif low in scopes:
            open_scopes.pop()

    def keep(name: str, words: str) -> None:
        leaves.setdefault(name, []).append(words)
        above = own[-1]
        if above is not None and name in above:
            # The same leaf again in one element: pairs that stand in a row without an element round each.
            groups.setdefault(stack[-1], []).append(above)
            above = None
        if above is None:
            above = own[-1] = {}
        above[name] = words

    def too_deep() -> None:
        raise SourceError(
            Problem(
                "Elements lie deeper in each other than in any return.",
                where=f"{where}, line {parser.CurrentLineNumber:,}",
                expected=f"at most {XML_DEPTH} levels",
                mend="Export it again from the system that holds the data.",
            )
        )

    def doctype(*declared: object) -> None:
        raise SourceError(
            Problem(
                "The file declares a document type, which returns never do and attacks do, so it is not read.",
                where=where,
                mend="Export it again from the system that holds the data.",
            )
        )

    def feed(piece: bytes, final: bool) -> list[Record]:
        nonlocal silent
        silent += len(piece)
        try:
            parser.Parse(piece, final)
        except expat.ExpatError as error:
            raise SourceError(_broken(where, error)) from None
        except (LookupError, ValueError) as error:
            raise SourceError(
                Problem(f"The file's encoding is not understood ({type(error).__name__}).", where=where, mend=AGAIN)
            ) from None
        if silent > XML_SILENCE:
            raise SourceError(
                Problem(
                    "An element, attribute, comment or text is longer than any return's.",
                    where=f"{where}, line {parser.CurrentLineNumber:,}",
                    expected=f"at most {XML_SILENCE >> 10:,} KiB between tags",
                    mend=AGAIN,
                )
            )
        complete = done.copy()
        done.clear()
        return complete

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    parser.StartDoctypeDeclHandler = doctype
    return feed


def _broken(where: str, error: expat.ExpatError) -> Problem:
    place = f"{where}, line {error.lineno:,}, column {error.offset + 1:,}"
    why = expat.ErrorString(error.code)
    if why == expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT:
        return Problem("The file goes on after its end.", where=place, mend=ONE_MESSAGE)
    return Problem(f"The file is not whole XML: it breaks there ({why}).", where=place, mend=AGAIN)
