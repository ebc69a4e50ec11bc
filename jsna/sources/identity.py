"""Privacy at the door: what is never read, and a keyed hash in the place of a pupil number.

The key is a file outside the project, the same for every file of one project, so that a child's rows in the census, in
SEN2 and in local extracts still join, while nobody without the key can go back from the hash to the number.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Collection
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from jsna.codes import all_versions
from jsna.errors import Problem, SourceError
from jsna.files.headers import bare
from jsna.files.values import tidy

ALPHABET = "ABCDEFGHJKLMNPQRTUVWXYZ"
SYNTHETIC_LA = "999"
# Numbers that pupils may still carry and that the list of authorities does not have: Bedfordshire and Cheshire to 2009,
# the 22 authorities of Wales.
OTHER_LAS = frozenset(["820", "875", *map(str, range(660, 682))])
KEY_BYTES = 32
# Random bytes are nearly all different; a key made by hand (all noughts, a word again and again) has few.
KEY_LEAST_DIFFERENT = 12
HASH_BYTES = 12
HIDDEN = "(hidden)"
HARMLESS = r"[A-Za-z0-9.+-]{0,4}|[0-9](?:\.[0-9]+)?[eE]\+?[0-9]{1,2}|[0-9]{1,2}-[A-Z][a-z]{2}"
_NAMES = (
    "surname forename forenames firstname lastname fullname name pupilname childname middlename middlenames "
    "preferredsurname preferredforename formersurname familyname givenname legalsurname legalforename chosenname paon "
    "saon street locality town posttown administrativearea county address addressline1 addressline2 addressline3 "
    "addressline4 addressline5 address1 address2 address3 address4 address5 homeaddress uprn "
    "uniquepropertyreferencenumber email emailaddress phone telephone telephonenumber phonenumber mobile mobilenumber "
    "contactnumber parentname carername guardianname nhsnumber nationalinsurancenumber ninumber photo"
)
IDENTIFIERS = frozenset(_NAMES.split())
# Such as pupil_surname or mother_email: whoever it is of, it is somebody's.
_ENDINGS = re.compile(
    "(surname|forenames?|firstname|lastname|middlenames?|familyname|givenname|email|emailaddress|telephone|"
    "telephonenumber|phone|phonenumber|mobile|mobilenumber|uprn|addressline[0-9]|nhsnumber|ninumber)$"
)


def is_identifier(heading: str) -> bool:
    """Whether a column of this heading names, locates or reaches a person, and so is never read into memory.

    Pupil number, date of birth and postcode are not among them: the readers need these for a moment, and turn them
    into a hash, an age and a small area.

    >>> [is_identifier(h) for h in ("Surname", "Address Line 1", "mother_e-mail", "UPN", "Estab")]
    [True, True, True, False, False]
    """
    plain = bare(heading)
    return plain in IDENTIFIERS or _ENDINGS.search(plain) is not None


def pseudonyms(upn: pd.Series, key: bytes) -> pd.Series:
    """A keyed hash (24 hex digits) for each pupil number, "" where there is none; equal numbers give equal hashes.

    Numbers are compared in capitals without blanks, so that the same child is met again across systems.

    >>> a, b, c = pseudonyms(pd.Series(["A999000000001", " a999000000001 ", ""]), bytes(32))
    >>> a == b, len(a), c
    (True, 24, '')
    """
    number, cells = pd.factorize(upn, use_na_sentinel=False)
    clean = tidy(pd.Series(cells)).str.upper().str.replace(" ", "", regex=False)
    hashed = [hashlib.blake2b(u.encode(), key=key, digest_size=HASH_BYTES).hexdigest() if u else "" for u in clean]
    return pd.Series(np.array(hashed, dtype=object)[number], index=upn.index, dtype="str")


def upn_problems(upn: pd.Series) -> pd.Series:
    """What is wrong with each pupil number: "" (nothing), "missing", "malformed", "lower case", "wrong check letter",
    "unknown LA".

    A letter in lower case, a wrong check letter or an authority that never was is worth a look, but the child is real:
    such rows are kept. The first letter is the sum of position times value over positions 2 to 13, modulo 23, in an
    alphabet without I, O and S; a temporary number ends in a letter. The synthetic authority 999 counts as known.

    >>> upn_problems(pd.Series(["P207000016049", "Q207000016049", "C30820001600A", "P20700001604", ""])).tolist()
    ['', 'wrong check letter', '', 'malformed', 'missing']
    """
    given = tidy(upn)
    clean = given.str.upper()
    formed = clean.str.fullmatch(rf"[{ALPHABET}][0-9]{{11}}[0-9{ALPHABET}]")
    problem = pd.Series("", index=upn.index, dtype="str").mask(~formed, "malformed").mask(clean == "", "missing")
    if formed.any():
        characters = np.frombuffer("".join(clean[formed]).encode("ascii"), dtype="uint8").reshape(-1, 13)
        value = _values()[characters]
        expected = (value[:, 1:] * np.arange(2, 14)).sum(axis=1) % len(ALPHABET)
        right = np.ones(len(upn), dtype=bool)
        right[formed.to_numpy()] = value[:, 0] == expected
        known = {*all_versions("local_authority")["dfe_number"], *OTHER_LAS, SYNTHETIC_LA}
        problem = problem.mask(formed & (given != clean), "lower case")
        problem = problem.mask(formed & ~clean.str[1:4].isin(known), "unknown LA")
        problem = problem.mask(formed & ~right, "wrong check letter")
    return problem


@cache
def _values() -> np.ndarray:
    """The value of each character, by its code: digits their own, letters their place in the alphabet."""
    values = np.zeros(128, dtype="int64")
    for place, letter in enumerate(ALPHABET):
        values[ord(letter)] = place
    values[ord("0") : ord("9") + 1] = range(10)
    return values


def make_upn(la: str, estab: str, year: str, serial: str) -> str:
    """A permanent pupil number with its check letter, from three, four, two and three digits: for tests and examples.

    >>> make_upn("207", "0000", "16", "049")
    'P207000016049'
    """
    digits = f"{la}{estab}{year}{serial}"
    return ALPHABET[sum(i * int(d) for i, d in enumerate(digits, 2)) % len(ALPHABET)] + digits


def masked(values: pd.Series) -> pd.Series:
    """Values of a column about a person as a quarantine may show them: their length alone.

    >>> masked(pd.Series(["A123", "19/3/1", ""])).tolist()
    ['(hidden, 4 characters)', '(hidden, 6 characters)', '']
    """
    length = values.astype("str").str.len()
    words = "(hidden, " + length.astype("str") + " characters)"
    return words.where(length > 0, "").mask(length == 1, "(hidden, 1 character)")


def shown(values: pd.Series, words: Collection[str] = ()) -> pd.Series:
    """Values of a column of codes as a quarantine may show them: what cannot be a name, number, birthday or postcode.

    Those are up to four letters and digits, a number or date that a spreadsheet has made of a code, and ``words`` (of
    code lists, in capitals). In a row whose cells have slipped, anything can stand in any column: the rest is hidden.

    >>> shown(pd.Series(["SLCN", "5.0", "01-Jan", "8.22E+06", "White - Irish", "Annabel"]), {"WHITE - IRISH"}).tolist()
    ['SLCN', '5.0', '01-Jan', '8.22E+06', 'White - Irish', '(hidden, 7 characters)']
    """
    text = values.astype("str")
    harmless = text.str.strip().str.fullmatch(HARMLESS) | text.str.strip().str.upper().isin(words)
    return text.where(harmless, masked(values))


def write_key(path: Path) -> None:
    """Make a new key file that its owner alone can read. Raises ``SourceError`` where a file already is.

    A new key means new hashes: nothing joins to what was made with another. So a key is made once, and kept.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise SourceError(
            Problem(
                "A key file is already there, and was left as it is.",
                where=path.name,
                mend="Use it: with another key the files of this project would no longer join.",
            )
        ) from None
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(secrets.token_hex(KEY_BYTES) + "\n")


