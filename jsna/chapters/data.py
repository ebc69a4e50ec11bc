"""What came in, what was refused, and how complete it is."""

from __future__ import annotations

import pandas as pd

from jsna.area import Area
from jsna.chapters.base import needs, summary_row, with_extras
from jsna.disclosure import protect, publish_facts
from jsna.evidence.values import Values
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import table_exhibit
from jsna.exhibits.text import finding
from jsna.files.result import Loaded
from jsna.linked.figures import as_changed
from jsna.linked.names import pupil_names
from jsna.linked.pupils import completeness_name, not_known
from jsna.local import kept_weights
from jsna.roll import Roll
from jsna.sealed import Sealed

CHARACTERISTICS = {
    "ethnicity": "Ethnic group",
    "first_language": "First language",
    "lsoa21": "Home area (LSOA 2021)",
    "idaci_decile": "Deprivation decile",
    "year_group": "Year group",
    "sex": "Sex",
    "fsm_eligible": "Free school meals",
    "sen_provision": "SEN provision",
}


def loaded(area: Area) -> list[Loaded | Roll]:
    """Every source that the area's chapters use, read."""
    if "official" in area.brings:
        return area.official.read_all()
    return [area.roll, area.ehc_cases] if "cases" in area.brings else [area.roll]


def sources(area: Area) -> Exhibit:
    """Each source with its period, rows read, kept and refused."""
    everything = [source.summary for source in loaded(area)]
    seen = {(s.source, s.file) for s in everything}
    everything += [s for s in _of_indicators(area).sources if (s.source, s.file) not in seen]
    rows = pd.DataFrame([summary_row(s) for s in everything])
    columns = [
        {"name": "source", "label": "Source", "kind": "text"},
        {"name": "file", "label": "File", "kind": "text"},
        {"name": "period", "label": "Period", "kind": "text"},
        {"name": "publisher", "label": "Publisher", "kind": "text"},
        {"name": "rows_read", "label": "Rows read", "kind": "count"},
        {"name": "rows_kept", "label": "Rows kept", "kind": "count"},
        {"name": "rows_refused", "label": "Rows refused", "kind": "count"},
    ]
    facts = publish_facts(rows, source="The files themselves", synthetic=area.synthetic)
    exhibit = table_exhibit(
        facts,
        id="data-sources",
        title="What came in, and how many rows were kept and refused",
        columns=columns,
        row_header="source",
    )
    notes = [f"{s.source}: {note}" for s in everything for note in s.notes]
    return with_extras(exhibit, sources=rows.to_dict("records"), notes=[*notes, *_indicator_notes(area)])


def _of_indicators(area: Area) -> Values:
    """The values of indicators where they come from official files; none of an area's own rows are read for a list."""
    return area.values if "official" in area.brings else Values.none()


def _indicator_notes(area: Area) -> list[str]:
    """Which indicators the files do not give, and where two files of one table disagree."""
    values = _of_indicators(area)
    notes = [f"{i}, {g}: not from these files. {why} {mend}".strip() for i, g, why, mend in values.absent.to_numpy()]
    for file, rows in values.vintages.groupby("other_file"):
        figures = "1 figure" if len(rows) == 1 else f"{len(rows)} figures"
        notes.append(
            f"{file} differs from {rows['pinned_file'].iloc[0]} in {figures} of indicators; the latter is used."
        )
    return notes


def refused(area: Area) -> Exhibit:
    """How many cells or rows each rule refused; the rows themselves stay on the analyst's computer."""
    quarantine = pd.concat([s.quarantine for s in loaded(area)], ignore_index=True)
    total = sum(s.summary.rows_refused for s in loaded(area))
    if quarantine.empty and not total:
        return finding("data-refused", "Nothing was refused: every row of every source could be used.")
    by_rule = quarantine.groupby(["file", "column", "rule"], as_index=False).size()
    facts = publish_facts(by_rule, source="The readers' quarantine", synthetic=area.synthetic)
    return table_exhibit(
        facts,
        id="data-refused",
        title=f"What was put aside: {len(quarantine):,} cells, {total:,} whole rows",
        columns=[
            {"name": "file", "label": "File", "kind": "text"},
            {"name": "column", "label": "Column", "kind": "text"},
            {"name": "rule", "label": "Why", "kind": "text"},
            {"name": "size", "label": "Cells", "kind": "count"},
        ],
        row_header="file",
    )


