"""A stand-in on this computer for the services that files are fetched from, with the habits and faults they have.

It speaks to loopback only and ends with its ``with`` block. ``publish`` puts something small but right for any entry of
the catalogue there; ``faults`` then spoil what is answered under an address.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import socket
import ssl
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pandas as pd

RELEASE = "11111111-aaaa-4bbb-8ccc-222222222222"
FILE = "33333333-aaaa-4bbb-8ccc-444444444444"
DATA_SET = "55555555-aaaa-4bbb-8ccc-666666666666"


@dataclass
class Layer:
    """A layer: its rows, and how its service behaves."""

    rows: list[dict]
    cap: int = 2000
    geometry: bool = False
    flag_under_properties: bool = True
    says_more: bool = True
    ignores_offset: bool = False
    count: int | None = None
    metres: bool = False
    crs: str = ""
    stops_at: int | None = None
    shapes: dict[int, dict] | None = None


@dataclass
class Fault:
    """What is answered under addresses that hold ``part``, ``times`` times (for ever when it is None)."""

    part: str
    answer: Callable[[Handler], None]
    times: int | None = None


class StandIn:
    """The server. ``files`` are addresses and bytes, ``layers`` the layers by name, ``log`` what was asked."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.files: dict[str, bytes] = {}
        self.packed: set[str] = set()
        self.layers: dict[str, Layer] = {}
        self.lists: dict[str, list[dict]] = {}
        self.answers: dict[str, dict] = {}
        self.faults: list[Fault] = []
        self.log: list[tuple[str, dict[str, str]]] = []
        self.ranges = True
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.standin = self
        if context is not None:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        scheme, host = ("https", "localhost") if context is not None else ("http", "127.0.0.1")
        self.port = self.server.server_address[1]
        self.base = f"{scheme}://{host}:{self.port}"

    def __enter__(self) -> StandIn:
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(timeout=5)

    def spoil(self, part: str, answer: Callable[[Handler], None], times: int | None = None) -> None:
        self.faults.append(Fault(part, answer, times))

    def addresses(self, catalogue) -> dict[str, str]:
        """An address here for every service of a catalogue."""
        return {name: f"{self.base}/{name}" for name in catalogue.services}

    def asked(self, part: str) -> list[dict[str, str]]:
        """The headers of the requests whose address holds ``part``."""
        return [headers for path, headers in self.log if part in path]

    def path_of(self, entry) -> str:
        """The address under which the data of an entry are."""
        return f"/{entry.service}/" + {
            "ees_data_set": f"data-sets/{DATA_SET}/csv",
            "ees_release_file": f"releases/{RELEASE}/files" + (f"/{FILE}" if getattr(entry, "data_file", "") else ""),
            "arcgis_layer": f"{getattr(entry, 'layer', '')}/FeatureServer/0",
            "direct_file": getattr(entry, "path", ""),
            "nomis_table": f"output/census/2021/census2021-{getattr(entry, 'table', '')}.zip",
        }.get(entry.kind, "")

    def publish(self, entry, rows: int = 3, **change) -> None:
        """Something small and right for an entry. ``change``: ``rename`` {old: new}, ``add`` columns, or of a layer."""
        if entry.kind == "by_hand":
            return
        rename, add = change.pop("rename", {}), change.pop("add", [])
        columns = [rename.get(c, c) for c in entry.columns if rename.get(c, c)] + add
        if entry.kind == "arcgis_layer":
            self.layers[entry.layer] = Layer(layer_rows(columns, rows), geometry=entry.geometry, **change)
            return
        self.files[self.path_of(entry)] = content(entry, columns, rows, rename)
        if entry.kind == "ees_release_file":
            place = f"/{entry.service}/publications/{entry.publication}/releases/{entry.release}"
            self.answers[f"{place}/version-summary"] = {"id": RELEASE, "title": "A release"}
            named = {"id": "x", "fileId": FILE, "filename": f"{entry.data_file}_.csv"}
            self.lists[f"/{entry.service}/data-set-files"] = [{"fileId": "y", "filename": "other.csv"}, named]
        if entry.kind == "ees_data_set":
            base = f"/{entry.service}"
            self.lists[f"{base}/publications"] = [
                *({"id": f"{i}-p", "title": f"Other {i}"} for i in range(25)),
                {"id": "9-p", "title": entry.publication},
            ]
            self.lists[f"{base}/publications/9-p/data-sets"] = [{"id": DATA_SET, "title": entry.data_set}]
            self.answers[f"{base}/data-sets/{DATA_SET}/meta"] = {"filters": [{"id": "a", "column": "sex"}]}
            self.packed.add(self.path_of(entry))


