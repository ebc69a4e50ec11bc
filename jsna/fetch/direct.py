"""Files at a fixed address: published workbooks and tables, and the bulk tables of Nomis."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from jsna.fetch.catalogue import Entry
from jsna.fetch.checks import inspect
from jsna.fetch.errors import FetchError
from jsna.fetch.http import Client, forget
from jsna.fetch.received import Received, fingerprint_of


def fetch_path(path: str, entry: Entry, base: str, client: Client, *, part: Path, etag: str = "") -> Received:
    """The file at ``path`` under the service's ``base`` address, downloaded to ``part`` and checked.

    Raises ``FetchError`` or ``SchemaError``; with ``etag`` the answer may be that nothing has changed.
    """
    address = f"{base}/{quote(path)}"
    largest = entry.largest_megabytes * 1_000_000
    came = client.download(address, part, where=entry.where, etag=etag, largest_bytes=largest)
    if came.unchanged:
        return Received(part, address, etag=etag, say=came.say, unchanged=True)
    try:
        contents = inspect(part, entry)
    except FetchError:
        forget(part)
        raise
    return Received(part, address, contents, fingerprint_of(part), came.etag, came.say)
