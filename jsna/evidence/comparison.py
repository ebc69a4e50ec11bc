"""Is a group identified more, or less, often than all others? Counts go in, a protected comparison comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from jsna.codes import code_list, labels
from jsna.counts import OUTCOMES
from jsna.disclosure import AddsUp, PackPattern, Policy, Released, protect
from jsna.disproportionality import crude
from jsna.disproportionality.rule import NOT_SHOWN
from jsna.errors import Problem, SourceError
from jsna.linked.names import KNOWN, group_names
from jsna.sealed import Sealed

RATES = ("risk", "risk_lower", "risk_upper", "percent", "percent_lower", "percent_upper")
LABELS = ("time_period", "outcome", "group", "known", "status", "reasons", "comparisons", "comparator", "reference")
OTHERS = "all others"
# All others with those of unknown group among them, where these are too few to be told from the rest.
OTHERS_AND_UNKNOWN = "all others, not known among them"
UNKNOWN_AMONG = (
    "All others include those whose group is not known: so few of these are identified that their number is hidden."
)
AGAINST_REFERENCE = ("risk_ratio", "risk_ratio_lower", "risk_ratio_upper", "q_value")


@dataclass(frozen=True)
class Comparison:
    """Each group of a dimension against all others of known group, for one or more outcomes in one census.

    ``table`` has one row an outcome and group; ``comparisons`` is how many tests were made in all, so that a reader can
    judge how many would come out by chance.

    ``judged``: the status is a flag of ``jsna.disproportionality.flags``, which rests on all ``periods``, adjusted for
    ``adjusted_for``; otherwise it is that of a crude comparison in one. ``flagged`` groups are over- or
    under-identified. ``curves`` holds the specification curve of the groups that stand out; ``remarks`` say what of the
    models a reader must know. ``labels`` names the groups.
    """

    table: Released
    dimension: str
    period: str
    comparisons: int
    judged: bool = False
    flagged: int = 0
    periods: tuple[str, ...] = ()
    adjusted_for: tuple[str, ...] = ()
    curves: Released | None = None
    remarks: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    def of(self, outcome: str) -> Comparison:
        """The rows of one outcome."""
        curves = self.curves and self.curves.rows(self.curves.frame["outcome"] == outcome)
        table = self.table.rows(self.table.frame["outcome"] == outcome)
        if (table.frame["comparator"] == OTHERS_AND_UNKNOWN).any():
            table = replace(table, notes=(*table.notes, UNKNOWN_AMONG))
        return replace(self, table=table, curves=curves)


@dataclass(frozen=True)
class Dimension:
    """A way to divide pupils: its column, its groups' labels in order, and which of them are known."""

    column: str
    labels: dict[str, str]
    unknown: tuple[str, ...] = ()


def dimension(column: str, groups: pd.DataFrame | None = None, unknown: Mapping[str, str] | None = None) -> Dimension:
    """The dimension that a pupil-table column stands for, with labels from its code list.

    ``groups`` (indexed by code, column ``label``) names groups that no code list holds, such as wards, and ``unknown``
    those among the pupils that are none of these.
    """
    lists = {
        "ethnicity": ("ethnicity", "plain"),
        "language_group": ("language_group", "plain"),
        "sex": ("sex", "label"),
        "year_group": ("year_group", "label"),
        "school_phase": ("school_phase", "label"),
    }
    if groups is not None:
        rest = dict(unknown or {})
        return Dimension(column, groups["label"].to_dict() | rest, tuple(rest))
    if column == "idaci_quintile":
        ends = {1: " (most deprived)", 5: " (least deprived)"}
        fifths = {str(q): f"Fifth {q}{ends.get(q, '')}" for q in range(1, 6)}
        return Dimension(column, fifths | {"0": "Home not known"}, ("0",))
    if column == "idaci_decile":
        ends = {"1": " (most deprived)", "10": " (least deprived)"}
        deciles = {str(d): f"Decile {d}{ends.get(str(d), '')}" for d in range(1, 11)}
        return Dimension(column, deciles | {"0": "Home not known"}, ("0",))
    if column not in lists:
        raise SourceError(Problem("No code list names the groups of this column.", value=column))
    name, label = lists[column]
    table = code_list(name)
    not_known = tuple(table.index[table["known"] == "0"]) if "known" in table else ()
    return Dimension(column, labels(name, label), not_known)