def layer_rows(columns: list[str], rows: int) -> list[dict]:
    return [
        {"OBJECTID": i + 1} | {c: f"E0{i:07d}" if c.endswith("CD") else f"{c} {i}" for c in columns}
        for i in range(rows)
    ]


def content(entry, columns: list[str], rows: int, rename: dict[str, str] | None = None) -> bytes:
    """The bytes of a file as a publisher would send them."""
    rename = rename or {}
    if entry.kind == "nomis_table":
        wide = ["date", *columns, "Age: Total", "Age: Aged 15 years and under", "Age: Aged 16 to 24 years"]
        own = [[f"E0100000{i}" if "code" in c else f"Place {i}" for c in columns] for i in range(rows)]
        return zipped({entry.member: table(wide, [["2021", *row, "30", "10", "20"] for row in own])})
    if entry.form == "zip":
        tables = {
            f"data/{rename.get(name, name)}": table(
                named := [rename.get(c, c) for c in needed], [["1"] * len(named)] * rows
            )
            for name, needed in entry.tables.items()
        }
        return zipped(tables)
    if entry.form == "xlsx":
        book = openpyxl.Workbook()
        book.active.append(["Notes"])
        sheet = book.create_sheet("Data")
        for row in [
            columns or ["A", "B"],
            *([f"E0100000{i}"] + [i + 1] * (len(columns or "AB") - 1) for i in range(rows)),
        ]:
            sheet.append(row)
        file = io.BytesIO()
        book.save(file)
        return file.getvalue()
    if entry.form == "parquet":
        file = io.BytesIO()
        pd.DataFrame({c: [str(i) for i in range(rows)] for c in columns}).to_parquet(file)
        return file.getvalue()
    return table(columns, [[str(i)] * len(columns) for i in range(rows)])


