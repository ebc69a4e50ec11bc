"""Records out of XML of any nesting, as a stream: each record's leaves by local name, whatever lies between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.parsers import expat

from jsna.errors import Problem, SourceError
from jsna.files.archive import AGAIN, open_stream
from jsna.files.limits import XML_BYTES, XML_DEPTH, XML_SILENCE

PIECE = 1 << 18
ONE_MESSAGE = "A file holds one message: put each into a file of its own."


@dataclass(frozen=True)
class Record:
    """One record: ``leaves`` by local name in lower case, in the order met; ``groups`` the leaves of each element
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
    skip: Callable[[str], bool] = lambda name: False,
    around: frozenset[str] = frozenset(),
    scopes: Sequence[str] = (),
    elements: Sequence[str] = (),
) -> Iterator[Record]:
    """Every element that has a child named ``marker`` (local name, lower case) as a ``Record``; gzipped files too.

    Namespaces, order and nesting do not matter. ``skip`` names leaves that are never kept; ``around`` the leaves
    outside of records that are. ``scopes`` names elements, the widest first, that describe what comes after them, such
    as header and school: where one begins, all that an earlier one of its kind, or of a narrower kind, said is
    forgotten, so that no school goes by the number of the one before it. ``elements`` are names that are records with
    or without ``marker``; in these, and in those once met, it need not be the first child. Memory does not grow with
    the file. Raises ``SourceError`` for a document type or entity (attacks), for a file that breaks off or is no XML
    (with the line), for elements nested deeper than any return's, for more than a mebibyte without a tag, and for a
    file that is too large.
    """
    reader = _Reader(path.name, marker, skip, around, tuple(scopes), set(elements))
    with open_stream(path, limit=XML_BYTES) as stream:
        while piece := stream.read(PIECE):
            yield from reader.feed(piece, final=False)
        yield from reader.feed(b"", final=True)


class _Reader:
    """The parser's state: where it is, and the record that is being gathered."""

    def __init__(
        self,
        where: str,
        marker: str,
        skip: Callable[[str], bool],
        around: frozenset[str],
        scopes: tuple[str, ...],
        elements: set[str],
    ) -> None:
        self.where, self.marker, self.wanted = where, marker, around
        self.skip = cache(skip)
        self.always, self.elements = frozenset(elements), elements
        self.marked = False
        self.scopes = {name: depth for depth, name in enumerate(scopes, 1)}
        self.open_scopes: list[int] = []
        self.stack: list[str] = []
        self.text: list[str] = []
        self.silent = 0
        self.is_leaf = False
        self.depth = 0
        self.leaves: dict[str, list[str]] = {}
        self.groups: dict[str, list[dict[str, str]]] = {}
        self.own: list[dict[str, str] | None] = []
        self.line = 0
        # What was said around records, with the scope that said it (0 for none).
        self.around: dict[str, tuple[str, int]] = {}
        self.local: dict[str, str] = {}
        self.done: list[Record] = []
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text.append
        self.parser.StartDoctypeDeclHandler = self.doctype

    def feed(self, piece: bytes, final: bool) -> list[Record]:
        self.silent += len(piece)
        try:
            self.parser.Parse(piece, final)
        except expat.ExpatError as error:
            raise SourceError(self._broken(error)) from None
        except (LookupError, ValueError) as error:
            raise SourceError(
                Problem(
                    f"The file's encoding is not understood ({type(error).__name__}).", where=self.where, mend=AGAIN
                )
            ) from None
        if self.silent > XML_SILENCE:
            raise SourceError(
                Problem(
                    "An element, attribute, comment or text is longer than any return's.",
                    where=f"{self.where}, line {self.parser.CurrentLineNumber:,}",
                    expected=f"at most {XML_SILENCE >> 10:,} KiB between tags",
                    mend=AGAIN,
                )
            )
        done, self.done = self.done, []
        return done

    def _broken(self, error: expat.ExpatError) -> Problem:
        place = f"{self.where}, line {error.lineno:,}, column {error.offset + 1:,}"
        why = expat.ErrorString(error.code)
        if why == expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT:
            return Problem("The file goes on after its end.", where=place, mend=ONE_MESSAGE)
        return Problem(f"The file is not whole XML: it breaks there ({why}).", where=place, mend=AGAIN)

    def start(self, name: str, attributes: object) -> None:
        low = self.local.get(name)
        if low is None:
            low = self.local[name] = name.rpartition(":")[2].casefold()
        self.silent = 0
        self.stack.append(low)
        self.own.append(None)
        if len(self.stack) > XML_DEPTH:
            raise SourceError(
                Problem(
                    "Elements lie deeper in each other than in any return.",
                    where=f"{self.where}, line {self.parser.CurrentLineNumber:,}",
                    expected=f"at most {XML_DEPTH} levels",
                    mend="Export it again from the system that holds the data.",
                )
            )
        self.is_leaf = True
        self.text.clear()
        if self.depth:
            self.marked = self.marked or low == self.marker
        elif low == self.marker or low in self.elements:
            self.marked = low == self.marker
            self.depth, self.line = len(self.stack) - self.marked, self.parser.CurrentLineNumber
            self.leaves, self.groups = {}, {}
        elif low in self.scopes:
            scope = self.scopes[low]
            self.open_scopes.append(scope)
            self.around = {leaf: (text, of) for leaf, (text, of) in self.around.items() if of < scope}

    def end(self, name: str) -> None:
        low, own = self.stack.pop(), self.own.pop()
        if self.is_leaf:
            if self.depth:
                if not self.skip(low):
                    self._keep(low, "".join(self.text).strip())
            elif low in self.wanted:
                scope = self.open_scopes[-1] if self.open_scopes else 0
                self.around[low] = ("".join(self.text).strip(), scope)
            self.is_leaf = False
        elif own:
            self.groups.setdefault(low, []).append(own)
        if self.depth and len(self.stack) < self.depth:
            if self.marked or low in self.always:
                self.elements.add(low)
                around = {leaf: text for leaf, (text, _) in self.around.items()}
                self.done.append(Record(self.leaves, self.groups, (*self.stack, low), around, self.line))
            self.depth = 0
        elif low in self.scopes and not self.depth:
            self.open_scopes.pop()
        self.text.clear()

    def _keep(self, name: str, text: str) -> None:
        self.leaves.setdefault(name, []).append(text)
        above = self.own[-1]
        if above is not None and name in above:
            # The same leaf again in one element: pairs that stand in a row without an element round each.
            self.groups.setdefault(self.stack[-1], []).append(above)
            above = None
        if above is None:
            above = self.own[-1] = {}
        above[name] = text

    def doctype(self, *declared: object) -> None:
        raise SourceError(
            Problem(
                "The file declares a document type, which returns never do and attacks do, so it is not read.",
                where=self.where,
                mend="Export it again from the system that holds the data.",
            )
        )