def read_key(path: Path) -> bytes:
    """The key from its file. Raises ``SourceError`` when it is missing, readable by others, or no key of this tool."""
    try:
        text = path.read_text(encoding="ascii").strip()
        mode = path.stat().st_mode
    except FileNotFoundError:
        mend = "Make it once with `jsna init`, or ask the colleague who keeps the project's key."
        raise SourceError(Problem("The key file is missing.", where="key_file", mend=mend)) from None
    except (UnicodeDecodeError, OSError):
        raise SourceError(Problem("The key file cannot be read.", where="key_file")) from None
    if os.name != "nt" and mode & 0o077:
        mend = f"Run: chmod 600 {path.name} in its folder."
        raise SourceError(Problem("Others on this computer can read the key file.", where="key_file", mend=mend))
    key = bytes.fromhex(text) if re.fullmatch(rf"[0-9a-fA-F]{{{2 * KEY_BYTES}}}", text) else b""
    if len(set(key)) < KEY_LEAST_DIFFERENT:
        raise SourceError(
            Problem(
                "This is not a key file of the workbench.",
                where="key_file",
                expected=f"one line of {2 * KEY_BYTES} random hex digits, as `jsna init` writes it",
                mend="Is it the right file? Never make one by hand.",
            )
        )
    return key
