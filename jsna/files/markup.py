"""XML of any size, read as a stream: no entities, no outside references, no tree in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsna.errors import Problem, SourceError
from jsna.files.archive import AGAIN
from jsna.files.limits import XML_BYTES


def local(name: str) -> str:
    """An element's name without its namespace, in lower case.

    >>> local("{urn:x}PupilOnRoll")
    'pupilonroll'
    """
    return name.rpartition("}")[2].casefold()


def events(path: Path) -> Iterator[tuple[str, Any]]:
    """("start" or "end", element) for every element of the file, as the parser meets it.

    The caller clears what it is done with (``element.clear()``), so that memory stays small. Raises ``SourceError``
    for a document type, an entity or an outside reference (each a known attack), for a file that breaks off, and for
    one that is no XML; the message names the line.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import iterparse

    if not path.is_file():
        raise SourceError(Problem("The file is missing.", where=path.name, mend="Put it there and run again."))
    if path.stat().st_size > XML_BYTES:
        raise SourceError(Problem("The file is too large.", where=path.name, value=path.stat().st_size))
    try:
        with path.open("rb") as stream:
            yield from iterparse(stream, events=("start", "end"), forbid_dtd=True)
    except DefusedXmlException as error:
        raise SourceError(
            Problem(
                f"The file declares a document type or entities ({type(error).__name__}), which returns never do and "
                "attacks do, so it is not read.",
                where=path.name,
                mend="Export it again from the system that holds the data.",
            )
        ) from None
    except ParseError as error:
        line, column = error.position
        raise SourceError(
            Problem(
                f"The file is not whole XML: it breaks at line {line}, column {column}.", where=path.name, mend=AGAIN
            )
        ) from None
    except (LookupError, ValueError, UnicodeError) as error:
        raise SourceError(
            Problem(f"The file's encoding is not understood ({type(error).__name__}).", where=path.name, mend=AGAIN)
        ) from None
