"""Explore Education Statistics: data sets of its public API, and files of its releases and data catalogue.

Ids change with every release, so none is stored: everything is looked up by titles, names of files and columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jsna.errors import Problem, did_you_mean
from jsna.fetch.catalogue import EesDataSet, EesReleaseFile
from jsna.fetch.direct import fetch_path
from jsna.fetch.errors import FetchError, SchemaError
from jsna.fetch.http import Client
from jsna.fetch.received import Received

PAGES_AT_MOST = 100
PAGE_SIZE = 20


def fetch_data_set(entry: EesDataSet, base: str, client: Client, *, part: Path, etag: str = "") -> Received:
    """The whole CSV of a data set of the public API, found by the titles of publication and data set.

    Raises ``FetchError`` when no title fits, with the nearest one; ``SchemaError`` when a filter is gone.
    """
    publications = f"{base}/publications"
    publication = _by_title(publications, {"search": entry.publication}, entry.publication, entry.where, client)
    sets = f"{publications}/{_id(publication, entry.where)}/data-sets"
    data_set = _id(_by_title(sets, {}, entry.data_set, entry.where, client), entry.where)
    meta = client.json(f"{base}/data-sets/{data_set}/meta", where=entry.where)
    known = {str(f.get(k, "")) for f in _rows(meta, "filters") for k in ("column", "label", "id")} - {""}
    gone = [f for f in entry.filters if f not in known]
    if gone:
        raise SchemaError(
            *(
                Problem(
                    "The data set has lost a filter.",
                    where=entry.where,
                    value=f,
                    mend=did_you_mean(f, known) or f"It has: {', '.join(sorted(known)[:8])}.",
                )
                for f in gone
            )
        )
    return fetch_path(f"data-sets/{data_set}/csv", entry, base, client, part=part, etag=etag)


def fetch_release_file(entry: EesReleaseFile, base: str, client: Client, *, part: Path, etag: str = "") -> Received:
    """A release's zip of all data, or the one data file that the entry names.

    Raises ``FetchError`` when the release or the file is not there, with the nearest name of a file.
    """
    release = _id(_release(entry, base, client), entry.where)
    if not entry.data_file:
        return fetch_path(f"releases/{release}/files", entry, base, client, part=part, etag=etag)
    listed = list(_pages(f"{base}/data-set-files", {"releaseId": release}, entry.where, client))
    wanted = _stem(entry.data_file)
    by_stem = {_stem(str(row.get("filename", ""))): row for row in listed}
    if wanted not in by_stem:
        mend = did_you_mean(wanted, by_stem) or "Look at the release's list of data files."
        problem = Problem("The release has no such data file.", where=entry.where, value=entry.data_file, mend=mend)
        raise FetchError(problem)
    file = _id({"id": by_stem[wanted].get("fileId")}, entry.where)
    return fetch_path(f"releases/{release}/files/{file}", entry, base, client, part=part, etag=etag)


def _release(entry: EesReleaseFile, base: str, client: Client) -> dict[str, Any]:
    """The release's summary; older instances of the service know only the address without the last word."""
    address = f"{base}/publications/{quote(entry.publication)}/releases/{quote(entry.release)}"
    try:
        return client.json(f"{address}/version-summary", where=entry.where)
    except FetchError:
        return client.json(address, where=entry.where)


def _stem(filename: str) -> str:
    """A data file's name without ending, capitals and a closing underscore, which come and go between releases.

    >>> _stem("spc_pupils_.csv")
    'spc_pupils'
    """
    return filename.casefold().removesuffix(".csv").rstrip("_")


def _by_title(address: str, params: dict[str, Any], title: str, where: str, client: Client) -> dict[str, Any]:
    plain: Callable[[object], str] = lambda text: " ".join(str(text).split()).casefold()  # noqa: E731
    titles = []
    for row in _pages(address, params, where, client):
        if plain(row.get("title")) == plain(title):
            return row
        titles.append(str(row.get("title")))
    mend = did_you_mean(title, titles) or "Was it renamed or taken down? Amend jsna/fetch/catalogue.yml."
    raise FetchError(Problem("The service lists nothing under this title.", where=where, value=title, mend=mend))


def _pages(address: str, params: dict[str, Any], where: str, client: Client) -> Iterator[dict[str, Any]]:
    """All rows of a list that is given page by page."""
    for page in range(1, PAGES_AT_MOST + 1):
        answer = client.json(address, {**params, "page": page, "pageSize": PAGE_SIZE}, where=where)
        yield from _rows(answer, "results")
        paging = answer.get("paging")
        pages = paging.get("totalPages") if isinstance(paging, dict) else None
        if not isinstance(pages, int) or page >= pages:
            return


def _rows(answer: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = answer.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _id(row: dict[str, Any], where: str) -> str:
    """An id fit to stand in an address. Raises ``SchemaError`` when the answer has none."""
    found = str(row.get("id") or "")
    if not found or not found.replace("-", "").isalnum():
        mend = "The service's answers have changed; jsna/fetch/ees.py must follow."
        raise SchemaError(Problem("The answer has no usable id.", where=where, value=sorted(row)[:8], mend=mend))
    return found