def compare(
    counts: Sealed,
    by: Dimension,
    outcomes: Sequence[str],
    *,
    period: str,
    policy: Policy,
    source: str,
    synthetic: bool,
    total: str = "pupils",
    reference: str | None = None,
    confidence: float = 0.95,
) -> Comparison:
    """Each group of ``by`` against all others, for each of ``outcomes`` (columns of ``counts``), in one period.

    ``total`` is the column of denominators. Raises ``SourceError`` when a group stands in the counts that the dimension
    does not know: no group is dropped.
    """
    frame = counts.unseal("to compare groups")
    rows = frame[(frame["grouping"] == by.column) & (frame["time_period"].astype(str) == period)]
    long = long_counts(rows.rename(columns={by.column: "group"}), by, outcomes, total)
    long = as_shown(long, by, policy)
    main = against_others(long, reference, confidence)
    shown = released(main, by, policy, source=source, synthetic=synthetic)
    return comparison_of(shown, main, by, period)


def as_shown(long: pd.DataFrame, by: Dimension, policy: Policy) -> pd.DataFrame:
    """Counts in the form in which the pack shows them, and ``whole_count`` and ``whole_total`` beside each.

    All others of a group are the whole less the group: all of known group, or everybody where the pattern hides those.
    With everybody and all of known group, a reader has those of unknown group: where these are few, they stay among
    all others, and figures beside all others tell no more than what everybody is.
    """
    if policy.pattern is None:
        return long
    pattern, names = policy.pattern, row_names(long, by, count="count", total="total")
    family = [long["time_period"], long["outcome"]]
    sums = long[["count", "total"]].where(long["known"], 0).groupby(family).transform("sum")
    among = pd.Series(False, index=long.index)
    if not long["known"].all():
        among = _hidden_totals(long, by, KNOWN, pattern)
        sums = sums.mask(among, long[["count", "total"]].groupby(family).transform("sum"))
    whole = row_names(long.assign(group=""), by, count="count", total="total")
    total = pattern.rounded(long["total"], names["total"])
    made = {"count": pattern.rounded(long["count"], names["count"], within=total), "total": total}
    wholes = {f"whole_{c}": pattern.rounded(sums[c], whole[c]) for c in ("count", "total")}
    return long.assign(**made, **wholes, others=among.map({True: OTHERS_AND_UNKNOWN, False: OTHERS}))


def _hidden_totals(rows: pd.DataFrame, by: Dimension, group: str, pattern: PackPattern) -> pd.Series:
    """Whether the number in ``group`` (``""``: everybody), or of those of them with each row's outcome, is hidden."""
    names = row_names(rows.assign(group=group), by)
    return pd.Series(pattern.unseen(names["numerator"]) | pattern.unseen(names["denominator"]), index=rows.index)


def released(main: pd.DataFrame, by: Dimension, policy: Policy, *, source: str, synthetic: bool) -> Released:
    """A comparison of pupils past the gate; of a row whose counts are hidden no status is said either."""
    rows, sealed = main.reset_index(drop=True), seal(main)
    if policy.pattern is None:
        shown = protect(sealed, policy, source=source, synthetic=synthetic, relations=relations(main))
        return _without_words(shown)
    names = row_names(rows, by)
    unseen = _hidden_totals(rows, by, "", policy.pattern)
    if not rows["known"].all():
        unseen &= _hidden_totals(rows, by, KNOWN, policy.pattern)
    hide = {column: unseen for column in sealed.derived}
    against = [f"{c}_reference" for c in AGAINST_REFERENCE if f"{c}_reference" in rows]
    if against:
        hidden = policy.pattern.unseen(names["numerator"]) | policy.pattern.unseen(names["denominator"])
        of_reference = hidden & (rows["group"] == rows["reference"])
        hide |= dict.fromkeys(against, unseen | of_reference.groupby(rows["outcome"]).transform("any"))
    return _without_words(protect(sealed, policy, source=source, synthetic=synthetic, names=names, hide=hide))


def row_names(
    rows: pd.DataFrame, by: Dimension, *, count: str = "numerator", total: str = "denominator"
) -> dict[str, pd.Series]:
    """The names of the counts in two columns of rows by group and outcome; of group ``""``, of everybody."""
    told = rows.index, rows["time_period"], by.column, rows["group"]
    return {count: group_names(*told, rows["outcome"]), total: group_names(*told)}


