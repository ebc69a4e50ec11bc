"""Who the synthetic pupils are in files: invented numbers, names and dates that follow from the pupil's id alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LA_OF_UPN = 999  # no authority has this number, so that no number here can be a real child's
LETTERS = np.array(list("ABCDEFGHJKLMNPQRTUVWXYZ"))
TEMPORARY_IN = 500  # one pupil in so many has a temporary number
STAGE = {"nursery": 0, "primary": 2, "secondary": 9, "special": 2, "alternative": 14}  # year group of entry, N1 = 0
DAY = np.timedelta64(1, "D")


def numbers(pupil_id: pd.Series) -> NDArray:
    """A whole number for each pupil id (``S`` with three digits of the block and seven of the child).

    >>> numbers(pd.Series(["S0000000012", "S0020000003"])).tolist()
    [12, 200003]
    """
    digits = pupil_id.astype("str").str.slice(1).astype("int64").to_numpy()
    return digits // 10**7 * 100_000 + digits % 10**7


def spread(number: NDArray, salt: int, size: int) -> NDArray:
    """For each number a fixed whole number from 0 to ``size`` - 1: a hash (splitmix64), not a random state.

    ``salt`` tells one use from another. The same number and salt always give the same value.
    """
    x = np.asarray(number).astype("uint64") + np.uint64(salt * 0x9E3779B97F4A7C15 % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return ((x ^ (x >> np.uint64(31))) % np.uint64(size)).astype("int64")


def chance(number: NDArray, salt: int) -> NDArray:
    """For each number a fixed value from 0 up to, not including, 1."""
    return spread(number, salt, 1 << 30) / (1 << 30)


def upns(number: NDArray, birth_year: NDArray) -> NDArray:
    """The unique pupil number of each pupil: check letter, 999, four, two and three digits, all different.

    The two digits are the academic year in which the child turned five. One pupil in 500 has a temporary number, which
    ends in a letter. The rule of the check letter stands here again, so that the readers' own is tested against it.

    >>> upns(np.array([1]), np.array([1995])).tolist()
    ['N999200000001']
    """
    number = np.asarray(number)
    estab, year, serial = 2000 + number // 1000, (np.asarray(birth_year) + 5) % 100, number % 1000
    temporary = spread(number, 1, TEMPORARY_IN) == 0
    last = np.where(temporary, serial // 100, serial % 10)
    tail = np.where(temporary, serial % 100, serial // 10)
    digits = np.char.mod("%011d", LA_OF_UPN * 10**8 + estab * 10**4 + year * 100 + tail)
    weights = np.arange(2, 13)
    total = np.array([int(d) for d in "".join(digits.tolist())]).reshape(-1, 11) @ weights + 13 * last
    end = np.where(temporary, LETTERS[last], last.astype("<U1"))
    return np.char.add(np.char.add(LETTERS[total % len(LETTERS)], digits), end).astype(object)


def ulns(number: NDArray) -> NDArray:
    """Invented unique learner numbers of ten digits."""
    return np.char.mod("999%07d", number).astype(object)


def tokens(word: str, number: NDArray) -> NDArray:
    """Plainly invented words such as ``Surname0001``, to prove that names are dropped.

    >>> tokens("Surname", np.array([1])).tolist()
    ['Surname0001']
    """
    return np.char.mod(word + "%04d", number).astype(object)


def birth_dates(number: NDArray, first_year: NDArray, age: NDArray) -> NDArray:
    """Dates of birth of pupils who are ``age`` on 31 August ``first_year``, the same in every census.

    >>> birth_dates(np.array([7]), 2025, np.array([10])).astype(str)[0][:2]
    '20'
    """
    start = (np.asarray(first_year) - np.asarray(age) - 1 - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    first_of_september = start + np.where(_leap(start), 244, 243)
    return first_of_september + spread(number, 2, 365)


def birth_years(born: NDArray) -> NDArray:
    """The year in whose 31 August a child is nought: that of birth, or the next for births from September on.

    >>> birth_years(np.array(["2015-08-31", "2015-09-01"], dtype="datetime64[D]")).tolist()
    [2015, 2016]
    """
    month = born.astype("datetime64[M]").astype("int64")
    return 1970 + month // 12 + (month % 12 >= 8)


def _leap(year_start: NDArray) -> NDArray:
    return ((year_start.astype("datetime64[Y]") + 1).astype("datetime64[D]") - year_start) == 366 * DAY


def iso(dates: NDArray | pd.Series) -> NDArray:
    """Dates as ``YYYY-MM-DD``, "" where there is none."""
    values = np.asarray(dates, dtype="datetime64[D]")
    text = np.datetime_as_string(values)
    return np.where(np.isnat(values), "", text).astype(object)


def entry_dates(pupils: pd.DataFrame) -> NDArray:
    """When each pupil of each row joined the school: the start of the stage, or the year in which the school changed.

    ``pupils`` are all censuses of whole children. The date is never after the census nor before the child was two.
    """
    order = np.lexsort((pupils["time_period"].astype("str"), pupils["pupil_id"].astype("str")))
    number = numbers(pupils["pupil_id"])[order]
    school = pd.factorize(pupils["school_urn"])[0][order]
    year = pupils["time_period"].astype("str").str.slice(0, 4).astype("int64").to_numpy()[order]
    stage = pupils["school_phase"].astype("str").map(STAGE).to_numpy()[order]
    at = pupils["age"].to_numpy("int64")[order] - 2
    same_child = np.r_[False, number[1:] == number[:-1]]
    stays = same_child & np.r_[False, school[1:] == school[:-1]]
    arrives = ~same_child & (year > year.min())
    entered = np.where(stays, 0, np.where(same_child | arrives, year, year - np.maximum(at - stage, 0)))
    first = np.maximum.accumulate(np.where(stays, 0, np.arange(len(order))))
    entered, late = entered[first], (at > stage)[first] & (same_child | arrives)[first]
    day = (entered - 1970).astype("datetime64[Y]").astype("datetime64[M]") + 8
    dates = day.astype("datetime64[D]") + np.where(late, spread(number, 3, 100), 0)
    found = np.empty(len(order), "datetime64[D]")
    found[order] = dates
    return found
