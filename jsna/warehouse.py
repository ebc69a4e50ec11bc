"""Pupils in a database or warehouse, as a params file names them: a table that is read, or one that is counted."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from jsna.errors import Problem, WorkbenchError

if TYPE_CHECKING:
    from jsna.engines import Engine

ENGINE_VARIABLE = "JSNA_ENGINE"
"""Tells a kernel which engine to ask, so that no address is written into a notebook. No password is ever in it."""
SPARK = re.compile(r"local(\[(\d+|\*)\])?|yarn|(spark|sc)://[^\s@]+", re.IGNORECASE)


class Table(BaseModel):
    """A table of pupils in a database: ``url`` without a password, ``table``, and ``columns`` (ours: theirs)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    url: Annotated[str, Field(description="Such as postgresql://server/warehouse or duckdb:///file.duckdb.")]
    table: Annotated[str, Field(description="Its name, with a schema before it where it has one.")]
    columns: Annotated[
        dict[str, str], Field(min_length=1, description="What each column is called there, such as upn: pupil_upn.")
    ]
    where: Annotated[
        dict[str, str | int], Field(description="Only rows in which a column has this value, such as year: 2026.")
    ] = {}
    password_env: Annotated[str, Field(description="Environment variable that holds the password.")] = ""
    password_file: Annotated[str, Field(description="File whose first line is the password.")] = ""


class Warehouse(BaseModel):
    """A table of pupils that an engine counts where it is: its columns are those of docs/data-dictionary.md."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kind: Annotated[Literal["parquet", "duckdb", "postgresql", "spark"], Field(description="What counts the pupils.")]
    address: Annotated[
        str,
        Field(
            min_length=1,
            description="A file or folder of parquet; duckdb:///file.duckdb; postgresql://user@server/database; or "
            "local[2], spark://host:port, yarn or sc://host. Without a password.",
        ),
    ]
    table: Annotated[
        str,
        Field(description="The table or view, with a schema before it where it has one; not for parquet."),
    ] = ""
    password_env: Annotated[str, Field(description="Environment variable that holds the password.")] = ""
    password_file: Annotated[str, Field(description="File whose first line is the password.")] = ""
    synthetic: Annotated[bool, Field(description="Whether the pupils are invented: every page then says so.")] = False
    checked_by: Annotated[
        Warehouse | None,
        Field(description="A second engine with the same pupils, asked the same: where the two differ, the run stops."),
    ] = None

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Warehouse:
        """All faults together, none with the address, which may hold what nobody should see."""
        faults = [*self._table_faults(), *self._address_faults()]
        if self.kind != "postgresql" and (self.password_env or self.password_file):
            faults.append(f"password_env and password_file are for postgresql, and the kind is {self.kind}")
        if self.password_env and self.password_file:
            faults.append("name password_env or password_file, not both")
        if self.checked_by and self.checked_by.checked_by:
            faults.append("an engine that checks another is not checked itself: leave its checked_by out")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _table_faults(self) -> list[str]:
        if self.kind == "parquet":
            return ["parquet files have no table: leave `table` out"] if self.table else []
        return [] if self.table.strip() else [f"{self.kind} needs the name of the table"]

    def _address_faults(self) -> list[str]:
        if self.kind == "parquet":
            return ["the address of parquet is a file or a folder"] if "://" in self.address else []
        if self.kind == "spark":
            known = SPARK.fullmatch(self.address.strip())
            return [] if known else ["the address of spark is local[2], spark://host:port, yarn or sc://host"]
        from jsna.sources.database_address import address_of

        try:
            found = address_of(self.address).kind
        except WorkbenchError as error:
            return [f"address: {p.what} {p.mend}".rstrip(". ") for p in error.problems]
        return [] if found == self.kind else [f"the address is of {found}, and the kind is {self.kind}"]

    def opened(self) -> AbstractContextManager[Engine]:
        """The engine, open for reading. Raises ``SourceError``."""
        from jsna.engines import open_engine

        passwords = {"password_env": self.password_env, "password_file": self.password_file}
        return open_engine(self.kind, self.address, self.table, **passwords)

    def found_from_anywhere(self) -> Warehouse:
        """The same, with paths of files in full: kernels, and workers of a cluster, run in other folders."""
        address = self.address
        if self.kind == "parquet":
            address = _in_full(address)
        elif self.kind == "duckdb":
            from jsna.sources.database_address import address_of

            found = address_of(address)
            address = str(found.url.set(database=_in_full(str(found.file))))
        secret = _in_full(self.password_file) if self.password_file else ""
        checked_by = self.checked_by.found_from_anywhere() if self.checked_by else None
        return self.model_copy(update={"address": address, "password_file": secret, "checked_by": checked_by})

    def closed_to_us(self) -> list[Problem]:
        """What keeps this process from asking the engine, and the one that checks it; nothing where it can."""
        problems: list[Problem] = []
        for named in (self, self.checked_by):
            try:
                if named is not None:
                    with named.opened() as engine:
                        _ = engine.columns
            except WorkbenchError as error:
                problems += error.problems
        return problems


def _in_full(path: str) -> str:
    return str(Path(path).expanduser().resolve())
