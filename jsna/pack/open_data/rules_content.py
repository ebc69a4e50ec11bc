"""Rules on time, filters, indicators and harmonised names, and what the API can take."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from jsna.codes import code_list
from jsna.pack.open_data.lookups import lists, time_identifiers
from jsna.pack.open_data.pair import Offence, Pair, Side, offences
from jsna.pack.open_data.rules import rule

NUMBER = r"-?\d+(?:\.\d+)?"


def _each(pair: Pair, columns: list[str], wrong) -> Iterator[Offence]:
    """Offences of several columns of the data, by a test on one of them."""
    for column in columns:
        yield from offences(pair.data, column, wrong(pair.data[column]))


@rule
def time_identifier_unknown(pair: Pair) -> Iterator[Offence]:
    """Identifiers of the standard."""
    return _each(pair, ["time_identifier"], lambda cells: ~cells.isin(list(time_identifiers())))


@rule
def time_identifier_mixed(pair: Pair) -> Iterator[Offence]:
    """One family of identifiers in a file: terms with terms, never a calendar with an academic year."""
    families = pair.data["time_identifier"].map({name: family for name, (family, _) in time_identifiers().items()})
    if families.nunique() > 1:
        yield from offences(pair.data, "time_identifier", families.notna() & (families != families.dropna().iloc[0]))


@rule
def time_period_digits_only(pair: Pair) -> Iterator[Offence]:
    """Digits alone."""
    return _each(pair, ["time_period"], lambda cells: ~cells.str.fullmatch(r"[0-9]+"))


@rule
def time_period_length(pair: Pair) -> Iterator[Offence]:
    """Six digits for years that span two, four for others."""
    wanted = pair.data["time_identifier"].map({name: digits for name, (_, digits) in time_identifiers().items()})
    return offences(pair.data, "time_period", wanted.notna() & (pair.data["time_period"].str.len() != wanted))


@rule
def time_period_consecutive(pair: Pair) -> Iterator[Offence]:
    """The second year follows the first, over the turn of a century too."""
    six = pair.data["time_period"].where(pair.data["time_period"].str.fullmatch(r"\d{6}"), "200001")
    return offences(pair.data, "time_period", (six.str[:4].astype(int) + 1) % 100 != six.str[4:].astype(int))


@rule
def filter_single(pair: Pair) -> Iterator[Offence]:
    """Two levels or more."""
    single = [name for name in pair.filters if pair.data[name].nunique() < 2]
    return (Offence("data", name, 2, len(pair.data), "".join(pair.data[name].head(1))) for name in single)


@rule
def filter_blank(pair: Pair) -> Iterator[Offence]:
    """No blank cell."""
    return _each(pair, pair.filters, lambda cells: cells == "")


@rule
def filter_whitespace(pair: Pair) -> Iterator[Offence]:
    """No blank before or after an item."""
    return _each(pair, pair.filters, lambda cells: cells != cells.str.strip())


@rule
def filter_group_levels(pair: Pair) -> Iterator[Offence]:
    """No more groups than items."""
    for name, group in pair.groups.items():
        items, groups = pair.data[name].nunique(), pair.data[group].nunique()
        if groups > items:
            yield Offence("data", group, value=f"{groups} groups of {items} items of {name}")


@rule
def filter_too_many_items(pair: Pair) -> Iterator[Offence]:
    """25,000 items at most."""
    many = {name: pair.data[name].nunique() for name in pair.filters}
    return (Offence("data", name, value=f"{n} items") for name, n in many.items() if n > lists()["most_items"])


@rule
def filter_no_total(pair: Pair) -> Iterator[Offence]:
    """A Total, or another item that is named to be shown first."""
    meta = pair.meta.set_index("col_name")
    first = meta["filter_default"].to_dict() if "filter_default" in meta else {}
    for name in pair.filters:
        wanted = first.get(name) or lists()["default_item"]
        if not (pair.data[name] == wanted).any():
            yield Offence("data", name, value=f"no {wanted}")


@rule
def row_twice(pair: Pair) -> Iterator[Offence]:
    """One row a time, place and combination of filters."""
    asked = ~pair.data["geographic_level"].isin(lists()["may_repeat"])
    again = pair.data[asked].duplicated(pair.keys)
    if again.any():
        first = again.index[again][0]
        yield Offence("data", "", first + 2, int(again.sum()), "; ".join(pair.data.loc[first, pair.keys]))


@rule
def absent_word(pair: Pair) -> Iterator[Offence]:
    """No NULL and no NA, in either file."""
    sides: tuple[Side, Side] = ("data", "meta")
    for side in sides:
        table = pair.table(side)
        for column in table.columns:
            yield from offences(table, column, table[column].isin(lists()["absent_words"]), side)


@rule
def indicator_blank(pair: Pair) -> Iterator[Offence]:
    """No blank cell."""
    return _each(pair, pair.indicators, lambda cells: cells.str.strip() == "")


@rule
def indicator_symbol_refused(pair: Pair) -> Iterator[Offence]:
    """Neither ~ nor the colon."""
    return _each(pair, pair.indicators, lambda cells: cells.isin(lists()["symbols_refused"]))


@rule
def indicator_symbol_old(pair: Pair) -> Iterator[Offence]:
    """No symbol of old."""
    return _each(pair, pair.indicators, lambda cells: cells.isin(lists()["symbols_of_old"]))


@rule
def indicator_no_number(pair: Pair) -> Iterator[Offence]:
    """A number or a symbol: 1,234 and 12% are words to EES. Cells that another rule names are left to it."""
    told = ["", *lists()["symbols"], *lists()["symbols_refused"], *lists()["symbols_of_old"], *lists()["absent_words"]]
    columns = pair.meta.loc[pair.meta["indicator_unit"] != "numberstring", "col_name"]
    asked = [name for name in pair.indicators if name in set(columns)]
    return _each(pair, asked, lambda cells: ~cells.isin(told) & ~cells.str.fullmatch(NUMBER))


@rule
def harmonised_name(pair: Pair) -> Iterator[Offence]:
    """Columns on needs, ethnic groups and kinds of school are called as in all DfE statistics."""
    named = [*pair.filters, *pair.indicators, *pair.groups.values()]
    allowed = {name for names in lists()["harmonised"].values() for name in names}
    wrong = (n for n in named if n not in allowed and any(part in n.lower() for part in lists()["harmonised"]))
    return (Offence("data", name) for name in dict.fromkeys(wrong))


@rule
def ethnicity_item(pair: Pair) -> Iterator[Offence]:
    """Ethnic groups as the official list spells them."""
    codes = code_list("ethnicity")
    known = {
        "ethnicity_major": {*codes["major"], *lists()["ethnicity_major_also"]},
        "ethnicity_minor": {*codes["gss_minor"], *lists()["ethnicity_minor_also"]},
    }
    for column, items in known.items():
        if column in pair.data:
            yield from offences(pair.data, column, ~pair.data[column].isin(list(items)))


def _longer(texts: pd.Series, limit: str) -> pd.Series:
    return texts.str.len() > lists()["api_limits"][limit]


@rule
def api_location_code(pair: Pair) -> Iterator[Offence]:
    """Codes of places have 30 characters at most."""
    codes = [name for name in pair.places_there if not name.endswith("_name") and name != "geographic_level"]
    return _each(pair, codes, lambda cells: _longer(cells, "location_code"))


@rule
def api_column_name(pair: Pair) -> Iterator[Offence]:
    """Names of columns have 50 characters at most."""
    return (Offence("data", name) for name in pair.data.columns if len(name) > lists()["api_limits"]["column_name"])


@rule
def api_label(pair: Pair) -> Iterator[Offence]:
    """Labels have 100 characters at most."""
    return offences(pair.meta, "label", _longer(pair.meta["label"], "label"), "meta")


@rule
def api_filter_item(pair: Pair) -> Iterator[Offence]:
    """Items have 120 characters at most."""
    return _each(pair, pair.filters, lambda cells: _longer(cells, "filter_item"))
