"""A failed request in plain words: what it most likely means in an office network, and what to do."""

from __future__ import annotations

import errno
import os
import re
from urllib.parse import urlsplit

import requests
import urllib3
from requests.utils import get_environ_proxies

from jsna.errors import Problem
from jsna.fetch.pages import error_message, is_page, not_data

CERTIFICATE_MEND = (
    "If your organisation inspects web traffic, ask its IT service for the root certificate as a PEM file and name it "
    "in REQUESTS_CA_BUNDLE. Never switch the check off."
)


def failure(error: Exception, where: str, address: str) -> Problem:
    """What a failed connection means. ``where`` is the file, ``address`` what was asked for.

    No part of the message repeats a proxy's user name or password.
    """
    host = urlsplit(address).hostname or address
    chain = _chain(error)
    if any(isinstance(e, (requests.exceptions.SSLError, urllib3.exceptions.SSLError)) for e in chain):
        return _certificate(chain, where, host)
    if any(isinstance(e, (requests.exceptions.ProxyError, urllib3.exceptions.ProxyError)) for e in chain):
        return _proxy(chain, where, address)
    if any(isinstance(e, urllib3.exceptions.NameResolutionError) for e in chain):
        mend = (
            "Is this computer online? In an office network a proxy is often needed: set HTTPS_PROXY. See docs/fetch.md."
        )
        return Problem(f"The name {host} cannot be looked up.", where=where, mend=mend)
    if any(isinstance(e, urllib3.exceptions.ConnectTimeoutError) for e in chain):
        mend = "A firewall may drop the connection: is a proxy needed (HTTPS_PROXY)? See docs/fetch.md."
        return Problem(f"{host} cannot be reached in time.", where=where, mend=mend)
    if any(isinstance(e, (urllib3.exceptions.ReadTimeoutError, requests.Timeout)) for e in chain):
        return Problem(f"{host} stopped answering.", where=where, mend="Run it again: it goes on where it stopped.")
    if any(isinstance(e, (urllib3.exceptions.IncompleteRead, urllib3.exceptions.ProtocolError)) for e in chain):
        mend = "Run it again: it goes on where it stopped."
        return Problem(f"The connection to {host} ended early.", where=where, mend=mend)
    if any(isinstance(e, OSError) and e.errno == errno.ENOSPC for e in chain):
        return Problem("The disk is full.", where=where, mend="Make room and run it again.")
    if isinstance(error, ValueError):
        mend = "Look at the service's address, --service and the proxy variables."
        return Problem(
            f"The address or a proxy setting cannot be used ({type(error).__name__}).", where=where, mend=mend
        )
    mend = "Is this computer online? See docs/fetch.md on proxies."
    return Problem(f"{host} cannot be reached ({type(chain[-1]).__name__}).", where=where, mend=mend)


def refusal(code: int, head: bytes, where: str, address: str) -> Problem:
    """What a status other than success means; ``head`` is the beginning of the body, which may be a filter's page."""
    text = head.decode("utf-8", errors="replace")
    if code == 407:
        mend = "Name user and password in HTTPS_PROXY as your IT service tells you, or use the proxy of your browser."
        return Problem("The proxy wants a user name and password (407).", where=where, mend=mend)
    if code in (401, 403, 451, 511) and is_page(text):
        page = not_data(head, where, address)
        if page:
            return Problem(f"Access was refused ({code}). {page.what}", where=where, mend=page.mend)
    said = error_message(_parsed(text)) or ""
    words = f": {' '.join(said.split())}" if said else ""
    if code in (404, 410):
        mend = (
            "The file may have moved: look for its title on the publisher's site, amend jsna/fetch/catalogue.yml, or "
            f"put the file into the folder yourself. Address: {address}"
        )
        return Problem(f"The publisher has no such file at this address ({code}){words}.", where=where, mend=mend)
    if code == 429:
        return Problem(
            "The service says that we ask too often (429).", where=where, mend="Wait a while and run it again."
        )
    if code >= 500:
        return Problem(
            f"The publisher's service is out of order ({code}){words}.", where=where, mend="Run it again later."
        )
    mend = f"If it stays, the entry in jsna/fetch/catalogue.yml is out of date. Address: {address}"
    return Problem(f"The service refused the request ({code}){words}.", where=where, mend=mend)


def _certificate(chain: list[BaseException], where: str, host: str) -> Problem:
    words = " ".join(str(e) for e in chain)
    if re.search(r"hostname|not valid for|doesn't match", words, re.IGNORECASE):
        what = f"The certificate that was shown for {host} belongs to another name."
    elif re.search(r"expired", words, re.IGNORECASE):
        what = f"The certificate of {host} has expired, or this computer's clock is wrong."
    elif re.search(r"certificate|verify|trust", words, re.IGNORECASE):
        what = f"The certificate that was shown for {host} is signed by nobody whom this computer trusts."
    else:
        what = f"No secure connection to {host} could be made."
    return Problem(what, where=where, mend=CERTIFICATE_MEND)


def _proxy(chain: list[BaseException], where: str, address: str) -> Problem:
    proxies = get_environ_proxies(address)
    named = urlsplit(proxies.get(urlsplit(address).scheme, "") or proxies.get("all", ""))
    proxy = f"{named.hostname}:{named.port}" if named.hostname and named.port else named.hostname or "the proxy"
    words = " ".join(str(e) for e in chain)
    if "407" in words:
        return refusal(407, b"", where, address)
    if refused := re.search(r"Tunnel connection failed: (\d{3})", words):
        what = f"The proxy {proxy} does not let us through to {urlsplit(address).hostname} ({refused[1]})."
        return Problem(what, where=where, mend="Ask your IT service to allow this address.")
    mend = "Look at HTTPS_PROXY (and NO_PROXY); your browser's settings show the right proxy."
    return Problem(f"The proxy {proxy} cannot be reached.", where=where, mend=mend)


def _chain(error: BaseException) -> list[BaseException]:
    """The error and all that it came from: libraries wrap one in another, as cause, as reason or as argument."""
    found: list[BaseException] = []
    todo: list[object] = [error]
    while todo:
        e = todo.pop(0)
        if isinstance(e, BaseException) and not any(e is f for f in found):
            found.append(e)
            todo += [e.__cause__, e.__context__, getattr(e, "reason", None), *e.args]
    return found


def _parsed(text: str) -> object:
    import json

    try:
        return json.loads(text)
    except ValueError:
        return None


def system_refusal(error: OSError, where: str) -> Problem:
    """What the operating system refused while a file was written."""
    if error.errno == errno.ENOSPC:
        return failure(error, where, "")
    name = os.path.basename(str(error.filename)) if error.filename else "not named"
    mend = "Is the folder writable, and is the file closed in other programs?"
    return Problem(f"The system refused: {error.strerror or error}. File: {name}.", where=where, mend=mend)
