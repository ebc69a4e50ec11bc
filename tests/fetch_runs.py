"""How tests of fetching run it: against the stand-in, with few rows, without waiting, from a plain environment."""

from __future__ import annotations

from datetime import date

from fetch_server import StandIn

from jsna.fetch.catalogue import Catalogue, catalogue
from jsna.fetch.http import Client, Limits
from jsna.fetch.run import Outcome, fetch_all

FIRST, LATER = date(2026, 6, 1), date(2026, 11, 25)
VARIABLES = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "SSL_CERT_FILE",
)


def without_network_settings(monkeypatch) -> None:
    """No proxy and no certificate of the computer that runs the tests."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def small(server: StandIn, least: int = 1, megabytes: int = 256) -> Catalogue:
    """The catalogue at the stand-in, content with few rows."""
    here = catalogue().elsewhere(server.addresses(catalogue()))
    change = {"least_rows": least, "largest_megabytes": megabytes}
    return here.model_copy(update={"files": {k: e.model_copy(update=change) for k, e in here.files.items()}})


def client(waits: list | None = None, **limits) -> Client:
    """A client that notes its waits instead of waiting."""
    given = {"connect": 2, "read": 2, "whole": 20, "attempts": 3, "first_wait": 0, "longest_wait": 60} | limits
    return Client(Limits(**given), sleep=(waits if waits is not None else []).append)


def fetch(server: StandIn, folder, *keys, today=FIRST, known=None, by=None) -> dict[str, Outcome]:
    known = known or small(server)
    return {o.key: o for o in fetch_all(known.chosen(keys), known, folder, by or client(), today)}


def said(outcome: Outcome) -> str:
    """The problems as text, after what holds for every one of them: they name the file and a mend."""
    assert outcome.problems
    for problem in outcome.problems:
        assert problem.where.startswith(f"{outcome.key} ("), f"the message does not name the file: {problem}"
        assert problem.mend, f"the message says no mend: {problem}"
        assert "Traceback" not in str(problem)
    return "\n".join(str(p) for p in outcome.problems)


def services(server: StandIn) -> list[str]:
    """The words of the command line that name the stand-in for every service."""
    return [w for name, address in server.addresses(catalogue()).items() for w in ("--service", f"{name}={address}")]
