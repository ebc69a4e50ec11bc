"""What the chapters will ask of an engine, asked before they run."""

from __future__ import annotations

from functools import cache

from jsna.area import Area
from jsna.counts.question import Question
from jsna.errors import Problem, SourceError
from jsna.files.packaged import packaged_yaml
from jsna.sources.homes import UNKNOWN_WARD


@cache
def asked() -> dict[str, list[list[list[str]]]]:
    """The questions, as ``asked.yml`` lists them."""
    return packaged_yaml("jsna.refresh", "asked.yml")


def ask_ahead(area: Area) -> None:
    """Ask the engine that counts the area's pupils for all that its chapters will want; the ``roll`` keeps the answers.

    Raises ``SourceError`` where the engine fails: nothing has been made by then.
    """
    from geo.places import AREA_CODE

    for groupings in asked()["questions"]:
        area.roll.count(Question(tuple(map(tuple, groupings)), cell_keys=area.keyed))
    _check_wards(area)
    _ = area.repeats
    if area.homes_elsewhere:
        area.count_elsewhere()
    if area.code == AREA_CODE:
        for groupings in asked()["at_home"]:
            area.count_at_home(*groupings)


def _check_wards(area: Area) -> None:
    """Homes in other authorities are of unknown ward; a table that names their wards would make them the area's own."""
    from geo.places import AREA_CODE

    told = area.roll.count(Question((("ward_code",),))).unseal("to see which wards the table names")
    named = set(told["ward_code"].astype("str")) - {UNKNOWN_WARD}
    if area.code == AREA_CODE:
        strange = named - set(area.wards["ward_code"])
    elif area.params.has_data_folder():
        placed = area.official.lsoa_ward().frame
        strange = named & set(
            placed.loc[~placed["district_code"].isin(area.official.districts_of(area.code)), "ward_code"]
        )
    else:
        strange = set()
    if strange:
        what = "The pupil table names wards that are not the authority's."
        mend = f"Write {UNKNOWN_WARD} as the ward of homes elsewhere: docs/data-dictionary.md."
        raise SourceError(Problem(what, area.roll.summary.file, ", ".join(sorted(strange)[:3]), mend=mend))
