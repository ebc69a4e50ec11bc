"""Small packs' exhibits for the tests of the workbook and of the summary."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from jsna.pack.flags import COLUMNS


def area(
    label: str = "Luton (synthetic)", *, synthetic: bool = True, restricted: bool = False, cycle: str = "2026"
) -> Any:
    """What the writers ask of an area."""
    params = SimpleNamespace(cycle=cycle)
    policy = "Numbers of pupils under 5 are hidden (shown as c)."
    return SimpleNamespace(label=label, synthetic=synthetic, restricted=restricted, params=params, protection=policy)


def exhibit(name: str, table: str = "", kind: str = "table", chapter: str = "02-identification", **more: Any) -> dict:
    """An exhibit as an executed notebook holds it."""
    basis = {"id": name, "kind": kind, "title": f"Title of {name}", "table_csv": table, "source": "", "notes": []}
    return basis | {"extras": {}, "synthetic": True, "chapter": chapter} | more


def flag(group: str = "A", **more: Any) -> dict:
    """A row of flags.csv."""
    basis = dict.fromkeys(COLUMNS, "1.50") | {"area_code": "E06000032", "period": "202526", "outcome": "any_sen"}
    basis |= {"characteristic": "ethnicity", "group": group, "comparator": "all others", "numerator": "120"}
    basis |= {"denominator": "400", "status": "over-identified", "reasons": "every_check", "pupils_affected": "40"}
    return basis | {"pooled_lower": "1.30", "pooled_upper": "1.70", "pooled_risk_ratio": "1.50"} | more


SCORECARD = (
    "Section,Indicator,Period,Value,Measure,Beside,Data\n"
    "P1,IDN-01,2025,13.8,Pupils on SEN support [1],no clear difference,synthetic\n"
    "P1,IDN-02,2025,c,Pupils with a plan [2],x,synthetic\n"
)
EXHIBITS = (
    exhibit("scorecard", SCORECARD, source="[1] Census; [2] Cases", chapter="11-scorecard"),
    exhibit(
        "identification-needs", "Group,Pupils\nAutism,1204\nSight,c\n", notes=["Each pupil once."], source="Census"
    ),
    exhibit("order-firm-table", "Priority,Share\nP1,93%\nP2,7%\n", chapter="12-priorities"),
    exhibit("sex-need-asd-lines", "Group,Pupils\nMale,10\n"),
    exhibit("identification-now", kind="finding", title="In 2025, 13.8% of pupils (55 of 400) had SEN support."),
)
FLAGS = (flag("A"), flag("B", status="watch"), flag("C", status="no evidence", numerator="c", pupils_affected="-0"))
