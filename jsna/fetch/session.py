"""Whose certificates are believed, and a web session that gives nothing away."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import requests
import truststore
from requests.adapters import HTTPAdapter

from jsna.errors import Problem
from jsna.fetch.errors import FetchError

BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def new_session() -> requests.Session:
    """A session that trusts what the operating system trusts and the bundles that the environment names.

    Raises ``FetchError`` when a variable names a bundle that is not there or holds no certificate.
    """
    session = requests.Session()
    session.mount("https://", _TrustingAdapter(trust()))
    session.headers.update({"User-Agent": "jsna-workbench (open data)"})
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.auth = lambda request: request  # keeps requests from looking up passwords in a netrc file
    return session


def trust(environment: Mapping[str, str] | None = None) -> ssl.SSLContext:
    """Whose certificates are believed: the system's store and the bundles named in ``BUNDLE_VARIABLES``."""
    environment = os.environ if environment is None else environment
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for variable in BUNDLE_VARIABLES:
        bundle = environment.get(variable, "")
        if not bundle:
            continue
        try:
            folder = Path(bundle).is_dir()
            context.load_verify_locations(capath=bundle) if folder else context.load_verify_locations(cafile=bundle)
        except (OSError, ssl.SSLError):
            mend = "Ask your IT service for the certificate as a PEM file, or clear the variable."
            what = "The certificate file that this variable names is missing or holds no certificate."
            raise FetchError(Problem(what, where=variable, value=bundle, mend=mend)) from None
    return context


class _TrustingAdapter(HTTPAdapter):
    """Hands one TLS context to direct connections and to those through a proxy."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, ssl_context=self._context, **options)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, ssl_context=self._context, **options)
