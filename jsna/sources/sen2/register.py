"""The register of schools (Get Information about Schools), as far as the checks of a SEN2 return need it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from jsna.files.headers import need_columns
from jsna.files.text import read_delimited
from jsna.files.values import tidy, without_decimal_zero

URN, KIND, PROVISION = "URN", "TypeOfEstablishment (name)", "TypeOfResourcedProvision (name)"


def read_register(path: Path) -> pd.DataFrame:
    """The register's CSV as urn, establishment_type, has_sen_unit, has_resourced_provision: one row an establishment.

    An establishment for which the register says nothing has neither a unit nor resourced provision. For the argument
    ``schools`` of ``read_sen2``. Raises ``SourceError`` when one of the three columns is missing.
    """
    text = read_delimited(path, headings=(URN, KIND, PROVISION)).frame
    need_columns(text.columns, (URN, KIND, PROVISION), path.name)
    provision = tidy(text[PROVISION]).str.lower()
    frame = pd.DataFrame(
        {
            "urn": without_decimal_zero(tidy(text[URN])),
            "establishment_type": tidy(text[KIND]),
            "has_sen_unit": provision.str.contains("sen unit", regex=False),
            "has_resourced_provision": provision.str.contains("resourced provision", regex=False),
        }
    )
    return frame[frame["urn"] != ""].drop_duplicates("urn", ignore_index=True)
