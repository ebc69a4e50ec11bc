"""An area, opened: its name, what data it brings, and its counts. The one object that a chapter starts from."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from jsna.codes import local_authority
from jsna.counts.question import DERIVED, Question
from jsna.disclosure import PackPattern, Policy
from jsna.errors import Problem, SourceError
from jsna.files.result import Loaded
from jsna.params import Params
from jsna.sealed import Sealed

if TYPE_CHECKING:
    from jsna.evidence.values import Values
    from jsna.evidence.voice import Voice
    from jsna.roll import Roll
    from jsna.sources.pupil_table import PupilTable

CACHE_VARIABLE = "JSNA_CACHE"
NOWHERE = "nowhere"
T = TypeVar("T")


@dataclass(frozen=True)
class Area:
    """One local authority in one run.

    ``brings`` says what it has: ``pupils`` (one row a pupil a census), ``cases`` (one row a request for an EHC needs
    assessment) or ``official`` (the folder of official files). Nothing is read before it is asked for. ``made_up``:
    whether the pupils of its own files are invented, where that is known from reading the same files before.
    """

    params: Params
    made_up: bool | None = None

    @property
    def code(self) -> str:
        return self.params.areas[0]

    @property
    def name(self) -> str:
        return str(local_authority(self.code)["name"])

    @property
    def region_code(self) -> str:
        return str(local_authority(self.code)["region_code"])

    @property
    def region_name(self) -> str:
        return str(local_authority(self.code)["region_name"])

    @property
    def local(self) -> bool:
        """Whether the pupils come from files or a database of the authority."""
        return self.params.source == "local"

    @property
    def synthetic(self) -> bool:
        """Whether the pupils are invented; the workbench's own files stay so when they are brought as local ones."""
        if self.local:
            return bool(self.roll.summary.synthetic if self.made_up is None else self.made_up)
        return self.params.source == "synthetic"

    @cached_property
    def brings(self) -> tuple[str, ...]:
        if self.params.source == "official":
            return ("official",)
        return ("pupils", "cases") if not self.local or self._local_cases is not None else ("pupils",)

    @property
    def label(self) -> str:
        """The name as it stands on every page: a synthetic area always says so, and a pack for named readers alone."""
        marks = [w for w, true in (("synthetic", self.synthetic), ("restricted", self.restricted)) if true]
        return f"{self.name} ({', '.join(marks)})" if marks else self.name

    @property
    def restricted(self) -> bool:
        """Whether the pack is for named readers under an agreement, and not to be passed on."""
        return self.params.audience == "restricted"

    @property
    def slug(self) -> str:
        """The name of the area's folder of packs: neither a synthetic nor a restricted one lies where others do."""
        return re.sub(r"[^a-z0-9]+", "-", self.label.casefold()).strip("-")

    @cached_property
    def policy(self) -> Policy:
        """What may leave; for an area with pupils, with what is hidden over all tables of its pack at once."""
        policy = self.params.policy()
        if "pupils" not in self.brings or policy.method != "suppress":
            return policy
        return replace(policy, pattern=self.pattern)

    @cached_property
    def pattern(self) -> PackPattern:
        """Which counts of the pack are hidden: as the run has put it aside, or made from the counts."""
        from jsna.linked.pattern import pattern_of
        from jsna.local import kept_pattern

        return kept_pattern() or pattern_of(self, self.params.policy())

    @property
    def protection(self) -> str:
        """What is hidden, in words: published figures stand as they were published."""
        if "official" in self.brings:
            return "Official figures stand as they were published; no rate is shown for a very small group."
        return self.params.policy().sentence()

    @property
    def pupil_source(self) -> str:
        if self.local:
            made_up = "synthetic pupils of the workbench, " if self.synthetic else ""
            return f"School census of January, {made_up}as held by {self.name}"
        return (
            f"Synthetic pupils of the workbench (seed {self.params.seed}), calibrated to published figures for "
            f"{self.name}; January school census layout"
        )

    @cached_property
    def pupils(self) -> Loaded:
        """The canonical pupil table with its quarantine and summary.

        Raises ``SourceError`` where pupils are counted by an engine: ask the ``roll``.
        """
        from jsna.synthetic import load_pupils

        if self.params.engine:
            what = "The rows of pupils stay where they are counted."
            raise SourceError(Problem(what, where="engine", mend="Name files in `pupils` instead: docs/own-data.md."))
        if self.local:
            from jsna.local import kept

            return kept("pupils") or self.pupil_table.loaded
        return load_pupils(self.params.seed, self.params.scale, cache_folder(), self.params.cycle)

    @cached_property
    def roll(self) -> Roll:
        """The pupils, as far as one may ask of them, wherever they are counted."""
        from jsna.local import prepared_folder
        from jsna.roll import EngineRoll, FrameRoll

        if self.params.engine:
            return EngineRoll(self.params.engine, self.code, prepared_folder())
        return FrameRoll(self.pupils)

    @cached_property
    def pupil_table(self) -> PupilTable:
        """The pupils of an authority's own files, with what a person should look at."""
        from jsna.local import pupils_of

        return pupils_of(self.params)

    @cached_property
    def ehc_cases(self) -> Loaded:
        """Requests for EHC needs assessments, one row a case. Raises ``SourceError`` where the area brings none."""
        from jsna.synthetic import load_ehc_cases

        if self.local:
            if self._local_cases is None:
                raise SourceError(Problem("No cases are named.", where="sen2", mend="See docs/own-data.md."))
            return self._local_cases
        return load_ehc_cases(self.params.seed, self.params.scale, cache_folder(), self.params.cycle)

    @cached_property
    def _local_cases(self) -> Loaded | None:
        from jsna.local import cases_of, kept, prepared

        return kept("cases") if prepared() else cases_of(self.params)

    @cached_property
    def wards(self) -> pd.DataFrame:
        """``ward_code`` and ``label`` of the wards, by name; a name that two districts have bears its district."""
        from geo.places import AREA_CODE, embedded_lsoas

        if self.code == AREA_CODE:
            wards = embedded_lsoas()[["ward_code", "ward_name"]].rename(columns={"ward_name": "label"})
        elif self.params.engine:
            wards = self._wards_of_the_roll
        else:
            placed, names = self.official.lsoa_ward().frame, self.official.ward_names().frame
            own = placed[placed["district_code"].isin(self.official.districts_of(self.code))]
            wards = own[["ward_code", "district_code"]].drop_duplicates("ward_code")
            wards = wards.merge(names.drop_duplicates("ward_code"), on="ward_code", how="left")
            districts = self.official.la_codes().frame.drop_duplicates("la").set_index("la")["la_name"]
            again = wards["ward_name"].duplicated(keep=False)
            longer = wards["ward_name"] + " (" + wards["district_code"].map(districts) + ")"
            wards = wards.assign(label=wards["ward_name"].mask(again, longer))[["ward_code", "label"]]
        return wards.drop_duplicates().sort_values("label", kind="stable").reset_index(drop=True)

    @cached_property
    def official(self):
        """The folder of official files."""
        from jsna.sources.folder import OfficialFolder

        return OfficialFolder(self.params.data_folder())

    @cached_property
    def voice(self) -> Voice:
        """What families, young people and practitioners said, and the audits of plans; empty where none was brought."""
        from jsna.evidence.voice import voice_lists, voice_of

        return voice_of(voice_lists(self))

    @cached_property
    def values(self) -> Values:
        """Values of the catalogue's indicators: official where official files are at hand, the area's own of its rows.

        Of a local area whose params name a folder ``data`` both, told apart by ``origin``.
        """
        from jsna.evidence.values import both, official_values

        if "pupils" not in self.brings:
            return official_values(self.official, self.params.confidence)
        from jsna.evidence.local_values import local_values

        own = local_values(self)
        if self.local and self.params.has_data_folder():
            return both(official_values(self.official, self.params.confidence), own)
        return own

    @cached_property
    def _wards_of_the_roll(self) -> pd.DataFrame:
        """The wards that the pupil table names: by their names where a lookup knows them, else by their codes."""
        from jsna.sources.homes import UNKNOWN_WARD

        counted = self.roll.count(Question((("ward_code",),))).unseal("to see which wards there are")
        codes = [w for w in counted["ward_code"].astype("str").unique() if w != UNKNOWN_WARD]
        names = pd.Series(dtype="str")
        if self.params.has_data_folder():
            names = self.official.ward_names().frame.drop_duplicates("ward_code").set_index("ward_code")["ward_name"]
        return pd.DataFrame({"ward_code": codes, "label": [str(names.get(c, c)) for c in codes]}, dtype="str")

    @cached_property
    def periods(self) -> tuple[str, ...]:
        """The censuses at hand, oldest first, as time periods such as 202526."""
        return self.roll.periods

    def count(self, *groupings: Sequence[str]) -> Sealed:
        """Sealed counts by each of ``groupings``, as the policy lets them be shown: changed a little, if it says so.

        Columns are of the pupil table, or ``idaci_quintile`` (1 the most deprived).
        """
        asked = tuple(tuple(grouping) for grouping in groupings)
        return self.once(("count", *asked), lambda: self._as_shown(Question(asked)))

    def once(self, name: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` gives, worked out the first time that this area is asked for it under ``name``.

        For what nobody changes afterwards: sealed counts, frozen results.
        """
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    @cached_property
    def _made(self) -> dict[Hashable, Any]:
        return {}

    def _as_shown(self, question: Question) -> Sealed:
        policy = self.params.policy()
        if policy.method == "suppress":
            return self.roll.count(question)
        from jsna.disclosure.perturbation import perturbed

        counts = self.roll.count(replace(question, cell_keys=self.keyed))
        return perturbed(counts, policy.method, zeros=policy.zeros, within="pupils")

    def count_at_home(self, *groupings: Sequence[str]) -> Sealed:
        """True sealed counts of the pupils whose home is in a ward of the area: for maps and tables by small area.

        With the keys of their cells where the policy changes counts by these: the chapter changes what it shows.
        """
        asked = tuple(tuple(grouping) for grouping in groupings)
        return self.roll.count(Question(asked, keep=self._homes, cell_keys=self.keyed))

    def count_elsewhere(self) -> Sealed:
        """As ``count_at_home``, of all other pupils together."""
        return self.roll.count(Question(((),), leave_out=self._homes, cell_keys=self.keyed))

    @property
    def keyed(self) -> bool:
        """Whether the policy changes counts by the keys of their cells."""
        return self.params.policy().method == "cell_key"

    @property
    def _homes(self) -> dict[str, list[str]]:
        """The wards of the area, as a filter; of an area that knows none, one that nobody lives in."""
        return {"ward_code": self.wards["ward_code"].tolist() or [NOWHERE]}

    @cached_property
    def homes_elsewhere(self) -> int:
        """How many pupils of the latest census live in no ward of the area, or nobody knows where."""
        question = Question((("ward_code",),), keep={"time_period": [self.periods[-1]]})
        latest = self.roll.count(question).unseal("to see whether anybody lives elsewhere")
        return int(latest.loc[~latest["ward_code"].isin(self.wards["ward_code"]), "pupils"].sum())

    def cells(self, *columns: str) -> Sealed:
        """Sealed counts by census, each pupil's latest school, whether it is special, and ``columns``: for models.

        ``columns`` are of the pupil table, or ``idaci_quintile`` (1 the most deprived).
        """
        return self.roll.count(Question((("latest_school", "special", *dict.fromkeys(columns)),)))

    def strata_counts(self, by: Sequence[str], leave_out: Mapping[str, Sequence[str]]) -> Sealed:
        """Sealed counts of the latest census by ``by``, without the groups that ``leave_out`` names for a column."""
        left = {column: [_value(column, code) for code in codes] for column, codes in leave_out.items()}
        return self._as_shown(Question((tuple(by),), keep={"time_period": [self.periods[-1]]}, leave_out=left))

    @cached_property
    def repeats(self) -> Sealed:
        """Sealed counts of pupils who stand in two censuses."""
        return self.roll.repeats()


def _value(column: str, code: str) -> str | int:
    """A code as the column holds it: some columns are of whole numbers."""
    from jsna.sources.schema import COLUMNS

    whole = {c.name for c in COLUMNS if c.kind == "whole"} | {c for c, d in DERIVED.items() if d.kind == "whole"}
    return int(code) if column in whole else code


def cache_folder() -> Path:
    """Where synthetic areas are kept between runs: beside the project, or where JSNA_CACHE says."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else Path(__file__).resolve().parents[1] / ".jsna_cache"


def period_name(time_period: str) -> str:
    """A time period as people write it.

    >>> period_name("202526")
    'January 2026'
    >>> period_name("2024")
    '2024'
    """
    return f"January {time_period[:2]}{time_period[4:]}" if len(time_period) == 6 else time_period