def table(columns: list[str], rows: list[list[str]]) -> bytes:
    return pd.DataFrame(rows, columns=columns).to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip whose time stamps are those of now, as of one that is packed at each request."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    timeout = 10

    def log_message(self, *_: object) -> None:
        pass

    @property
    def standin(self) -> StandIn:
        return self.server.standin

    def do_GET(self) -> None:
        self.standin.log.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for fault in self.standin.faults:
                if fault.part in self.path and fault.times != 0:
                    fault.times = None if fault.times is None else fault.times - 1
                    return fault.answer(self)
            self.answer()

    def answer(self) -> None:
        parts = urlsplit(self.path)
        query = {k: v[0] for k, v in parse_qs(parts.query).items()}
        here, place = self.standin, parts.path
        if "/FeatureServer/" in place:
            return self.layer(place, query)
        if place in here.lists:
            return self.page_of(here.lists[place], query)
        if place in here.answers:
            return self.send_json(here.answers[place])
        if place in here.files:
            return self.send_file(here.files[place], gzip.compress if place in here.packed else None)
        return self.send_json({"title": "Not Found", "status": 404}, 404)

    def page_of(self, rows: list[dict], query: dict) -> None:
        page, size = int(query.get("page", 1)), int(query.get("pageSize", 10))
        paging = {"page": page, "pageSize": size, "totalResults": len(rows), "totalPages": -(-len(rows) // size)}
        self.send_json({"paging": paging, "results": rows[(page - 1) * size : page * size]})

    def layer(self, place: str, query: dict) -> None:
        name = place.split("/FeatureServer/")[0].rsplit("/", 1)[-1]
        layer = self.standin.layers.get(name)
        if layer is None:
            return self.send_json({"error": {"code": 400, "message": "Invalid URL", "details": ["Invalid URL"]}})
        total = len(layer.rows)
        if not place.endswith("/query"):
            fields = [{"name": k} for k in layer.rows[0]]
            return self.send_json({"fields": fields, "objectIdField": "OBJECTID", "maxRecordCount": layer.cap})
        if query.get("returnCountOnly") == "true":
            return self.send_json({"count": total if layer.count is None else layer.count})
        start = 0 if layer.ignores_offset else int(query.get("resultOffset", 0))
        rows = layer.rows[: layer.stops_at][start : start + min(layer.cap, int(query["resultRecordCount"]))]
        wanted = query["outFields"].split(",")
        rows = [{k: v for k, v in row.items() if k in wanted or k == "OBJECTID"} for row in rows]
        more = layer.says_more and start + len(rows) < total
        return self.send_json(_features(layer, rows, more))

    def send_file(self, body: bytes, pack: Callable[[bytes], bytes] | None = None) -> None:
        etag = '"' + hashlib.sha256(body).hexdigest()[:16] + '"'
        if self.headers.get("If-None-Match") == etag:
            return self.send(b"", 304, {"ETag": etag})
        if pack:
            return self.send(pack(body), 200, {"Content-Encoding": "gzip", "Content-Type": "text/csv", "ETag": etag})
        asked = self.headers.get("Range", "")
        if self.standin.ranges and asked and self.headers.get("If-Range") == etag:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(body):
                return self.send(b"", 416, {"Content-Range": f"bytes */{len(body)}"})
            head = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}", "ETag": etag}
            return self.send(body[start:], 206, head)
        return self.send(body, 200, {"ETag": etag})

    def send_json(self, answer: object, status: int = 200) -> None:
        self.send(json.dumps(answer).encode(), status, {"Content-Type": "application/json"})

    def send(
        self, body: bytes, status: int = 200, headers: dict[str, str] | None = None, length: int | None = None
    ) -> None:
        """An answer; with ``length`` more bytes are promised than come, and the connection ends early."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        if length is not None:
            self.wfile.flush()
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_WR)


def _features(layer: Layer, rows: list[dict], more: bool) -> dict:
    if not layer.geometry:
        answer = {"features": [{"attributes": row} for row in rows]}
        return answer | ({"exceededTransferLimit": True} if more else {})
    point = [500000.0, 200000.0] if layer.metres else [-0.4, 51.9]
    ring = [point, [point[0] + 0.1, point[1]], [point[0] + 0.1, point[1] + 0.1], point]
    shape = {"type": "Polygon", "coordinates": [ring]}
    shapes = layer.shapes or {row["OBJECTID"]: shape for row in rows}
    features = [{"type": "Feature", "properties": row, "geometry": shapes[row["OBJECTID"]]} for row in rows]
    answer = {"type": "FeatureCollection", "features": features}
    if layer.crs:
        answer["crs"] = {"type": "name", "properties": {"name": layer.crs}}
    if more:
        flag = {"exceededTransferLimit": True}
        answer |= {"properties": flag} if layer.flag_under_properties else flag
    return answer


# Faults: each makes an answer for ``StandIn.spoil``.


def status(code: int, body: bytes = b"", headers: dict[str, str] | None = None) -> Callable[[Handler], None]:
    return lambda handler: handler.send(body, code, headers)


def page(title: str, code: int = 200, inner: str = "") -> Callable[[Handler], None]:
    body = f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{inner}</body></html>".encode()
    return status(code, body, {"Content-Type": "text/html"})


def as_json(answer: object, code: int = 200) -> Callable[[Handler], None]:
    return status(code, json.dumps(answer).encode(), {"Content-Type": "application/json"})


def cut(body: bytes, after: int, etag: str = "", code: int = 200) -> Callable[[Handler], None]:
    headers = {"ETag": etag} if etag else {}
    return lambda handler: handler.send(body[:after], code, headers, length=len(body))


def packed_and_cut(body: bytes) -> Callable[[Handler], None]:
    packed = gzip.compress(body)
    return status(200, packed[: len(packed) // 2], {"Content-Encoding": "gzip"})


def stops_talking(seconds: float) -> Callable[[Handler], None]:
    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"a,b\n")
        handler.wfile.flush()
        time.sleep(seconds)
        handler.close_connection = True

    return answer


def trickles(seconds: float) -> Callable[[Handler], None]:
    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        for _ in range(200):
            handler.wfile.write(b"1,2\n" * 16_500)
            handler.wfile.flush()
            time.sleep(seconds)

    return answer


class Proxy:
    """A proxy that lets tunnels through (or refuses them with ``refuse``) and remembers where they led."""

    def __init__(self, refuse: int | None = None) -> None:
        self.tunnels: list[str] = []
        proxy = self

        class Tunnel(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_CONNECT(self) -> None:
                proxy.tunnels.append(self.path)
                if refuse:
                    self.send_error(refuse)
                    return
                host, port = self.path.rsplit(":", 1)
                with socket.create_connection((host, int(port)), timeout=5) as far:
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.flush()
                    back = threading.Thread(target=_pump, args=(far, self.connection), daemon=True)
                    back.start()
                    _pump(self.connection, far)
                    back.join(timeout=5)
                self.close_connection = True

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Tunnel)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> Proxy:
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
