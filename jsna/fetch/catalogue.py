"""Which official files there are to fetch, and from where: ``catalogue.yml``, checked when it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from jsna.errors import Problem, did_you_mean
from jsna.fetch.errors import CatalogueError

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Service(_Strict):
    """A publisher's service: its ``name`` in sentences and the one base ``address`` of all its files."""

    name: Annotated[str, Field(min_length=1)]
    address: str

    @field_validator("address")
    @classmethod
    def _usable(cls, address: str) -> str:
        return checked_address(address)


class _File(_Strict):
    """What every entry says. ``columns`` are the publisher's names with the readers' names for them."""

    key: str
    title: Annotated[str, Field(min_length=1)]
    publisher: Annotated[str, Field(min_length=1)]
    licence: Literal["Open Government Licence v3.0"] = "Open Government Licence v3.0"
    service: str
    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*\.(zip|csv|xlsx|parquet)$")]
    columns: dict[str, str] = {}
    least_rows: Annotated[int, Field(ge=1)]
    largest_megabytes: Annotated[int, Field(ge=1, le=4096)] = 256
    chapters: bool
    checked: bool
    basis: Annotated[str, Field(min_length=1, description="What the address rests on.")]

    @field_validator("columns", mode="before")
    @classmethod
    def _same_names(cls, columns: Any) -> Any:
        """A plain list means that the readers use the publisher's names."""
        return {c: c for c in columns} if isinstance(columns, list) else columns

    @property
    def form(self) -> str:
        """The ending of the file that the readers get: zip, csv, xlsx or parquet."""
        return PurePosixPath(self.file).suffix[1:]

    @property
    def where(self) -> str:
        """How messages call this file."""
        return f"{self.key} ({self.file})"


class EesDataSet(_File):
    """A data set of the public API of Explore Education Statistics, found by titles and never by a stored id."""

    kind: Literal["ees_data_set"]
    publication: str
    data_set: str
    filters: list[str] = []


class EesReleaseFile(_File):
    """The zip of all data of a release, or with ``data_file`` one CSV of the data catalogue.

    ``tables`` are the CSVs that a zip must hold, each with the columns that are needed of it.
    """

    kind: Literal["ees_release_file"]
    publication: str
    release: str
    data_file: str = ""
    tables: dict[str, list[str]] = {}


class ArcgisLayer(_File):
    """A layer of the Open Geography Portal: a table, or with ``geometry`` shapes in degrees (EPSG:4326)."""

    kind: Literal["arcgis_layer"]
    layer: str
    number: Annotated[int, Field(ge=0)] = 0
    rows_where: str = "1=1"
    geometry: bool = False


class DirectFile(_File):
    """A file at a fixed path of a service. ``headings: false`` means that its first row does not name columns."""

    kind: Literal["direct_file"]
    path: str
    headings: bool = True


class NomisTable(_File):
    """A bulk table of the Census 2021: one CSV (``member``) of the table's zip.

    ``starts`` keeps the rows whose code begins so. With ``long`` the columns of counts become rows: their names,
    without what stands before the last ": ", under its first name, and their values under its second.
    """

    kind: Literal["nomis_table"]
    table: Annotated[str, Field(pattern=r"^ts[0-9]{3}[a-z]?$")]
    member: str
    starts: str = ""
    long: tuple[str, str] | None = None


class ByHand(_File):
    """A file that has no lasting address: ``how`` to get it from the publisher's ``page`` and bring it."""

    kind: Literal["by_hand"]
    page: str
    how: str


Entry = Annotated[
    EesDataSet | EesReleaseFile | ArcgisLayer | DirectFile | NomisTable | ByHand,
    Field(discriminator="kind"),
]


