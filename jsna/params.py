"""The one model of a params file: the same keys for ``jsna refresh``, ``papermill -f`` and a notebook's own cell."""

from __future__ import annotations

import json
import os
import re
import types
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from jsna.codes import all_versions, local_authority
from jsna.disclosure import Policy
from jsna.disclosure.limits import SOURCES, limit_faults, threshold_faults, zeros_faults
from jsna.errors import CodeListError, ParamsError, Problem, did_you_mean
from jsna.warehouse import ENGINE_VARIABLE, Table, Warehouse

DATA_VARIABLE = "JSNA_DATA"
FRAMES_VARIABLE = "JSNA_FRAMES"
RULES_VARIABLE = "JSNA_RULES"
PREVIOUS_VARIABLE = "JSNA_PREVIOUS"
# Keys that name a file or folder: where they lie reaches a kernel by the environment, never by the notebook.
BY_ENVIRONMENT = {"frames": FRAMES_VARIABLE, "rules": RULES_VARIABLE, "previous": PREVIOUS_VARIABLE}
FEWEST_NEIGHBOURS = 3
LOCAL_KEYS = ("pupils", "engine", "census_date", "sen2", "extracts", "schools", "postcodes", "key_file")


class Params(BaseModel):
    """What a run is about. Every key has a default: the defaults are the embedded, synthetic area."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    areas: Annotated[
        list[str],
        Field(min_length=1, description="Nine-character codes of local authorities; a pack is made for each."),
    ] = ["E06000032"]
    cycle: Annotated[str, Field(pattern=r"^[0-9]{4}(-[0-9a-z]+)*$", description="The review cycle, such as 2026.")] = (
        "2026"
    )
    source: Annotated[
        Literal["synthetic", "local", "official"],
        Field(
            description="Synthetic pupils of the embedded area, the authority's own files (`pupils`) or warehouse "
            "(`engine`), or the official files in the folder `data`."
        ),
    ] = "synthetic"
    pupils: Annotated[
        str | list[str] | Table,
        Field(description="With source: local, the School Census: files, folders or zips, or a table of a database."),
    ] = []
    engine: Annotated[
        Warehouse | None,
        Field(description="With source: local, in the place of `pupils`: an engine that counts pupils where they are."),
    ] = None
    census_date: Annotated[
        str, Field(pattern=r"^(20\d\d-\d\d-\d\d)?$", description="Day of a flat extract that does not say it.")
    ] = ""
    sen2: Annotated[str | list[str], Field(description="With source: local, SEN2 returns: files or folders.")] = []
    extracts: Annotated[
        str | list[str], Field(description="With source: local, operational extracts: files or folders.")
    ] = []
    schools: Annotated[str, Field(description="With source: local, a register of schools.")] = ""
    postcodes: Annotated[str, Field(description="With source: local, an ONS postcode directory.")] = ""
    key_file: Annotated[
        str, Field(description="With source: local, the project's key, outside the project: see `jsna init`.")
    ] = ""
    data: Annotated[
        str, Field(description=f"Folder of official files; when empty, the environment variable {DATA_VARIABLE}.")
    ] = ""
    seed: Annotated[int, Field(ge=0, lt=2**32, description="Seed of the synthetic area.")] = 2023
    scale: Annotated[
        float, Field(gt=0, le=250, description="Size of the synthetic area; 1 is about 40,000 pupils.")
    ] = 1.0
    audience: Annotated[Literal["public", "restricted"], Field(description="Who will read the pack.")] = "public"
    protection: Annotated[
        Literal["suppress", "round_5", "midpoint_6", "cell_key"],
        Field(description="How small numbers of pupils are protected: hidden, or every number changed a little."),
    ] = "suppress"
    zeros: Annotated[
        Literal["hidden", "shown"], Field(description="Whether a 0 is protected like other small numbers.")
    ] = "hidden"
    suppress_below: Annotated[
        int | dict[str, int],
        Field(description="Numbers under this are hidden; one number, or one for each of pupils, cases and lists."),
    ] = 5
    minimum_denominator: Annotated[int, Field(description="No rate is shown for a smaller group.")] = 10
    confidence: Annotated[float, Field(gt=0.5, lt=1, description="Level of the intervals.")] = 0.95
    reference_ethnicity: Annotated[
        str, Field(description="Code of the named reference group, shown beside 'all others'.")
    ] = "WBRI"
    neighbours: Annotated[
        dict[str, list[str]],
        Field(description="Sets of neighbours of your own: a name, and the codes of its areas, the nearest first."),
    ] = {}
    frames: Annotated[
        str, Field(description="File of the area's own priorities; when empty, those that come with the workbench.")
    ] = ""
    previous: Annotated[
        str, Field(description="Folder of the area's pack of the last cycle, which this one answers for.")
    ] = ""
    rules: Annotated[
        str, Field(description="File of the rules by which priorities are proposed; when empty, the workbench's own.")
    ] = ""
    chapters: Annotated[
        list[str], Field(description="Chapters that a refresh makes, such as 11-scorecard; when empty, all.")
    ] = []

    @field_validator("cycle", mode="before")
    @classmethod
    def _cycle_as_text(cls, value: Any) -> Any:
        """YAML reads an unquoted year as a number; what is meant is plain."""
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("suppress_below", mode="before")
    @classmethod
    def _threshold_may_be_asked_for(cls, value: Any, info: ValidationInfo) -> Any:
        return _without_faults(value, threshold_faults(value, info.data.get("audience")))

    @field_validator("minimum_denominator", mode="before")
    @classmethod
    def _denominator_may_be_asked_for(cls, value: Any, info: ValidationInfo) -> Any:
        return _without_faults(value, limit_faults("minimum_denominator", value, info.data.get("audience")))

    @field_validator("zeros")
    @classmethod
    def _zeros_may_be_shown(cls, value: str, info: ValidationInfo) -> str:
        return _without_faults(value, zeros_faults(value, info.data.get("audience"), info.data.get("protection")))

    @field_validator("areas")
    @classmethod
    def _known_areas(cls, codes: list[str]) -> list[str]:
        if wrong := _wrong_codes(codes):
            raise ValueError("; ".join(wrong))
        if len(set(codes)) < len(codes):
            raise ValueError("an area is named twice")
        return codes

    @field_validator("neighbours")
    @classmethod
    def _known_neighbours(cls, sets: dict[str, list[str]]) -> dict[str, list[str]]:
        wrong = [f"{name}: {fault}" for name, codes in sets.items() for fault in _wrong_set(name, codes)]
        if wrong:
            raise ValueError("; ".join(wrong))
        return sets

    @field_validator("reference_ethnicity")
    @classmethod
    def _known_group(cls, code: str) -> str:
        groups = all_versions("ethnicity")
        known = groups.loc[groups["known"] == "1", "code"].tolist()
        if code not in known:
            raise ValueError(f"not an ethnicity code. {did_you_mean(code, known)} Allowed: {', '.join(known)}")
        return code

    @model_validator(mode="after")
    def _synthetic_is_luton(self) -> Params:
        if self.source == "synthetic" and self.areas != ["E06000032"]:
            raise ValueError(
                "areas: the synthetic area is modelled on Luton, E06000032, alone. "
                "For other areas use source: official and bring the files."
            )
        return self

    @model_validator(mode="after")
    def _local_brings_pupils(self) -> Params:
        named = [k for k in LOCAL_KEYS if getattr(self, k)]
        if self.source != "local" and named:
            raise ValueError(f"{', '.join(named)}: these belong to source: local, and the source is {self.source}.")
        if self.engine and (beside := [k for k in ("pupils", "census_date") if getattr(self, k)]):
            raise ValueError(f"engine stands in the place of {' and '.join(beside)}: name the one or the other.")
        if self.engine and (self.sen2 or self.extracts) and not self.key_file:
            raise ValueError("key_file: returns and lists of persons need the project's key. Make one with `jsna init`")
        return self

    @model_validator(mode="after")
    def _nobody_is_their_own_neighbour(self) -> Params:
        """A run of several areas may share a set, each area left out of its own; what is left must be enough."""
        wrong = []
        for name, codes in self.neighbours.items():
            inside = [area for area in self.areas if area in codes]
            if inside and len(self.areas) == 1:
                wrong.append(f"neighbours: {name}: the area itself, {inside[0]}, is in the set. Take it out")
            elif inside and len(codes) <= FEWEST_NEIGHBOURS:
                wrong.append(
                    f"neighbours: {name}: without {inside[0]}, which is one of the areas, fewer than "
                    f"{FEWEST_NEIGHBOURS} neighbours are left"
                )
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def one_area(self, code: str) -> Params:
        """The same run for one of its areas, which is taken out of every set of neighbours."""
        sets = {name: [c for c in codes if c != code] for name, codes in self.neighbours.items()}
        return self.model_copy(update={"areas": [code], "neighbours": sets})

    def policy(self) -> Policy:
        """The disclosure policy of the run. Sources that ``suppress_below`` leaves out have the default."""
        named = self.suppress_below
        by_source = named if isinstance(named, dict) else {}
        default = type(self).model_fields["suppress_below"].default
        return Policy(
            self.audience,
            by_source.get("pupils", default) if isinstance(named, dict) else named,
            self.minimum_denominator,
            method=self.protection,
            zeros=self.zeros,
            thresholds={source: by_source.get(source, default) for source in SOURCES} if by_source else {},
        )

    def paths(self, key: str) -> tuple[Path, ...]:
        """The files and folders that ``key`` names. Raises one ``ParamsError`` naming every one that is not there."""
        named = getattr(self, key)
        given = [named] if isinstance(named, str) else list(named)
        found = tuple(Path(p).expanduser() for p in given if p)
        missing = [p for p in found if not p.exists()]
        if missing:
            raise ParamsError(
                *(
                    Problem(
                        "A file or folder that the params name does not exist.",
                        where=key,
                        value=p.name,
                        mend=did_you_mean(p.name, (n.name for n in p.parent.iterdir())) if p.parent.is_dir() else "",
                    )
                    for p in missing
                )
            )
        return found

    def without_places(self) -> dict[str, Any]:
        """The parameters as a notebook may carry them: without paths, addresses and names of files."""
        return (
            self.model_dump()
            | dict.fromkeys(("data", *BY_ENVIRONMENT), "")
            | {k: type(self).model_fields[k].default for k in LOCAL_KEYS}
        )

    def has_data_folder(self) -> bool:
        """Whether a folder of official files is named, here or in the environment."""
        return bool(self.data or os.environ.get(DATA_VARIABLE))

    def data_folder(self) -> Path:
        """The folder of official files. Raises ``ParamsError`` when none is named or it does not exist."""
        named = self.data or os.environ.get(DATA_VARIABLE, "")
        mend = f"Set data: in the params file, or the environment variable {DATA_VARIABLE}. See docs/own-data.md."
        if not named:
            raise ParamsError(Problem("No folder of official files is named.", where="data", mend=mend))
        folder = Path(named).expanduser()
        if not folder.is_dir():
            raise ParamsError(
                Problem("The folder of official files does not exist.", where="data", value=named, mend=mend)
            )
        return folder


def read_params(path: Path | str) -> Params:
    """The params file at ``path``, checked. Raises one ``ParamsError`` with every fault in it."""
    path = Path(path)
    if not path.is_file():
        near = did_you_mean(path.name, (p.name for p in path.parent.glob("*.yml"))) if path.parent.is_dir() else ""
        raise ParamsError(
            Problem("There is no such params file.", where=str(path), mend=near or "See params/ for examples.")
        )
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" near line {mark.line + 1}" if mark else ""
        raise ParamsError(
            Problem(
                f"The params file is not readable as YAML{line}.",
                where=str(path),
                expected='lines such as `cycle: "2026"`',
                mend=(
                    "Write paths in single quotes: in double quotes a backslash means something else."
                    if re.search(r'"[^"\n]*\\[^"\n]*"', path.read_text(encoding="utf-8", errors="replace"))
                    else "A tab, or a missing space after a colon, is the usual cause."
                ),
            )
        ) from None
    if not isinstance(content, dict):
        raise ParamsError(
            Problem("The params file holds no keys.", where=str(path), expected=", ".join(Params.model_fields))
        )
    return check_params(content, where=path.name)


def check_params(values: dict[str, Any], where: str) -> Params:
    """``values`` as ``Params``. Raises one ``ParamsError`` with every fault, each with the nearest valid name."""
    try:
        return Params(**{str(key): value for key, value in values.items()})
    except ValidationError as error:
        raise ParamsError(*(_problem(e, where) for e in error.errors())) from None


def params_of_notebook(names: dict[str, Any]) -> Params:
    """The parameters that stand in a notebook's namespace, checked.

    Call it in the first cell after the parameters cell with ``globals()``: papermill only logs a warning for a
    misspelt name, so every plain value that is not a parameter is refused here. A refresh tells where files lie by the
    environment, so that no path is written into the notebook.
    """
    plain = {
        name: value
        for name, value in names.items()
        if not name.startswith("_")
        and name not in ("In", "Out", "exit", "quit", "get_ipython", "open")
        and not callable(value)
        and not isinstance(value, types.ModuleType)
    }
    for key, variable in BY_ENVIRONMENT.items():
        if not plain.get(key) and os.environ.get(variable):
            plain[key] = os.environ[variable]
    if plain.get("engine") is None and os.environ.get(ENGINE_VARIABLE):
        plain["engine"] = json.loads(os.environ[ENGINE_VARIABLE])
    return check_params(plain, where="parameters")


def _without_faults(value: Any, faults: list[str]) -> Any:
    if faults:
        raise ValueError("; ".join(faults))
    return value


def _wrong_codes(codes: list[str]) -> list[str]:
    wrong = []
    for code in codes:
        try:
            if local_authority(code).name != code:
                wrong.append(f"{code!r} is a number; use the nine-character code {local_authority(code).name!r}")
        except CodeListError as error:
            wrong.append(str(error))
    return wrong


def _wrong_set(name: str, codes: list[str]) -> list[str]:
    wrong = _wrong_codes(codes)
    if not name.strip():
        wrong.append("the set has no name")
    if twice := sorted({c for c in codes if codes.count(c) > 1}):
        wrong.append(f"named twice: {', '.join(twice)}")
    if len(set(codes)) < FEWEST_NEIGHBOURS:
        wrong.append(f"at least {FEWEST_NEIGHBOURS} neighbours are needed, and {len(set(codes))} are named")
    return wrong


def _problem(error: Any, where: str) -> Problem:
    key = ".".join(str(part) for part in error["loc"])
    place = f"{where}, {key}" if key else where
    if error["type"] == "extra_forbidden":
        allowed = list((Warehouse if error["loc"][0] == "engine" else Params).model_fields)
        mend = did_you_mean(str(error["loc"][-1]), allowed) or f"Allowed: {', '.join(allowed)}."
        return Problem("Unknown parameter.", where=place, mend=mend)
    message = error["msg"].removeprefix("Value error, ").rstrip(".")
    hint = Params.model_fields[str(error["loc"][0])].description if error["loc"] else ""
    if error["type"] == "literal_error":
        hint = did_you_mean(str(error["input"]), re.findall(r"'([^']+)'", error["ctx"]["expected"])) or hint
    value = error["input"] if isinstance(error["input"], (str, int, float, list, bool)) else None
    if error["loc"][:1] == ("engine",) and error["loc"][-1] != "kind":
        value = None  # it may be an address that somebody wrote a password into
    return Problem(f"{message}.", where=place, value=value, mend=hint or "")
