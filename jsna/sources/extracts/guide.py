"""Templates of the local extracts, and the page about them, both made from the specifications.

``python -m jsna.sources.extracts docs/extracts.md`` writes the page anew after a change of a specification.
"""

from __future__ import annotations

from jsna.errors import Problem, SourceError, did_you_mean
from jsna.sources.extracts.specification import Column, Spec, specs

INTRODUCTION = """# Local extracts

What an authority's own systems hold about SEND, beyond the returns: one flat list each, as csv or .xlsx. No national
layout exists; these are the workbench's. `read_extract` recognises a list by its headings, accepts the other spellings
of a heading, and never reads a column that is not named here. Templates with the headings alone come from `template`.

- One heading row; dates as 2026-01-15 or 15/01/2026; yes and no as 1 and 0; no totals, no notes, no free text.
- `person_id` is the project's pseudonym, the same in all files. Where a list has `UPN` instead, it is hashed with the
  project's key; the number itself is never kept.
- Every file should carry `extract_date`, `period_start` and `period_end`.
- Small numbers are hidden on the way out, not on the way in: never hide them in the list. Give counts and dates, never
  percentages.
- **Refused** below means that a row which breaks the rule is put aside and listed; **finding** that it is kept and
  wants a look. A cell that cannot be read is missing in what follows, and listed.
"""
_MAKE = "<!-- Made by python -m jsna.sources.extracts from jsna/sources/extracts/specs: do not edit. -->\n"
_TYPES = {
    "id": "number without meaning",
    "person": "pseudonym",
    "month": "month",
    "year": "year",
    "flag": "1 or 0",
    "whole": "whole number",
    "la": "three digits",
    "urn": "URN",
    "area": "area code",
}


def kinds() -> list[str]:
    """The kinds of local extract that can be read."""
    return list(specs())


def template(kind: str) -> str:
    """An empty list of this kind as csv text: one row of headings. Raises ``SourceError`` for an unknown kind.

    >>> template("survey_profile")
    'respondent_id,age_band,sex,ethnicity_major,sen_provision,primary_need_area,ward_cd\\n'
    """
    return ",".join(column.title for column in _spec(kind).all_columns.values()) + "\n"


def row_guide(kind: str) -> str:
    """What goes into each column of a kind, and the rules, as markdown. Raises ``SourceError`` for an unknown kind."""
    spec = _spec(kind)
    own = {name: column for name, column in spec.all_columns.items() if name in spec.columns}
    shared = [f"`{c.title}`" for name, c in spec.all_columns.items() if name not in spec.columns]
    lines = [
        f"## {spec.title}: `{spec.kind}`\n",
        f"One row is {spec.row_is}.\n",
        "| column | type | needed | what it is |",
        "|---|---|---|---|",
        *(_row(column) for column in own.values()),
        "",
    ]
    if shared:
        lines.append(f"Also accepted: {', '.join(shared)}.\n")
    lines += ["| rule | a row that breaks it |", "|---|---|"]
    lines += [f"| {r.says} {r.mend} | {'refused' if r.severity == 'E' else 'finding'} |" for r in spec.rules]
    return "\n".join(lines) + "\n"


def guide_page() -> str:
    """The whole page ``docs/extracts.md``."""
    shared = {n: c for s in specs().values() for n, c in s.all_columns.items() if n not in s.columns}
    about = [
        "## Columns of the person and of the file\n",
        "| column | type | needed | what it is |",
        "|---|---|---|---|",
    ]
    about += [_row(column) for column in shared.values()]
    return "\n".join([_MAKE, INTRODUCTION, "\n".join(about) + "\n", *(row_guide(kind) for kind in kinds())])


def _row(column: Column) -> str:
    shape = _TYPES.get(column.type, column.type)
    codes = column.codes
    says = column.says + (" " + "; ".join(f"`{code}` {label}" for code, label in codes.items()) + "." if codes else "")
    needed = "yes" if column.needed else ""
    if column.blank == "E":
        needed = "yes, in every row"
    name = f"`{column.title}`" + (f" (in the workbench `{column.name}`)" if column.title != column.name else "")
    return f"| {name} | {shape} | {needed} | {says} |"


def _spec(kind: str) -> Spec:
    if kind not in specs():
        mend = did_you_mean(kind, specs())
        raise SourceError(
            Problem("There is no such kind of extract.", value=kind, expected=", ".join(specs()), mend=mend)
        )
    return specs()[kind]
