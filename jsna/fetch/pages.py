"""Is an answer data at all? Web pages, log-ins and error messages that stand where data should be, told apart."""

from __future__ import annotations

import html
import json
import re

from jsna.errors import Problem

HEAD_BYTES = 65_536
FILTER_MEND = (
    "Ask your IT service to allow this address, or download the file elsewhere and put it into the folder yourself."
)


def page_title(text: str) -> str:
    """The title of a web page, or nothing, on one line and of at most 80 characters.

    >>> page_title("<html><head><title> Access  denied </title>")
    'Access denied'
    """
    found = re.search(r"<title[^>]*>(.*?)</title", text, re.IGNORECASE | re.DOTALL)
    words = " ".join(html.unescape(found[1]).split()) if found else ""
    return words[:80]


def is_page(text: str) -> bool:
    """Whether a text begins as a web page does."""
    start = text.lstrip("\ufeff \t\r\n").lower()
    return bool(re.match(r"<(!doctype html|html|head|body|script|meta|!--)", start)) or (
        start.startswith("<?xml") and "<html" in start[:2000]
    )


def not_data(head: bytes, where: str, address: str) -> Problem | None:
    """What stands in place of data, as a problem, or ``None`` when the answer may be data.

    ``head`` are the first bytes of the answer (``HEAD_BYTES`` are enough). Told apart: nothing at all, a log-in page, a
    web filter's or other page, and an error message in XML or JSON. JSON that is no error message passes.
    """
    if not head.strip():
        return Problem("The answer is empty.", where=where, mend=f"Run it again later. Address: {address}")
    text = head[:HEAD_BYTES].decode("utf-8", errors="replace")
    if is_page(text):
        return _page(text, where, address)
    stripped = text.lstrip("\ufeff \t\r\n")
    if stripped.startswith("<") and re.search(r"<error[\s>]", stripped[:2000], re.IGNORECASE):
        said = re.search(r"<(?:message|code)>(.*?)</", stripped, re.IGNORECASE | re.DOTALL)
        return _said(said[1] if said else stripped[:80], where, address)
    if stripped.startswith("{"):
        message = error_message(_json(stripped))
        if message:
            return _said(message, where, address)
    return None


def error_message(answer: object) -> str:
    """The error message that a JSON answer carries, or nothing.

    Knows ArcGIS's ``error`` object (sent with status 200), problem details (``title``, ``detail``, ``errors``) and
    ``message``. A plain answer with rows, ``results`` or an ``id`` is none, whatever else it says.
    """
    if not isinstance(answer, dict):
        return ""
    error = answer.get("error")
    if isinstance(error, dict):
        parts = [str(error.get("code", "")), str(error.get("message", "")), *map(str, error.get("details") or [])]
        return " ".join(" ".join(p for p in parts if p).split())[:200] or "an error without words"
    if isinstance(error, str) and error:
        return error[:200]
    if any(k in answer for k in ("results", "features", "id", "count", "fields", "filters")):
        return ""
    faults = answer.get("errors")
    if isinstance(faults, list) and faults:
        details = [f"{f.get('path', '')} {f.get('message', '')}".strip() for f in faults if isinstance(f, dict)]
        return f"{answer.get('title', '')}: {'; '.join(details)}"[:200].strip(": ")
    known = [answer.get(k) for k in ("detail", "title", "message")]
    return next((str(k)[:200] for k in known if k), "")


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _page(text: str, where: str, address: str) -> Problem:
    title = page_title(text)
    named = f" Its title: {title!r}." if title else ""
    login = re.search(r"type=[\"']?password", text, re.IGNORECASE) or re.search(
        r"\b(log|sign)[ -]?(in|on)\b|\bauthenticat", title, re.IGNORECASE
    )
    if login:
        mend = "Log in to your organisation's web proxy in a browser, then run it again. " + FILTER_MEND
        return Problem(f"A log-in page came instead of data.{named}", where=where, mend=f"{mend} Address: {address}")
    what = (
        "A web page came instead of data: most likely your organisation's web filter answered instead of the publisher"
    )
    return Problem(f"{what}.{named}", where=where, mend=f"{FILTER_MEND} Address: {address}")


def _said(message: str, where: str, address: str) -> Problem:
    words = " ".join(message.split())
    return Problem(
        f"The publisher's service answered with an error message instead of data: {words}.",
        where=where,
        mend=f"Run it again later; if it stays, amend jsna/fetch/catalogue.yml. Address: {address}",
    )
