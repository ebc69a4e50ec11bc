"""Codes of authorities that are not, or no longer, in the code list: what stands in their place."""

from __future__ import annotations

from geo.recoding import recodings
from jsna.codes import all_versions, code_list


def what_became_of(code: str) -> str:
    """Sentences that name what stands in the place of a code or number that is not in force; empty when none is known.

    >>> what_became_of("E10000006")
    "Cumbria ended in 2023. In its place: Cumberland 'E06000063', Westmorland and Furness 'E06000064'."
    >>> what_became_of("E08000038")
    "Barnsley has this code in other lists; here it stands under 'E08000016'."
    >>> what_became_of("E07000106")
    'Codes that begin with E07 are districts; name the county, which plans for SEND.'
    """
    current, changes = code_list("local_authority"), recodings()
    later = changes[(changes["new_code"] == code) & changes["old_code"].isin(current.index)]
    if len(later):
        name, here = later[["new_name", "old_code"]].iloc[0]
        return f"{name} has this code in other lists; here it stands under {here!r}."
    ended = all_versions("local_authority").query("valid_to != '' and (code == @code or dfe_number == @code)")
    if len(ended):
        old = ended.iloc[0]
        new = changes.loc[changes["old_code"] == old["code"], ["new_code", "new_name"]].drop_duplicates()
        names = ", ".join(f"{name} {its!r}" for its, name in new.itertuples(index=False))
        return f"{old['name']} ended in {old['valid_to']}. In its place: {names}."
    if code.startswith("E07"):
        return "Codes that begin with E07 are districts; name the county, which plans for SEND."
    return ""
