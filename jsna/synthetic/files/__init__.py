"""The synthetic area in the forms that an analyst meets, clean or with planted defects.

The writers follow the specification of the formats, not the readers of the workbench, so that each checks the other:
what is written must be read back equal. Nothing in these files is about a real child: pupil numbers have the authority
number 999, postcodes the unused area XL, names are numbered words.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from jsna.errors import ParamsError, Problem, did_you_mean
from jsna.synthetic import synthesise
from jsna.synthetic.files import (  # the modules of defects fill the catalogue when they are imported
    census_files,
    defects_census,  # noqa: F401
    defects_extracts,  # noqa: F401
    defects_npd,  # noqa: F401
    defects_sen2,  # noqa: F401
    sen2_files,
)
from jsna.synthetic.files.annex_a import annex_a_tables, write_annex_a
from jsna.synthetic.files.census import LARGEST_SCALE
from jsna.synthetic.files.defects import DEFECTS, Defect, Planter
from jsna.synthetic.files.extracts import EXTRACTS, TRAINING_KEY, Source
from jsna.synthetic.files.output import write_csv, write_workbook
from jsna.synthetic.files.postcodes import directory
from jsna.synthetic.files.schools import register

__all__ = ["DEFECTS", "FORMS", "PLANTED", "TRAINING_KEY", "Defect", "write_files"]

FORMS = {
    "census_blade": "School census, three Januaries: CSV tables of COLLECT, one folder a census",
    "census_xml": "School census: one XML message of the authority a census",
    "census_xml_schools": "School census: one XML message a school, one folder a census",
    "census_flat": "School census: one row a pupil, as an authority extracts it",
    "census_flat_spaced": "The same with headings such as 'Date of birth', 'SEN status', LAESTAB as 821/9060",
    "census_flat_lower": "The same with headings in lower case",
    "npd": "Research extract: columns such as SENprovision_SPR26, no pupil number, no postcode",
    "sen2_xml": "SEN2, 2023 to 2026: one XML message a year",
    "sen2_blade": "SEN2: nine CSV tables, one folder a year",
    "sen2_template": "SEN2: the Excel data-entry template, one workbook a year",
    "sen2_presubmission": "SEN2: the pre-submission workbook, one a year",
    "sen2_modules": "SEN2: module files m1 to m5, one folder a year",
    "annex_a": "Inspection lists: a workbook with List_1 and List_2",
    "ehc_cases": "Extract: requests for assessment and how long they took",
    "annual_reviews": "Extract: annual reviews of plans",
    "disputes": "Extract: mediation and appeals",
    "exclusions": "Extract: suspensions and permanent exclusions",
    "absence": "Extract: sessions missed",
    "destinations": "Extract: what young people of 16 and 17 do",
    "ld_health_checks": "Extract: learning-disability health checks",
    "short_breaks": "Extract: short breaks",
    "survey": "Survey of parents: responses, questions, profile",
    "postcodes": "The postcode directory of the synthetic area",
    "schools": "The register of the synthetic schools",
}
PLANTED = "planted_defects.csv"
KEY_FILE = "training.key"


def write_files(
    folder: Path, form: str, *, seed: int = 2023, scale: float = 1.0, defects: Sequence[str] = ()
) -> tuple[Path, ...]:
    """Write the synthetic area into ``folder`` in one of ``FORMS``; returns the files in the order they were made.

    The same arguments give the same bytes. ``scale`` 1 is about 40,000 pupils, at most 10. ``defects`` are names of
    ``DEFECTS`` that fit the form: they go into the latest census, the latest return or the extract, and the last file,
    ``<folder>_planted_defects.csv`` beside the folder, says what was done and to how many rows. Extracts come with
    ``training.key``, with which a census or a SEN2 file of the same seed and scale must be read for persons to join.

    Raises ``ParamsError`` for an unknown form, an unknown or unfit defect, or a scale out of range, all that is wrong
    together. For training and tests: never a basis for statements about real children.
    """
    folder = Path(folder)
    if form not in FORMS:
        mend = did_you_mean(form, FORMS) or "See `jsna synth --list`."
        raise ParamsError(Problem("There is no such form.", where="form", value=form, mend=mend))
    if not 0 < scale <= LARGEST_SCALE:
        expected = f"above 0, at most {LARGEST_SCALE}"
        raise ParamsError(Problem("Not a scale of files.", where="scale", value=scale, expected=expected))
    plant = Planter(form, tuple(dict.fromkeys(defects)), seed)
    folder.mkdir(parents=True, exist_ok=True)
    paths = _write(folder, form, seed, scale, plant)
    if defects:
        paths.append(write_csv(plant.report(), folder.parent / f"{folder.name}_{PLANTED}"))
    return tuple(paths)


def _write(folder: Path, form: str, seed: int, scale: float, plant: Planter) -> list[Path]:
    if form in census_files.FORMS:
        return census_files.write_census(folder, form, seed, scale, plant)
    area = synthesise(seed, scale)
    if form in sen2_files.FORMS:
        return sen2_files.write_sen2(folder, form, area, plant)
    if form == "postcodes":
        return [write_csv(directory(), folder / "nspl_synthetic.csv")]
    if form == "schools":
        return [write_csv(register(area.pupils), folder / "schools_synthetic.csv")]
    source = Source(area)
    made = annex_a_tables(source) if form == "annex_a" else EXTRACTS[form](source)
    plant(made)
    if form == "annex_a":
        return [write_annex_a(folder / "annex_a_send.xlsx", made)]
    paths = [_extract(folder, name, frame) for name, frame in made.items()]
    return paths if form == "survey" else [*paths, _key(folder / KEY_FILE)]


def _extract(folder: Path, name: str, frame: pd.DataFrame) -> Path:
    hidden = frame.attrs.get("hidden")
    if hidden is None:
        return write_csv(frame, folder / f"{name}.csv")
    rows = [list(frame.columns), *frame.to_numpy(object).tolist()]
    return write_workbook({name: rows}, folder / f"{name}.xlsx", hidden=[i + 2 for i, h in enumerate(hidden) if h])


def _key(path: Path) -> Path:
    """The training key in the manner of a project's key file, which its owner alone may read."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(TRAINING_KEY.hex() + "\n", encoding="ascii")
    return path
