"""Asking for a file over the web, politely and to the end: proxies, certificates, waiting, resuming, plain words.

The only thing that is ever sent is the request: no cookies are kept, no stored passwords (netrc) are used.
"""

from __future__ import annotations

import gzip
import json
import shutil
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from jsna.errors import Problem
from jsna.fetch.errors import FetchError
from jsna.fetch.failures import failure, refusal
from jsna.fetch.pages import HEAD_BYTES, error_message, not_data
from jsna.fetch.session import new_session

BUSY = (429, 500, 502, 503, 504)
MOVED = (301, 302, 303, 307, 308)
CHUNK = 1 << 16
LARGEST_ANSWER = 256 << 20


@dataclass(frozen=True)
class Limits:
    """How long and how often to try. Times in seconds; ``attempts`` counts the first one."""

    connect: float = 20.0
    read: float = 60.0
    whole: float = 1800.0
    attempts: int = 4
    first_wait: float = 1.0
    longest_wait: float = 120.0


@dataclass(frozen=True)
class Downloaded:
    """A file that came whole: ``path``, ``size`` in bytes, ``etag`` and what to ``say`` about the way it came.

    ``unchanged`` means that the server said so by the ETag it gave before; there is no file then.
    """

    path: Path
    size: int = 0
    etag: str = ""
    say: tuple[str, ...] = ()
    unchanged: bool = False


class _AgainLater(Exception):
    """This attempt failed in a way that may pass: what to say when no attempt is left, and how long to wait."""

    def __init__(self, problem: Problem, wait: float | None = None) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.wait = wait


