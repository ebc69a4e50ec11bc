"""The networks of offices: certificates, proxies, names, redirects; and what the command says of it all."""

import re
import socket
import ssl

import pytest
import trustme
from fetch_runs import FIRST, client, fetch, said, services, small, without_network_settings
from fetch_server import Proxy, StandIn, page, status

from jsna.cli import main
from jsna.fetch.catalogue import catalogue
from jsna.fetch.errors import FetchError
from jsna.fetch.run import fetch_all
from jsna.fetch.session import trust


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    without_network_settings(monkeypatch)


@pytest.fixture
def server():
    with StandIn() as running:
        yield running


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def secure(authority, name="localhost"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return StandIn(context)


@pytest.fixture
def bundle(authority, tmp_path):
    path = tmp_path / "office-ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


def test_a_certificate_of_an_office_is_named_and_its_bundle_mends_it(authority, bundle, tmp_path, monkeypatch):
    with secure(authority) as server:
        server.publish(small(server).files["idaci"])
        text = said(fetch(server, tmp_path / "a", "idaci")["idaci"])
        assert "signed by nobody whom this computer trusts" in text
        assert "REQUESTS_CA_BUNDLE" in text
        for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            with monkeypatch.context() as environment:
                environment.setenv(variable, str(bundle))
                assert fetch(server, tmp_path / variable, "idaci")["idaci"].status == "fetched"


def test_a_certificate_of_another_name(authority, bundle, tmp_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with secure(authority, "other.example") as server:
        assert "belongs to another name" in said(fetch(server, tmp_path, "idaci")["idaci"])


@pytest.mark.parametrize("kind", ["missing", "not a certificate"])
def test_a_bundle_that_cannot_be_used(tmp_path, kind):
    path = tmp_path / "ca.pem"
    if kind != "missing":
        path.write_text("hello", encoding="utf-8")
    with pytest.raises(FetchError, match=r"REQUESTS_CA_BUNDLE.*missing or holds no certificate"):
        trust({"REQUESTS_CA_BUNDLE": str(path)})


@pytest.mark.parametrize("bypass", [False, True], ids=["through the proxy", "NO_PROXY"])
def test_the_proxy_of_the_environment_is_used_unless_no_proxy_says_so(authority, bundle, tmp_path, monkeypatch, bypass):
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    with secure(authority) as server, Proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.address)
        monkeypatch.setenv("NO_PROXY", "localhost" if bypass else "")
        server.publish(small(server).files["idaci"])
        assert fetch(server, tmp_path, "idaci")["idaci"].status == "fetched"
        assert proxy.tunnels == ([] if bypass else [f"localhost:{server.port}"])


@pytest.mark.parametrize(
    ("code", "words"),
    [(407, "wants a user name and password"), (403, r"does not let us through to localhost \(403\)")],
)
def test_a_proxy_that_refuses_is_named_without_its_password(authority, tmp_path, monkeypatch, code, words):
    with secure(authority) as server, Proxy(refuse=code) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.address.replace("://", "://me:secret@"))
        text = said(fetch(server, tmp_path, "idaci")["idaci"])
    assert re.search(words, text)
    assert "secret" not in text


def test_a_proxy_that_is_not_there(tmp_path, monkeypatch, authority):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@127.0.0.1:{port}")
        with secure(authority) as server:
            text = said(fetch(server, tmp_path, "idaci")["idaci"])
    assert f"The proxy 127.0.0.1:{port} cannot be reached" in text
    assert "secret" not in text


def test_a_server_that_is_not_there(tmp_path):
    with StandIn() as gone:
        known = small(gone)
    assert "127.0.0.1 cannot be reached" in said(fetch(gone, tmp_path, "idaci", known=known)["idaci"])


