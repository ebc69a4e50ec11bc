"""Local operational extracts: one reader for every kind that ``specs`` describes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from jsna.errors import Problem, SourceError
from jsna.files.result import Loaded, Summary, refused, sha256_of, together
from jsna.sources.extracts import cells, rules
from jsna.sources.extracts.opening import Opened, open_extract
from jsna.sources.extracts.specification import Column, Rule, Spec
from jsna.sources.identity import pseudonyms, upn_problems

FINDING_COLUMNS = ("rule", "severity", "column", "count", "sentence", "rows")
SAMPLE = 10
# How many of a rule's columns have to be there for it to be judged on these; all other rules need every column.
LEAST = {"order": 2, "filled_any": 1, "starts_late": 1}
PERIOD = ("extract_date", "period_start", "period_end")
KEY_MEND = "Give the project's key, or put the project's pseudonym into person_id."


@dataclass(frozen=True)
class Extract:
    """A local extract, read.

    ``kind`` is the specification that it was read by; ``loaded`` the frame (its index is the file's row), what was
    refused, and the summary; ``findings`` one row for each rule that some row breaks: rule, severity (E: these rows
    were refused; W: they were kept and want a look), column, count, sentence, rows (the first ten, as text).
    """

    kind: str
    loaded: Loaded
    findings: pd.DataFrame


def read_extract(path: Path, kind: str | None = None, key: bytes | None = None) -> Extract:
    """A local operational extract (csv or xlsx): what cases, reviews, absences or answers does the authority hold?

    ``kind`` is one of ``kinds()``; without it the file is recognised by its headings. ``key`` is the project's key
    (``jsna.sources.identity.read_key``), needed only when the file has pupil numbers in the place of ``person_id``.

    The frame has every column of the kind (missing where the file lacks it) and those of the person and the period
    that the file has: text is "" where missing, dates are datetime64, yes and no nullable booleans, whole numbers
    Int64. A row that breaks a rule of severity E is refused and listed; a cell that cannot be read is missing and
    listed; what breaks a rule of severity W is kept and found.

    Raises ``SourceError`` when the file cannot be read, when its kind is not clear, when needed columns are missing,
    and when pupil numbers would have to be hashed without a key. Not for official returns: these have readers of
    their own.
    """
    opened = open_extract(path, kind)
    spec = opened.spec
    text, own = _with_person(opened, key, path.name)
    frame, bad_cells, refused_rows, found = _typed(text, spec, path.name)
    found = [*_about_the_file(opened, text), *own, *found]
    kept = frame[~frame.index.isin(refused_rows)]
    broken, by_rule = _judged(kept, spec.rules, "E", text.columns)
    found += broken
    quarantine = [opened.quarantine, bad_cells]
    gone: set[int] = set()
    for rule, mask in by_rule:
        rows = kept.index[mask]
        gone.update(rows)
        quarantine.append(refused(path.name, rows, _first_column(rule), [""] * len(rows), rule.says, rule.mend))
    kept = kept[~kept.index.isin(gone)]
    found += _judged(kept, spec.rules, "W", text.columns)[0]
    summary = _summary(opened, path, kept, text.columns)
    return Extract(spec.kind, Loaded(kept, together(quarantine), summary), as_findings(found))


def as_findings(found: Iterable[Mapping[str, object]]) -> pd.DataFrame:
    """Findings as a frame, what refuses rows first."""
    frame = pd.DataFrame(list(found), columns=list(FINDING_COLUMNS))
    return frame.sort_values("severity", kind="stable", ignore_index=True)


def finding(
    rule: str, severity: str, column: str, rows: Iterable[int], says: str, mend: str, of: int
) -> dict[str, object]:
    """One finding about some rows of ``of``."""
    rows = list(rows)
    return {
        "rule": rule,
        "severity": severity,
        "column": column,
        "count": len(rows),
        "sentence": " ".join(part for part in (says, f"{len(rows):,} of {of:,} rows." if rows else "", mend) if part),
        "rows": ", ".join(map(str, rows[:SAMPLE])) + (", …" if len(rows) > SAMPLE else ""),
    }


def _with_person(opened: Opened, key: bytes | None, where: str) -> tuple[pd.DataFrame, list[dict[str, object]]]:
    """The text columns with a pseudonym in ``person_id``: as given, or made from pupil numbers with the key."""
    text, found = opened.frame, []
    if "upn" in text and "person_id" not in text:
        upn = text["upn"]
        if key is None:
            raise SourceError(Problem("The file has pupil numbers.", where=where, value="UPN", mend=KEY_MEND))
        problem = upn_problems(upn)
        for word in ("malformed", "wrong check letter", "unknown LA"):
            rows = text.index[problem == word]
            if len(rows):
                says = f"Pupil numbers are not in order ({word}); they were hashed all the same."
                found.append(finding(f"upn {word}", "W", "person_id", rows, says, "", len(text)))
        text = text.assign(person_id=pseudonyms(upn, key))
    elif "person_id" in text and (as_upn := cells.looks_like_upn(text["person_id"])).any():
        rows = text.index[as_upn]
        if key is None:
            what = f"Pupil numbers stand in person_id ({len(rows)} of {len(text)} rows)."
            raise SourceError(Problem(what, where=where, mend=KEY_MEND))
        hashed = pseudonyms(text["person_id"].where(as_upn, ""), key)
        text = text.assign(person_id=text["person_id"].mask(as_upn, hashed))
        says = "Pupil numbers stood in person_id; they were hashed with the project's key."
        found.append(finding("upn in person_id", "W", "person_id", rows, says, "", len(text)))
    return text.drop(columns="upn", errors="ignore"), found


def _typed(
    text: pd.DataFrame, spec: Spec, where: str
) -> tuple[pd.DataFrame, pd.DataFrame, set[int], list[dict[str, object]]]:
    """The frame typed; refused cells and blank ones that matter as a quarantine; the rows refused; the findings."""
    typed: dict[str, pd.Series] = {}
    parts: list[pd.DataFrame] = []
    rows_out: set[int] = set()
    found: list[dict[str, object]] = []
    for name, column in spec.all_columns.items():
        if name not in text:
            if name in spec.columns:
                typed[name] = cells.empty(text.index, column)
            continue
        typed[name], faults = cells.typed(text[name], column)
        bad = pd.Series(False, index=text.index)
        for reason, mask in faults.items():
            rows = text.index[mask]
            bad |= mask
            severity = "E" if "E" in (column.wrong, column.blank) else "W"
            shown = cells.showable(text.loc[rows, name], column)
            fate = "The row was refused." if severity == "E" else "The cell is missing in what follows."
            mend = f"{_expected(column)} {fate}".strip()
            parts.append(refused(where, rows, name, shown, reason, mend))
            says = f"{column.title}: {reason}."
            found.append(finding(f"{name}: {reason}", severity, name, rows, says, mend, len(text)))
            if severity == "E":
                rows_out.update(rows)
        blank = ~rules.is_filled(typed[name]) & ~bad
        if column.blank and blank.any():
            rows = text.index[blank]
            says = f"{column.title} is blank."
            found.append(finding(f"{name}: blank", column.blank, name, rows, says, column.says, len(text)))
            if column.blank == "E":
                parts.append(refused(where, rows, name, [""] * len(rows), "blank", column.says))
                rows_out.update(rows)
    return pd.DataFrame(typed, index=text.index), together(parts), rows_out, found


def _expected(column: Column) -> str:
    if column.type == "code":
        codes = list(column.labels)
        return f"Expected: {', '.join(codes[:12])}{' …' if len(codes) > 12 else ''}."
    return column.says


def _judged(
    frame: pd.DataFrame, every: Iterable[Rule], severity: str, present: Collection[str]
) -> tuple[list[dict[str, object]], list[tuple[Rule, pd.Series]]]:
    """Findings of the rules of one severity, and each broken rule with its rows; rules need their columns."""
    found, broken = [], []
    for rule in every:
        given = _given(rule, present)
        if rule.severity != severity or given is None or frame.empty:
            continue
        mask = rules.RULES[rule.rule](frame, **given).fillna(False).astype(bool)
        if mask.any():
            broken.append((rule, mask))
            rows = frame.index[mask]
            found.append(finding(rule.name, severity, _first_column(rule), rows, rule.says, rule.mend, len(frame)))
    return found, broken


def _given(rule: Rule, present: Collection[str]) -> dict[str, Any] | None:
    """What a rule is given, or None when the file lacks a column of it; some are judged on the columns there are."""
    if rule.rule in LEAST:
        there = [name for name in rule.given["columns"] if name in present]
        others = set(rules.columns_of(rule.given)) - set(rule.given["columns"])
        return {**rule.given, "columns": there} if len(there) >= LEAST[rule.rule] and others <= set(present) else None
    return rule.given if set(rules.columns_of(rule.given)) <= set(present) else None


def _about_the_file(opened: Opened, text: pd.DataFrame) -> list[dict[str, object]]:
    """Findings about the file as a whole: rows that are no cases, headings that stand twice, no date of extract."""
    found = []
    for rule, part in opened.quarantine.groupby("rule", sort=False):
        found.append(
            finding(
                str(rule), "E", "", part["row"], f"{str(rule).capitalize()}.", part["mend"].iloc[0], opened.rows_read
            )
        )
    for name, rows in opened.differing.items():
        says = f"{len(opened.claims[name])} headings claim {name}; the first was taken, and another differs."
        found.append(finding("heading twice", "W", name, rows, says, "Keep one of the columns.", len(text)))
    for says in opened.hidden:
        mend = "Show all rows, and delete those that do not belong."
        found.append(finding("hidden rows", "W", "", [], says, mend, len(text)))
    if opened.spec.dated:
        absent = [c for c in PERIOD if c not in text or (text[c] == "").all()]
        for name in absent:
            says = f"The file does not say its {name}: rules about it were not judged."
            found.append(finding(f"no {name}", "W", name, [], says, "Add the column.", len(text)))
        if "extract_date" in text and text["extract_date"].nunique() > 1:
            most = text["extract_date"].mode().iloc[0]
            rows = text.index[text["extract_date"] != most]
            says = "The rows were drawn on different days: lists of several days may have been joined."
            found.append(finding("several extract dates", "W", "extract_date", rows, says, "Use one list.", len(text)))
    return found


def _first_column(rule: Rule) -> str:
    return rules.columns_of(rule.given)[0]


def _summary(opened: Opened, path: Path, frame: pd.DataFrame, present: Collection[str]) -> Summary:
    spec = opened.spec
    lacking = [c.title for name, c in spec.columns.items() if name not in present]
    unjudged = [r.name for r in spec.rules if _given(r, present) is None]
    notes = list(opened.notes)
    if lacking:
        notes.append(f"Columns that the file lacks: {', '.join(lacking)}.")
    if unjudged:
        notes.append(f"Rules that could not be judged without them: {', '.join(unjudged)}.")
    return Summary(
        source=spec.title,
        file=path.name,
        period=_period(frame),
        rows_read=opened.rows_read,
        rows_kept=len(frame),
        rows_refused=opened.rows_read - len(frame),
        sha256=sha256_of(path),
        publisher="Local extract",
        kind=spec.kind,
        notes=tuple(notes),
    )


def _period(frame: pd.DataFrame) -> str:
    """The days that the file says it covers, or the day on which it was drawn."""
    ends = [frame[c].dropna() for c in ("period_start", "period_end") if c in frame]
    if len(ends) == 2 and all(map(len, ends)):
        return f"{ends[0].min():%Y-%m-%d} to {ends[1].max():%Y-%m-%d}"
    drawn = frame["extract_date"].dropna() if "extract_date" in frame else ()
    return f"as at {drawn.max():%Y-%m-%d}" if len(drawn) else ""


def without_rows(extract: Extract, parts: pd.DataFrame, found: Iterable[Mapping[str, object]]) -> Extract:
    """The extract with more rows refused: ``parts`` names them as a quarantine does, ``found`` says why."""
    loaded = extract.loaded
    kept = loaded.frame[~loaded.frame.index.isin(parts["row"])]
    summary = replace(loaded.summary, rows_kept=len(kept), rows_refused=loaded.summary.rows_read - len(kept))
    findings = as_findings([*extract.findings.to_dict("records"), *found])
    return Extract(extract.kind, Loaded(kept, together([loaded.quarantine, parts]), summary), findings)