@dataclass
class Client:
    """One session for all files of a run. ``sleep`` is replaced in tests, so that nobody waits."""

    limits: Limits = field(default_factory=Limits)
    sleep: Callable[[float], None] = time.sleep
    session: requests.Session = field(default_factory=new_session)

    def json(self, address: str, params: Mapping[str, Any] | None = None, *, where: str) -> dict[str, Any]:
        """The JSON object at ``address``.

        Raises ``FetchError`` for anything else: a page, an error message (also one with status 200), cut JSON.
        """
        return self._repeat(lambda: self._json_once(address, params, where))

    def download(
        self, address: str, part: Path, *, where: str, etag: str = "", largest_bytes: int = 1 << 30
    ) -> Downloaded:
        """The bytes at ``address`` as a file.

        ``part`` is the unfinished file: what a broken attempt leaves there is gone on with, in this run or the next,
        when the server vouches that it is still the same (ETag or date). ``etag`` is of the copy that is already at
        hand. The body is decoded when it was sent packed. Raises ``FetchError`` when it does not come, is a page or an
        error message, or is larger than ``largest_bytes``. What the data hold is not looked at here.
        """
        part.parent.mkdir(parents=True, exist_ok=True)
        return self._repeat(lambda: self._download_once(address, part, where, etag, largest_bytes))

    def _repeat(self, once: Callable[[], Any]) -> Any:
        for attempt in range(1, self.limits.attempts + 1):
            try:
                return once()
            except _AgainLater as again:
                wait = self.limits.first_wait * 2 ** (attempt - 1) if again.wait is None else again.wait
                if attempt == self.limits.attempts:
                    raise FetchError(again.problem) from None
                if wait > self.limits.longest_wait:
                    later = f"The server asks to wait {wait:.0f} s, longer than this command does. Run it again then."
                    raise FetchError(Problem(again.problem.what, where=again.problem.where, mend=later)) from None
                self.sleep(wait)
        raise AssertionError("attempts is at least 1")

    def _json_once(self, address: str, params: Mapping[str, Any] | None, where: str) -> dict[str, Any]:
        response, _ = self._send(address, params, {"Accept": "application/json"}, where)
        try:
            with response:
                body = _body(response, where)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise _AgainLater(failure(error, where, address)) from None
        shown = response.url
        if problem := not_data(body[:HEAD_BYTES], where, shown):
            raise FetchError(problem)
        try:
            answer = json.loads(body)
        except ValueError:
            cut = Problem("The answer is not JSON, or it was cut.", where=where, mend=f"Run it again. Address: {shown}")
            raise _AgainLater(cut) from None
        message = error_message(answer)
        if message or not isinstance(answer, dict):
            said = message or "not a JSON object"
            what = f"The service answered with an error: {said}."
            raise FetchError(Problem(what, where=where, mend=f"Run it again later. Address: {shown}"))
        return answer

    def _download_once(self, address: str, part: Path, where: str, etag: str, largest: int) -> Downloaded:
        state = _State.of(part, address)
        headers = {"Accept-Encoding": "identity"}
        if state.size:
            headers |= {"Range": f"bytes={state.size}-", "If-Range": state.validator}
        elif etag:
            headers["If-None-Match"] = etag
        response, say = self._send(address, None, headers, where)
        with response:
            if response.status_code == 304:
                return Downloaded(part, etag=etag, say=say, unchanged=True)
            if response.status_code == 416 or not _continues(response, state):
                _State.forget(part)
                again = Problem("The server did not go on where the download had stopped.", where=where)
                raise _AgainLater(again, wait=0.0)
            resumed = response.status_code == 206
            self._store(response, part, state.size if resumed else 0, where, address, largest)
            say += (f"resumed at {state.size:,} bytes",) if resumed else ()
            return _finished(part, response, where, address, say, largest)

    def _store(
        self, response: requests.Response, part: Path, have: int, where: str, address: str, largest: int
    ) -> None:
        """Write the body behind the ``have`` bytes that are there, and see that all of it came."""
        length = response.headers.get("Content-Length", "")
        expected = have + int(length) if length.isdigit() else None
        _refuse_large(expected or 0, largest, where)
        _State.remember(part, address, response)
        size, until = have, time.monotonic() + self.limits.whole
        try:
            with part.open("ab" if have else "wb") as file:
                # The bytes as they were sent: only of those does the server know positions and length.
                for chunk in response.raw.stream(CHUNK, decode_content=False):
                    size += len(chunk)
                    _refuse_large(size, largest, where)
                    file.write(chunk)
                    if time.monotonic() > until:
                        slow = f"The file did not come within {self.limits.whole:.0f} s."
                        raise FetchError(Problem(slow, where=where, mend="Run it again: it goes on where it stopped."))
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise _AgainLater(failure(error, where, address)) from None
        if expected is not None and size != expected:
            what = f"The connection ended early: {size:,} of {expected:,} bytes came."
            raise _AgainLater(Problem(what, where=where, mend="Run it again: it goes on where it stopped."))

    def _send(
        self, address: str, params: Mapping[str, Any] | None, headers: Mapping[str, str], where: str
    ) -> tuple[requests.Response, tuple[str, ...]]:
        """A usable answer (2xx, 304, 416) and what to say of the way there; redirects are followed one by one."""
        say: tuple[str, ...] = ()
        for _ in range(6):
            try:
                response = self.session.get(
                    address,
                    params=params,
                    headers=dict(headers),
                    stream=True,
                    allow_redirects=False,
                    timeout=(self.limits.connect, self.limits.read),
                )
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                problem, may_pass = failure(error, where, address), _may_pass(error)
                raise (_AgainLater(problem) if may_pass else FetchError(problem)) from None
            if response.status_code not in MOVED:
                return _usable(response, where), say
            response.close()
            address, said = _next_stop(response, where)
            say, params = say + said, None
        raise FetchError(
            Problem(
                "The server sends us round in circles (redirects).",
                where=where,
                value=address,
                mend="Open the address in a browser: a log-in or a filter is the usual cause.",
            )
        )


@dataclass(frozen=True)
class _State:
    """How much of a file is there, and by which word of the server it can be told that it is still the same file."""

    size: int = 0
    validator: str = ""

    @classmethod
    def of(cls, part: Path, address: str) -> _State:
        try:
            note = json.loads(_note(part).read_text(encoding="utf-8"))
            same = note["address"] == address and note["validator"]
            return cls(part.stat().st_size, note["validator"]) if same else cls()
        except (OSError, ValueError, KeyError, TypeError):
            return cls()

    @classmethod
    def remember(cls, part: Path, address: str, response: requests.Response) -> None:
        etag = response.headers.get("ETag", "")
        # A weak ETag does not promise the same bytes, so it cannot vouch for the first half of a file.
        validator = etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified", "")
        note = {"address": address, "validator": validator}
        _note(part).write_text(json.dumps(note), encoding="utf-8")

    @classmethod
    def forget(cls, part: Path) -> None:
        part.unlink(missing_ok=True)
        _note(part).unlink(missing_ok=True)


