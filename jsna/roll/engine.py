"""Pupils who stay where they are: an engine counts them there, and only counts come back."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jsna.counts.counted import COUNTS
from jsna.counts.frames import REPEATED, sealed
from jsna.counts.question import Question, checked
from jsna.engines import Engine
from jsna.engines.agreement import check_agreement
from jsna.engines.held import asking
from jsna.engines.tidy import NobodyError, numbers_of
from jsna.errors import Problem, SourceError
from jsna.files.result import Summary, together
from jsna.roll.parts import is_part, part_of
from jsna.sealed import Sealed

if TYPE_CHECKING:
    from jsna.params import Warehouse

# What chapters ask of pupils; a table that lacks one of these is refused before anything is counted.
NEEDED = (
    *("la_code", "time_period", "pupil_id", "school_urn", "school_phase", "lsoa21", "ward_code", "year_group", "sex"),
    *("ethnicity", "first_language", "language_group", "fsm_eligible", "idaci_rank", "idaci_decile"),
    *("sen_provision", "primary_need", "secondary_need"),
)
PRODUCTS = {"parquet": "parquet files", "duckdb": "DuckDB", "postgresql": "PostgreSQL", "spark": "Spark"}
ASKED, TOLD, REPEATS = "asked", "told.json", "repeats"
PURPOSE = "to keep it for the other chapters of this run"


class EngineRoll:
    """As ``jsna.roll.Roll``, of one authority in a table that an engine counts.

    An answer is kept: in this process, and in ``folder`` (a run's own, for its owner alone), so that every chapter
    works from the same counts and nothing is counted twice. Raises ``SourceError`` for an engine that cannot be opened
    or cannot count, for columns that the table lacks, and for an authority of whom it holds no pupils.
    """

    rows = False

    def __init__(self, named: Warehouse, area: str, folder: Path | None = None) -> None:
        self.named, self.area, self.folder = named.found_from_anywhere(), area, folder
        self._answers: dict[str, Sealed] = {}

    @cached_property
    def summary(self) -> Summary:
        """Where the pupils are, without the address; whether they are made up, as the table or the params say."""
        made_up = self.count(Question(((), ("made_up",)))).unseal("to see whether pupils are invented")
        whole = made_up[made_up["grouping"] == ""]
        invented = made_up.loc[made_up["made_up"].eq(True).fillna(False).astype("bool"), "pupils"].sum()
        rows = int(whole["pupils"].sum())
        name = f"{self._name} ({PRODUCTS[self.named.kind]})"
        if 0 < invented < rows:
            what = "The table holds invented pupils of the workbench beside others."
            raise SourceError(
                Problem(what, name, self.area, mend="Take either out: a pack is of the one or the other.")
            )
        periods = sorted(whole["time_period"].astype("str"))
        second = self.named.checked_by
        compared = (
            [f"Counted by {PRODUCTS[second.kind]} too: every count that was asked for was the same."] if second else []
        )
        return Summary(
            source="School census, pupil level",
            file=name,
            period=f"{periods[0]} to {periods[-1]}" if len(periods) > 1 else periods[0],
            rows_read=rows,
            rows_kept=rows,
            rows_refused=0,
            publisher="The authority's own records",
            licence="Not for publication; figures leave through the disclosure gate alone",
            synthetic=bool(invented) or self.named.synthetic,
            notes=(
                "Pupils were counted where they are: their rows were not read, and not checked one by one.",
                *compared,
            ),
        )

    @property
    def quarantine(self) -> pd.DataFrame:
        """Nothing: rows were not read."""
        return together([])

    @cached_property
    def periods(self) -> tuple[str, ...]:
        whole = self.count(Question(((),))).unseal("to see which censuses there are")
        return tuple(sorted(whole["time_period"].astype("str").unique()))

    def count(self, question: Question) -> Sealed:
        name = _name_of(question)
        if name not in self._answers:
            for asked in self._asked:
                if is_part(question, asked):
                    whole = self._kept(_name_of(asked), partial(self._counted, asked)).unseal("to take a part of it")
                    return sealed(part_of(whole, asked, question))
        return self._kept(name, partial(self._counted, question))

    def repeats(self) -> Sealed:
        return self._kept(REPEATS, lambda: self._agreed(lambda engine: engine.repeats(self.area)), REPEATED)

    def _counted(self, question: Question) -> Sealed:
        def ask(engine: Engine) -> Sealed:
            have = [*engine.columns, "record_key"] if engine.kind == "parquet" else engine.columns
            checked([*NEEDED, *(["record_key"] if question.cell_keys else [])], have, engine.name)
            try:
                return engine.count(replace(question, areas=(self.area,), by_area=False))
            except NobodyError:
                if not (question.keep or question.leave_out):
                    raise
                return sealed(_nobody(question))

        answer = self._agreed(ask)
        if (question.keep or question.leave_out) and not len(answer.unseal("to see whether it counts anybody")):
            self.count(Question(((),)))  # nobody of those who are asked for, in an authority that is there
        return answer

    def _agreed(self, ask: Callable[[Engine], Sealed]) -> Sealed:
        """What the engine says, and what the one that checks it says too. Raises ``SourceError`` where they differ."""
        with asking(self.named) as engine:
            answer = ask(engine)
        if (second := self.named.checked_by) is not None:
            with asking(second) as engine:
                check_agreement(answer, ask(engine), (PRODUCTS[self.named.kind], PRODUCTS[second.kind]))
        return answer

    def put_aside(self, folder: Path) -> None:
        for name, answer in self._answers.items():
            _write(self._place(folder, name), answer)
        told = {"name": self._name, "questions": [name for name in self._answers if name != REPEATS]}
        (folder / ASKED / TOLD).write_text(json.dumps(told), encoding="utf-8")

    @cached_property
    def _name(self) -> str:
        """The table as messages call it."""
        if self._told:
            return str(self._told["name"])
        with asking(self.named) as engine:
            return engine.name

    @cached_property
    def _told(self) -> dict[str, Any]:
        """The table's name and the questions whose answers the run has put aside; nothing outside of a run."""
        told = self.folder / ASKED / TOLD if self.folder else None
        return json.loads(told.read_text(encoding="utf-8")) if told is not None and told.is_file() else {}

    @property
    def _asked(self) -> list[Question]:
        names = dict.fromkeys([*self._answers, *self._told.get("questions", ())])
        return [Question(**json.loads(name)) for name in names if name != REPEATS]

    def _kept(self, name: str, ask: Callable[[], Sealed], counts: Sequence[str] = COUNTS) -> Sealed:
        if name not in self._answers:
            place = self._place(self.folder, name) if self.folder else None
            if place is not None and place.is_file():
                self._answers[name] = Sealed(pd.read_parquet(place), counts=tuple(counts))
            else:
                self._answers[name] = ask()
                if place is not None:
                    _write(place, self._answers[name])
        return self._answers[name]

    def _place(self, folder: Path, name: str) -> Path:
        whole = json.dumps([self.named.model_dump(), self.area, name], sort_keys=True)
        return folder / ASKED / f"{hashlib.sha256(whole.encode()).hexdigest()}.parquet"


def _name_of(question: Question) -> str:
    return json.dumps(asdict(question), sort_keys=True)


def _nobody(question: Question) -> pd.DataFrame:
    """An answer without rows."""
    labels = dict.fromkeys([*question.places, *question.columns], pd.Categorical([]))
    numbers = {n: np.empty(0, "int64") for n in numbers_of(COUNTS, question.cell_keys)}
    made: dict[str, Any] = {**labels, "grouping": pd.Series(dtype="str"), **numbers}
    return pd.DataFrame(made)[[*question.places, "grouping", *question.columns, *numbers]]


def _write(path: Path, answer: Sealed) -> None:
    """Whole or not at all: another chapter may be looking for it, or writing it, at the same time."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    answer.unseal(PURPOSE).to_parquet(aside, index=False)
    aside.replace(path)