class Catalogue(_Strict):
    """All services by name and all entries by key."""

    services: dict[str, Service]
    files: dict[str, Entry]

    @model_validator(mode="after")
    def _consistent(self) -> Catalogue:
        unknown = [
            f"{e.key}: no service {e.service!r}. {did_you_mean(e.service, self.services)}".strip()
            for e in self.files.values()
            if e.service not in self.services
        ]
        names = [e.file for e in self.files.values()]
        twice = sorted({f"two entries make {n}" for n in names if names.count(n) > 1})
        if unknown or twice:
            raise ValueError("; ".join(unknown + twice))
        return self

    def address(self, entry: _File) -> str:
        """The base address of the entry's service, without a closing slash."""
        return self.services[entry.service].address.rstrip("/")

    def chosen(self, keys: Sequence[str]) -> list[Any]:
        """The entries named, or without names all that the chapters need. Raises ``CatalogueError`` for unknown ones.

        >>> [e.key for e in catalogue().chosen(["idaci"])]
        ['idaci']
        """
        wrong = [k for k in keys if k not in self.files]
        if wrong:
            raise CatalogueError(
                *(
                    Problem(
                        "The catalogue has no such file.",
                        value=k,
                        mend=did_you_mean(k, self.files) or "`jsna fetch --list` shows all keys.",
                    )
                    for k in wrong
                )
            )
        return [self.files[k] for k in dict.fromkeys(keys)] or [e for e in self.files.values() if e.chapters]

    def elsewhere(self, addresses: Mapping[str, str]) -> Catalogue:
        """The same catalogue with other base addresses for some services: a mirror, or a stand-in for tests.

        Raises ``CatalogueError`` when a service is not known or an address cannot be used.
        """
        problems, moved = [], dict(self.services)
        for name, address in addresses.items():
            if name not in self.services:
                mend = did_you_mean(name, self.services) or f"Services: {', '.join(self.services)}."
                problems.append(Problem("There is no such service.", where="--service", value=name, mend=mend))
                continue
            try:
                moved[name] = Service(name=self.services[name].name, address=address)
            except ValidationError:
                expected = "https://…, or http://… on this computer"
                problems.append(
                    Problem("The address cannot be used.", where=f"--service {name}", value=address, expected=expected)
                )
        if problems:
            raise CatalogueError(*problems)
        return self.model_copy(update={"services": moved})


def checked_address(address: str) -> str:
    """``address`` when it is https, or http on this very computer; a ``ValueError`` otherwise.

    Anyone on the way can change what comes over plain http, and a stored password does not belong into an address.
    """
    parts = urlsplit(address)
    plain_at_home = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not parts.hostname or parts.username or not (parts.scheme == "https" or plain_at_home):
        raise ValueError("an address begins with https:// and names no user")
    return address


@cache
def catalogue() -> Catalogue:
    """The catalogue that comes with the workbench."""
    return read_catalogue(Path(str(files("jsna.fetch").joinpath("catalogue.yml"))))


def read_catalogue(path: Path) -> Catalogue:
    """A catalogue file, checked. Raises one ``CatalogueError`` with every fault in it."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or not isinstance(content.get("files"), dict):
            raise CatalogueError(Problem("The catalogue has no files.", where=path.name))
        entries = {key: {"key": key, **entry} for key, entry in content["files"].items()}
        return Catalogue.model_validate({**content, "files": entries})
    except (yaml.YAMLError, TypeError):
        raise CatalogueError(Problem("The catalogue is not readable as YAML.", where=path.name)) from None
    except ValidationError as error:
        raise CatalogueError(*(_problem(e, path.name) for e in error.errors())) from None


def _problem(error: Any, where: str) -> Problem:
    # The kind of an entry stands in pydantic's path after its key; a reader of the file does not see it there.
    place = [str(p) for p in error["loc"] if p not in ("ees_data_set", "ees_release_file", *_OTHER_KINDS)]
    value = error["input"] if isinstance(error["input"], (str, int, bool)) else None
    return Problem(f"{error['msg'].removeprefix('Value error, ')}.", where=", ".join([where, *place]), value=value)


_OTHER_KINDS = ("arcgis_layer", "direct_file", "nomis_table", "by_hand")