def forget(part: Path) -> None:
    """Remove an unfinished file and what is remembered of it, so that nothing goes on from it."""
    _State.forget(part)


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _continues(response: requests.Response, state: _State) -> bool:
    """Whether a partial answer begins where the file at hand ends; a whole answer (200) always will do."""
    if response.status_code != 206:
        return True
    start = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
    etag = response.headers.get("ETag", "")
    same = not etag or not state.validator.startswith('"') or etag == state.validator
    return bool(state.size) and start == str(state.size) and same


def _finished(
    part: Path, response: requests.Response, where: str, address: str, say: tuple[str, ...], largest: int
) -> Downloaded:
    """Unpack what was sent packed, and refuse what is no data; a refused file is never gone on with."""
    try:
        if response.headers.get("Content-Encoding", "").lower() in ("gzip", "x-gzip"):
            _unpack(part, where, largest)
        with part.open("rb") as file:
            problem = not_data(file.read(HEAD_BYTES), where, address)
        if problem:
            raise FetchError(problem)
    except FetchError:
        _State.forget(part)
        raise
    _note(part).unlink(missing_ok=True)
    return Downloaded(part, part.stat().st_size, response.headers.get("ETag", ""), say)


def _unpack(part: Path, where: str, largest: int) -> None:
    plain, size = part.with_name(part.name + ".plain"), 0
    try:
        with gzip.open(part, "rb") as packed, plain.open("wb") as file:
            while chunk := packed.read(CHUNK):
                size += len(chunk)
                _refuse_large(size, largest, where)
                file.write(chunk)
        shutil.move(plain, part)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        what = "The packed answer (gzip) is cut or damaged."
        raise FetchError(Problem(what, where=where, mend="Run it again.")) from None
    finally:
        plain.unlink(missing_ok=True)


def _body(response: requests.Response, where: str) -> bytes:
    """A body that is kept in memory, unpacked, and of no more than ``LARGEST_ANSWER`` bytes."""
    body = bytearray()
    for chunk in response.raw.stream(CHUNK, decode_content=True):
        body += chunk
        _refuse_large(len(body), LARGEST_ANSWER, where)
    return bytes(body)


def _refuse_large(size: int, largest: int, where: str) -> None:
    if size > largest:
        what = f"The file is larger than the {largest / 1e6:,.0f} MB that it may have."
        mend = "If the publisher's file has grown, raise largest_megabytes in jsna/fetch/catalogue.yml."
        raise FetchError(Problem(what, where=where, value=f"{size:,} bytes or more", mend=mend))


def _usable(response: requests.Response, where: str) -> requests.Response:
    code = response.status_code
    if code in (200, 206, 304, 416):
        return response
    with response:
        try:
            head = response.raw.read(HEAD_BYTES, decode_content=True)
        except urllib3.exceptions.HTTPError:
            head = b""
    problem = refusal(code, head, where, response.url)
    if code in BUSY:
        raise _AgainLater(problem, _asked_wait(response.headers.get("Retry-After", "")))
    raise FetchError(problem)


def _asked_wait(text: str) -> float | None:
    """The wait that a Retry-After header asks for, in seconds; ``None`` when it asks for none that can be read.

    >>> _asked_wait("30"), _asked_wait(""), _asked_wait("soon")
    (30.0, None, None)
    """
    if text.strip().isdigit():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _next_stop(response: requests.Response, where: str) -> tuple[str, tuple[str, ...]]:
    """Where a redirect leads, and what to say of it. Raises ``FetchError`` when it leaves https or leads nowhere."""
    before, target = urlsplit(response.url), urljoin(response.url, response.headers.get("Location", ""))
    after = urlsplit(target)
    same_place = (after.scheme, after.netloc) == (before.scheme, before.netloc)
    if not after.hostname or not (after.scheme == "https" or same_place):
        shown = f"{after.scheme}://{after.hostname or ''}"
        what = "The server sends us on to an address that is not https; it was not followed."
        mend = "This is how some web filters answer. Ask your IT service, or fetch the file in a browser."
        raise FetchError(Problem(what, where=where, value=shown, mend=mend))
    return target, () if after.hostname == before.hostname else (f"sent on to {after.hostname}",)


def _may_pass(error: Exception) -> bool:
    """Whether trying again can help: not with a bad certificate, a refusing proxy or a malformed address."""
    lasting = (requests.exceptions.SSLError, requests.exceptions.ProxyError, ValueError)
    return isinstance(error, (requests.RequestException, urllib3.exceptions.HTTPError)) and not isinstance(
        error, lasting
    )