@needs("pupils")
def completeness(area: Area) -> Exhibit:
    """For each characteristic, for how many pupils it is not known, in the latest census."""
    table = _completeness(area)
    return table_exhibit(
        table,
        id="data-completeness",
        title="How complete the pupil records are",
        columns=[
            {"name": "characteristic", "label": "Characteristic", "kind": "text"},
            {"name": "not_known", "label": "Pupils for whom it is not known", "kind": "count"},
            {"name": "pupils", "label": "Pupils", "kind": "count"},
            {"name": "percent_known", "label": "Known (%)", "kind": "percent"},
        ],
        row_header="characteristic",
    )


def _completeness(area: Area):
    true = not_known(area).reindex(list(CHARACTERISTICS))
    complete = (true["not_known"] == 0).reset_index(drop=True)
    missing = as_changed(true, ["not_known"], area.params.policy())["not_known"]
    whole = area.count([]).unseal("to set beside those not known")
    total = int(whole.loc[whole["time_period"].astype(str) == area.periods[-1], "pupils"].sum())
    counts = pd.DataFrame({"characteristic": true.index.map(CHARACTERISTICS), "not_known": missing.to_numpy()})
    counts["pupils"] = total
    counts["percent_known"] = 100 * (1 - counts["not_known"] / counts["pupils"])
    sealed = Sealed(counts, counts=("not_known", "pupils"), derived=("percent_known",))
    names = {"not_known": _names_of_missing(area, complete), "pupils": pupil_names(counts.index, area.periods[-1])}
    shown = protect(sealed, area.policy, source=area.pupil_source, synthetic=area.synthetic, names=names, relations=())
    return _show_complete(shown, complete)


def _names_of_missing(area: Area, complete: pd.Series) -> pd.Series:
    """The names of the counts of pupils of whom a characteristic is not known; none where it is known of all."""
    told = [completeness_name(column) for column in CHARACTERISTICS]
    names = [pupil_names(pd.RangeIndex(1), area.periods[-1], **{variable: lost}).iloc[0] for variable, lost in told]
    return pd.Series(names).where(~complete, "")


def _show_complete(shown, complete: pd.Series):
    """A characteristic known for everybody says nothing of any child: its zero is shown as zero."""
    from jsna.disclosure import Released

    frame, symbols = shown.frame.copy(), shown.symbols.copy()
    frame.loc[complete, "not_known"] = 0.0
    frame.loc[complete, "percent_known"] = 100.0
    symbols.loc[complete, ["not_known", "percent_known"]] = ""
    return Released(frame, symbols, shown.source, shown.synthetic, shown.notes)


def verdict(area: Area) -> Exhibit:
    """Can the rest of the pack be relied on? One sentence."""
    everything = loaded(area)
    read = sum(s.summary.rows_read for s in everything)
    refused_rows = sum(s.summary.rows_refused for s in everything)
    share = 100 * refused_rows / read if read else 0.0
    sentence = (
        f"{len(everything)} sources were read, {read:,} rows in all; {refused_rows:,} rows ({share:.1f}%) were refused."
    )
    # minor: the index says the same of the tables of every chapter
    made_up = ("The pupils are synthetic: no real child is in this pack.",) if area.synthetic else ()
    detail = (*_counted(area), *_checked(area), *made_up)
    return with_extras(finding("data-verdict", sentence, detail=detail), minor=True)


def _counted(area: Area) -> tuple[str, ...]:
    """What is to be said of pupils whose rows no reader has seen."""
    return area.roll.summary.notes if area.params.engine else ()


def _checked(area: Area) -> tuple[str, ...]:
    """What the check of an authority's own files found before the pack was made."""
    found = kept_weights()
    if not found:
        return ()
    what = "counts" if area.params.engine else "files"
    if not found["error"]:
        return (f"The check of the {what} found no error, and {found['look']} things to look at.",)
    return (
        f"The check of the {what} found errors ({found['error']}), and {found['look']} things to look at: until the "
        "errors are mended or explained, this pack is a draft.",
    )
