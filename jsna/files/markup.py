"""XML of any size, read as a stream: no entities, no outside references, no tree in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsna.errors import Problem, SourceError
from jsna.files.archive import AGAIN, Stream, open_stream
from jsna.files.limits import XML_BYTES, XML_DEPTH, XML_SILENCE


def local(name: str) -> str:
    """An element's name without its namespace, in lower case.

    >>> local("{urn:x}PupilOnRoll")
    'pupilonroll'
    """
    return name.rpartition("}")[2].casefold()


def events(path: Path, member: str | None = None) -> Iterator[tuple[str, Any]]:
    """("start" or "end", element) for every element of the file (plain, gzipped, or ``member`` of a zip).

    The caller clears what it is done with (``element.clear()``), so that memory stays small. Raises ``SourceError``
    for a document type, an entity or an outside reference (each a known attack), for an element, attribute or text of
    over a mebibyte, for elements nested deeper than any return's, for a file that breaks off, and for one that is no
    XML; the message names the line. What another document is to be included from (XInclude) is not followed.
    """
    from xml.etree.ElementTree import ParseError, TreeBuilder

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser, iterparse

    where = path.name if member is None else f"{path.name}, {member}"
    parser = DefusedXMLParser(target=TreeBuilder(), forbid_dtd=True)
    depth = 0
    with open_stream(path, member, XML_BYTES) as stream:
        source = _Listening(stream, parser, where)
        try:
            for event, element in iterparse(source, events=("start", "end"), parser=parser):
                source.silent = 0
                depth += 1 if event == "start" else -1
                if depth > XML_DEPTH:
                    raise SourceError(
                        Problem(
                            "Elements lie deeper in each other than in any return.",
                            where=f"{where}, about line {parser.parser.CurrentLineNumber:,}",
                            expected=f"at most {XML_DEPTH} levels",
                            mend="Export it again from the system that holds the data.",
                        )
                    )
                yield event, element
        except DefusedXmlException as error:
            raise SourceError(
                Problem(
                    f"The file declares a document type or entities ({type(error).__name__}), which returns never do "
                    "and attacks do, so it is not read.",
                    where=where,
                    mend="Export it again from the system that holds the data.",
                )
            ) from None
        except ParseError as error:
            raise SourceError(_broken(error, where)) from None
        except (LookupError, ValueError) as error:
            raise SourceError(
                Problem(f"The file's encoding is not understood ({type(error).__name__}).", where=where, mend=AGAIN)
            ) from None


class _Listening:
    """A stream that refuses to go on when the parser has met no tag for a mebibyte: it would hold all of it."""

    def __init__(self, stream: Stream, parser: Any, where: str) -> None:
        self.stream, self.parser, self.where = stream, parser, where
        self.silent = 0

    def read(self, size: int) -> bytes:
        if self.silent > XML_SILENCE:
            raise SourceError(
                Problem(
                    "An element, attribute, comment or text is longer than any return's.",
                    where=f"{self.where}, line {self.parser.parser.CurrentLineNumber:,}",
                    expected=f"at most {XML_SILENCE >> 10:,} KiB between tags",
                    mend=AGAIN,
                )
            )
        piece = self.stream.read(size)
        self.silent += len(piece)
        return piece


def _broken(error: Any, where: str) -> Problem:
    from xml.parsers.expat import errors as expat

    line, column = error.position
    place = f"{where}, line {line:,}, column {column + 1:,}"
    if error.code == expat.codes[expat.XML_ERROR_INVALID_TOKEN]:
        mend = "Is it written in another encoding than it declares, or has a character (& or <) that must be escaped? "
        return Problem("The file is not whole XML: a character has no place there.", where=place, mend=mend + AGAIN)
    if error.code in (expat.codes[expat.XML_ERROR_UNKNOWN_ENCODING], expat.codes[expat.XML_ERROR_INCORRECT_ENCODING]):
        return Problem("The file's encoding is not understood.", where=place, mend="Export it as UTF-8.")
    if error.code == expat.codes[expat.XML_ERROR_NO_ELEMENTS]:
        return Problem("The file is not whole XML: it ends too early.", where=place, mend=AGAIN)
    return Problem("The file is not whole XML: it breaks there.", where=place, mend=AGAIN)