def test_a_name_that_cannot_be_looked_up(tmp_path, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    known = catalogue().elsewhere({"govuk": "https://publisher.invalid"})
    outcome = next(iter(fetch_all(known.chosen(["idaci"]), known, tmp_path, client(), FIRST)))
    assert "publisher.invalid cannot be looked up" in said(outcome)
    assert "HTTPS_PROXY" in said(outcome)


def test_a_redirect_to_another_https_host_is_followed_and_told(authority, bundle, tmp_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with secure(authority) as server, secure(authority, "127.0.0.1") as far:
        entry = small(server).files["idaci"]
        far.publish(entry)
        target = f"https://127.0.0.1:{far.port}{far.path_of(entry)}"
        server.spoil("File_3", status(302, b"", {"Location": target}))
        outcome = fetch(server, tmp_path, "idaci")["idaci"]
    assert outcome.status == "fetched"
    assert "sent on to 127.0.0.1" in outcome.words


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_command_reports_all_problems_at_the_end_and_the_worst_code(server, tmp_path, capsys):
    for entry in catalogue().files.values():
        server.publish(entry, rows=200)
    server.spoil("bds_long", page("Blocked"))
    words = ["fetch", "neighbours", "lait", "idaci", "low_income", "--into", str(tmp_path), *services(server)]
    assert main(words) == 2
    told = capsys.readouterr()
    assert [line.split(":")[0] for line in told.out.splitlines()] == ["neighbours", "lait", "idaci", "low_income"]
    assert "neighbours: 201 rows" in told.out
    assert "'Blocked'" in told.err
    assert "at least 33,755" in told.err
    assert "save its sheet 4_AHC_Relative_Ward" in told.err
    assert "Traceback" not in told.err


def test_the_command_says_where_the_folder_is_when_all_is_well(server, tmp_path, capsys):
    server.publish(catalogue().files["neighbours"], rows=200)
    assert main(["fetch", "neighbours", "--into", str(tmp_path), *services(server)]) == 0
    assert "data:" in capsys.readouterr().out
    assert main(["fetch", "neighbours", "--offline", "--into", str(tmp_path)]) == 0


def test_a_problem_that_all_share_is_said_once(tmp_path, capsys):
    assert main(["fetch", "--offline", "--into", str(tmp_path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "idaci" in lines[0]
    assert "low_income" in lines[1]


def test_offline_connects_to_nothing(tmp_path, monkeypatch):
    def refused(*_, **__):
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket, "socket", refused)
    monkeypatch.setattr(socket, "create_connection", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    assert main(["fetch", "--offline", "--into", str(tmp_path)]) == 2
    assert main(["fetch", "--list"]) == 0


def test_ctrl_c_says_that_it_can_be_gone_on_with(tmp_path, capsys, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("jsna.fetch.run.verify_all", stopped)
    assert main(["fetch", "--offline", "--into", str(tmp_path)]) == 2
    assert "run the command again to go on" in capsys.readouterr().err


def test_a_source_that_stands_twice_is_told(server, tmp_path, capsys):
    server.publish(catalogue().files["neighbours"], rows=200)
    (tmp_path / "sn_may_2025.xlsx").write_text("mine", encoding="utf-8")
    main(["fetch", "neighbours", "--into", str(tmp_path), *services(server)])
    assert "more than once, and only the first is read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["idacci"], "Did you mean 'idaci'"),
        (["--service", "govukk=https://a.example"], "Did you mean 'govuk'"),
        (["--service", "govuk"], "NAME=ADDRESS"),
        (["--service", "govuk=http://mirror.example"], "address cannot be used.*https"),
        (["--service", "govuk=ftp://mirror.example"], "address cannot be used"),
        (["--service", "govuk=https://me:secret@mirror.example"], "address cannot be used"),
    ],
    ids=["key", "service", "no address", "plain http", "ftp", "password"],
)
def test_a_wrong_request(tmp_path, capsys, words, expected):
    assert main(["fetch", *words, "--into", str(tmp_path)]) == 2
    assert re.search(expected, capsys.readouterr().err)
