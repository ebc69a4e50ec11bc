"""A zipped document (workbook, text document) with fixed times and its language said, so that two runs are equal."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime

LANGUAGE = "en-GB"
CORE = "docProps/core.xml"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


def settled(content: bytes) -> bytes:
    """The same document with every member at one time, and en-GB as its language in the core properties."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            text = old.read(info)
            if info.filename == CORE:
                text = _with_language(text.decode("utf-8")).encode("utf-8")
            member = zipfile.ZipInfo(info.filename, _LONG_AGO)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system = 0
            member.external_attr = 0
            new.writestr(member, text)
    return made.getvalue()


def _with_language(core: str) -> str:
    bare = re.sub(r"<dc:language>.*?</dc:language>|<dc:language\s*/>", "", core, flags=re.S)
    return bare.replace("</cp:coreProperties>", f"<dc:language>{LANGUAGE}</dc:language></cp:coreProperties>")


def made_in(cycle: str) -> datetime:
    """The time that stands in a document's properties: the first day of its cycle's year, whenever it was made.

    >>> made_in("2026-draft").isoformat()
    '2026-01-01T00:00:00+00:00'
    """
    digits = re.match(r"(?:19|20)\d\d", cycle)
    return datetime(int(digits.group()) if digits else 2000, 1, 1, tzinfo=UTC)
