"""Records out of XML of any nesting, as a stream: each record's leaves by local name, whatever lies between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from jsna.errors import Problem, SourceError
from jsna.files.archive import AGAIN
from jsna.files.limits import XML_BYTES

PIECE = 1 << 20
TEXT_LIMIT = 1 << 20
DEPTH_LIMIT = 200


@dataclass(frozen=True)
class Record:
    """One record: ``leaves`` by local name in lower case, in the order met; ``groups`` the leaves of each element
    within it that has any, by that element's name; ``inside`` the names of the elements that it lies in, its own last;
    ``around`` the latest leaves outside of any record (header, school); ``line`` where it begins."""

    leaves: Mapping[str, list[str]]
    groups: Mapping[str, list[dict[str, str]]]
    inside: tuple[str, ...]
    around: Mapping[str, str]
    line: int


def records(
    path: Path, marker: str, *, skip: Callable[[str], bool] = lambda name: False, around: frozenset[str] = frozenset()
) -> Iterator[Record]:
    """Every element that has a child named ``marker`` (local name, lower case) as a ``Record``.

    Namespaces, order and nesting do not matter. ``skip`` names leaves that are never kept; ``around`` the leaves
    outside of records that are. Memory does not grow with the file. Raises ``SourceError`` for a document type or
    entity (attacks), for a file that breaks off or is no XML (with the line), and for one that is too large.
    """
    if not path.is_file():
        raise SourceError(Problem("The file is missing.", where=path.name, mend="Put it there and run again."))
    if path.stat().st_size > XML_BYTES:
        raise SourceError(
            Problem("The file is too large.", where=path.name, value=f"{path.stat().st_size >> 20:,} MiB")
        )
    reader = _Reader(path.name, marker, skip, around)
    with path.open("rb") as stream:
        while piece := stream.read(PIECE):
            yield from reader.feed(piece, final=False)
        yield from reader.feed(b"", final=True)


class _Reader:
    """The parser's state: where it is, and the record that is being gathered."""

    def __init__(self, where: str, marker: str, skip: Callable[[str], bool], around: frozenset[str]) -> None:
        self.where, self.marker, self.skip, self.wanted = where, marker, skip, around
        self.stack: list[str] = []
        self.text: list[str] = []
        self.length = 0
        self.is_leaf = False
        self.depth = 0
        self.leaves: dict[str, list[str]] = {}
        self.groups: dict[str, list[dict[str, str]]] = {}
        self.own: list[dict[str, str] | None] = []
        self.line = 0
        self.around: dict[str, str] = {}
        self.local: dict[str, str] = {}
        self.done: list[Record] = []
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters
        self.parser.StartDoctypeDeclHandler = self.doctype

    def feed(self, piece: bytes, final: bool) -> list[Record]:
        try:
            self.parser.Parse(piece, final)
        except expat.ExpatError as error:
            raise SourceError(
                Problem(
                    f"The file is not whole XML: it breaks at line {error.lineno}, column {error.offset} "
                    f"({expat.ErrorString(error.code)}).",
                    where=self.where,
                    mend=AGAIN,
                )
            ) from None
        except (LookupError, ValueError) as error:
            raise SourceError(
                Problem(
                    f"The file's encoding is not understood ({type(error).__name__}).", where=self.where, mend=AGAIN
                )
            ) from None
        done, self.done = self.done, []
        return done

    def start(self, name: str, attributes: object) -> None:
        low = self.local.get(name)
        if low is None:
            low = self.local[name] = name.rpartition(":")[2].casefold()
        self.stack.append(low)
        self.own.append(None)
        if len(self.stack) > DEPTH_LIMIT:
            raise SourceError(
                Problem(f"Elements lie more than {DEPTH_LIMIT} deep, which no return has.", where=self.where)
            )
        self.is_leaf, self.length = True, 0
        self.text.clear()
        if low == self.marker and not self.depth:
            self.depth, self.line = len(self.stack) - 1, self.parser.CurrentLineNumber
            self.leaves, self.groups = {}, {}

    def characters(self, text: str) -> None:
        self.text.append(text)
        self.length += len(text)
        if self.length > TEXT_LIMIT:
            raise SourceError(
                Problem(
                    f"The text of one element near line {self.parser.CurrentLineNumber} is over a mebibyte long, which "
                    "no return has.",
                    where=self.where,
                    mend=AGAIN,
                )
            )

    def end(self, name: str) -> None:
        low, own = self.stack.pop(), self.own.pop()
        if self.is_leaf:
            if self.depth:
                if not self.skip(low):
                    self._keep(low, "".join(self.text).strip())
            elif low in self.wanted:
                self.around[low] = "".join(self.text).strip()
            self.is_leaf = False
        elif own:
            self.groups.setdefault(low, []).append(own)
        if self.depth and len(self.stack) < self.depth:
            inside = (*self.stack, low)
            self.done.append(Record(self.leaves, self.groups, inside, dict(self.around), self.line))
            self.depth = 0
        self.text.clear()
        self.length = 0

    def _keep(self, name: str, text: str) -> None:
        self.leaves.setdefault(name, []).append(text)
        if self.own:
            above = self.own[-1]
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
