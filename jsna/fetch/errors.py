"""What can go wrong with one file. Nothing here stops the other files: the command collects these and goes on."""

from __future__ import annotations

from jsna.errors import WorkbenchError


class FetchError(WorkbenchError):
    """A file could not be had, or what came is not the publisher's data."""


class SchemaError(FetchError):
    """The publisher's file came whole, but its columns are no longer those that the readers need."""

    exit_code = 1


class CatalogueError(WorkbenchError):
    """The catalogue, a key or a service named on the command line cannot be used."""