def _without_words(table: Released) -> Released:
    """The table with no status, and no reasons, of rows of which a count is hidden."""
    hidden = (table.symbols[["numerator", "denominator"]] == "c").any(axis=1)
    told = {"status": NOT_SHOWN, "reasons": "hidden"}
    frame = table.frame.assign(**{c: table.frame[c].mask(hidden, words) for c, words in told.items()})
    return replace(table, frame=frame)


def against_others(long: pd.DataFrame, reference: str | None, confidence: float) -> pd.DataFrame:
    """Each group against all others, and beside it against the reference, in percent too."""
    result = crude(
        long,
        group="group",
        count="count",
        total="total",
        known="known",
        reference=reference,
        family=["time_period", "outcome"],
        confidence=confidence,
        whole=("whole_count", "whole_total") if "whole_count" in long else None,
    )
    main = result[result["comparator"] == OTHERS].copy()
    for risk, percent in (("risk", "percent"), ("risk_lower", "percent_lower"), ("risk_upper", "percent_upper")):
        main[percent] = main[risk] * 100
    main["comparator_percent"] = main["comparator_risk"] * 100
    if reference is not None:
        against = result[result["comparator"] == reference].set_index(["outcome", "group"])
        keys = pd.MultiIndex.from_frame(main[["outcome", "group"]])
        for column in AGAINST_REFERENCE:
            main[f"{column}_reference"] = against[column].reindex(keys).to_numpy()
        main["reference"] = reference
    told = long[["outcome", "group", "known", *(["others"] if "others" in long else [])]]
    main = main.merge(told, on=["outcome", "group"], validate="one_to_one")
    return main.assign(comparator=main.pop("others")) if "others" in main else main


def comparison_of(shown: Released, main: pd.DataFrame, by: Dimension, period: str) -> Comparison:
    """A protected table with its labels and the number of tests."""
    frame, symbols = shown.frame.copy(), shown.symbols.copy()
    frame.insert(3, "label", frame["group"].map(by.labels))
    symbols.insert(3, "label", "")
    released = Released(frame, symbols, shown.source, shown.synthetic, shown.notes)
    tests = int(main.loc[main["known"], "p_value"].notna().sum())
    return Comparison(released, by.column, period, tests, labels=by.labels)


def long_counts(
    rows: pd.DataFrame, by: Dimension, outcomes: Sequence[str], total: str, places: Sequence[str] = ()
) -> pd.DataFrame:
    """Counts in rows of one outcome and group (and place, where columns name it), in the dimension's order.

    Raises ``SourceError`` for a stranger among the groups.
    """
    codes = rows["group"].astype(str)
    strangers = sorted(set(codes) - set(by.labels))
    if strangers:
        raise SourceError(
            Problem(
                "Rows are in groups that the code list does not know.",
                where=by.column,
                value=strangers[:5],
                mend="Add them to the code list; no group is dropped or filed under another.",
            )
        )
    rows = rows.assign(
        group=codes,
        known=~codes.isin(by.unknown),
        total=rows[total],
        time_period=rows["time_period"].astype(str),
    )
    long = rows.melt(
        id_vars=[*places, "time_period", "group", "known", "total"],
        value_vars=list(outcomes),
        var_name="outcome",
        value_name="count",
    )
    groups = {code: i for i, code in enumerate(by.labels)}
    order = {outcome: i for i, outcome in enumerate(outcomes)}
    return long.sort_values(
        ["outcome", "group"],
        key=lambda s: s.map(groups if s.name == "group" else order),
        kind="stable",
    ).reset_index(drop=True)


def relations(frame: pd.DataFrame) -> tuple[tuple[str, ...] | AddsUp, ...]:
    """What adds up in a comparison: the groups of an outcome; of a group, support and plans, and needs, to any SEN.

    Each sum is a set of its own: one hidden number among many needs is no companion for one of the three.
    """
    need = frame["outcome"].astype(str).str.startswith("need_")
    sums = (frame["outcome"].isin(OUTCOMES), need | (frame["outcome"] == "any_sen"))
    return (("outcome",), *(AddsUp(("time_period", "group"), rows.to_numpy()) for rows in sums))


def seal(frame: pd.DataFrame) -> Sealed:
    """Figures with their roles: counts, shares of them, and what is worked out from both."""
    rates = {r: ("numerator", "denominator") for r in RATES}
    known = {"numerator", "denominator", *RATES, *LABELS}
    derived = tuple(c for c in frame.columns if c not in known)
    return Sealed(frame.reset_index(drop=True), counts=("numerator", "denominator"), rates=rates, derived=derived)
