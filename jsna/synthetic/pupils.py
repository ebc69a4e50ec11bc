"""Synthetic pupils: one block of about 40,000 over three January censuses, drawn column by column."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from geo.places import embedded_lsoas
from jsna.files.packaged import packaged_yaml

BLOCK = 40_000
DOWN_SYNDROME_FROM = "202425"
MAJOR = {"W": "white", "M": "mixed", "A": "asian", "C": "asian", "B": "black", "O": "other"}


NEWEST = ""
_edition: ContextVar[str] = ContextVar("edition of the synthetic area", default=NEWEST)


def edition_of(cycle: str) -> str:
    """The edition of the area that a review cycle sees: the newest, ``""``, or an earlier one by its year.

    >>> edition_of("2026"), edition_of("2023"), edition_of("2024-q2")
    ('', '2023', '2023')
    """
    earlier = sorted(_yaml("earlier.yml"))
    if cycle[:4] >= str(_yaml("calibration.yml")["censuses"][-1]["date"])[:4]:
        return NEWEST
    return next((e for e in reversed(earlier) if e <= cycle[:4]), earlier[0])


@contextmanager
def as_of(cycle: str) -> Iterator[str]:
    """Within the block, the area is made as the review of ``cycle`` sees it; gives the edition's name."""
    token = _edition.set(edition_of(cycle) if cycle else NEWEST)
    try:
        yield _edition.get()
    finally:
        _edition.reset(token)


def calibration() -> dict[str, Any]:
    """The figures that the area is calibrated to."""
    return _of_edition("calibration", _edition.get())


def planted() -> dict[str, Any]:
    """The disparities that are planted."""
    return _of_edition("planted", _edition.get())


@cache
def _of_edition(name: str, edition: str) -> dict[str, Any]:
    """What an edition does not say for itself is as in the newest."""
    return _yaml(f"{name}.yml") | (_yaml("earlier.yml")[edition][name] if edition else {})


@cache
def _yaml(name: str) -> dict[str, Any]:
    return packaged_yaml("jsna.synthetic", name)


@dataclass(frozen=True)
class Child:
    """What stays with a child through all censuses, one array element a child."""

    ethnicity: NDArray
    male: NDArray
    language: NDArray
    fsm: NDArray
    start: NDArray  # position in the year-group list at the first census; negative: not yet in nursery
    arrives: NDArray
    leaves: NDArray
    uniform: dict[str, NDArray]


def pick(rng: Generator, weights: NDArray) -> NDArray:
    """One column index for each row of ``weights``."""
    cumulative = np.cumsum(weights, axis=1)
    draw = rng.random(len(weights)) * cumulative[:, -1]
    return (draw[:, None] > cumulative).sum(axis=1)


@cache
def _lsoa_by_ethnicity() -> NDArray:
    """Joint weights of home LSOA and ethnic group: fitted to children by LSOA and to pupils by group."""
    places, groups = embedded_lsoas(), calibration()["ethnicity"]
    residents = places.filter(like="residents_")
    share = residents.div(residents.sum(axis=1), axis=0)
    relative = share / (residents.sum() / residents.to_numpy().sum())
    columns = [
        np.ones(len(places)) if g in ("REFU", "NOBT") else relative[f"residents_{MAJOR[g[0]]}"].to_numpy()
        for g in groups
    ]
    joint = np.stack(columns, axis=1) * np.array(list(groups.values()))
    for _ in range(50):
        joint *= (places["children_0_15"].to_numpy() / joint.sum(axis=1))[:, None]
        joint *= np.array(list(groups.values())) / joint.sum(axis=0)
    return joint


def _children(rng: Generator, size: int) -> tuple[Child, NDArray]:
    c = calibration()
    groups, sizes = list(c["ethnicity"]), np.array(list(c["year_group"].values()), float)
    censuses, mobility = len(c["censuses"]), c["mobility"]
    cohorts = np.arange(1 - censuses, len(sizes))
    peak = np.array([sizes[max(0, s) : s + censuses].max() for s in cohorts])
    on_roll = (1 - mobility["arrives"]) * (1 - mobility["leaves"])
    count = round(size * peak.sum() / sizes.sum() / on_roll)
    start = rng.choice(cohorts, count, p=peak / peak.sum())
    joint = _lsoa_by_ethnicity()
    ethnicity = rng.choice(len(groups), count, p=joint.sum(axis=0) / joint.sum())
    home = pick(rng, joint.T[ethnicity])
    child = Child(
        ethnicity=ethnicity,
        male=rng.random(count) < 0.51,
        language=_languages(rng, ethnicity, groups),
        fsm=_free_meals(rng, ethnicity, home, groups),
        start=start,
        arrives=rng.choice(censuses, count, p=_spread(mobility["arrives"], censuses)),
        leaves=censuses - rng.choice(censuses, count, p=_spread(mobility["leaves"], censuses)),
        uniform={k: rng.random(count) for k in ("stay", "plan", "need", "second", "special", "nursery", "unit")},
    )
    return child, home


def _spread(share: float, censuses: int) -> list[float]:
    return [1 - share * (censuses - 1)] + [share] * (censuses - 1)


def _languages(rng: Generator, ethnicity: NDArray, groups: list[str]) -> NDArray:
    from scipy.optimize import brentq
    from scipy.special import expit, logit

    c = calibration()
    assumed = logit(np.array([c["not_english_by_ethnicity"][g] for g in groups]))
    weights = np.array(list(c["ethnicity"].values()), float)
    target = c["first_language_not_english"] / 100
    shift = brentq(lambda s: np.average(expit(assumed + s), weights=weights) - target, -5, 5)
    other = rng.random(len(ethnicity)) < expit(assumed + shift)[ethnicity]
    language = np.where(other, "", "ENG").astype("<U3")
    draw = rng.random(len(ethnicity))
    for i, group in enumerate(groups):
        mix = c["languages"].get(group, c["languages"]["default"])
        rows = other & (ethnicity == i)
        at = np.searchsorted(np.cumsum(list(mix.values()))[:-1], draw[rows], side="right")
        language[rows] = np.array(list(mix))[at]
    language[rng.random(len(ethnicity)) < 0.003] = "NOT"
    return language


def _free_meals(rng: Generator, ethnicity: NDArray, home: NDArray, groups: list[str]) -> NDArray:
    share = np.array([calibration()["free_school_meals"][g] for g in groups]) / 100
    decile = embedded_lsoas()["idaci_2025_decile"].to_numpy()[home]
    steep = 1.0 + 0.12 * (3.2 - decile)
    mean = np.bincount(ethnicity, steep, len(groups)) / np.maximum(np.bincount(ethnicity, minlength=len(groups)), 1)
    return rng.random(len(home)) < share[ethnicity] * steep / mean[ethnicity]


def block(seed: np.random.SeedSequence, number: int, size: int) -> pd.DataFrame:
    """About ``size`` pupils a census over three censuses; ids carry the block's ``number``.

    Children age, arrive and leave, some move home and then school; status mostly stays from one census to the next.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    child, home = _children(rng, size)
    schools = _schools(rng, size)
    risk = calibration()["risk"]
    area_effect = np.exp(rng.normal(0, risk["neighbourhood_log_sd"], len(embedded_lsoas())))
    latent = rng.random(len(home))
    seat = rng.random(len(home))
    joint = _lsoa_by_ethnicity()
    frames = []
    for t, census in enumerate(calibration()["censuses"]):
        if t:
            moved = rng.random(len(home)) < calibration()["mobility"]["moves_home"]
            home, seat = home.copy(), np.where(moved, rng.random(len(home)), seat)
            home[moved] = pick(rng, joint.T[child.ethnicity[moved]])
            again = rng.random(len(home)) >= risk["keeps_status"]
            latent = np.where(again, rng.random(len(home)), latent)
        frames.append(_census(child, home, latent, seat, schools, area_effect, t, census, number))
    return pd.concat(frames, ignore_index=True)


@dataclass(frozen=True)
class Schools:
    """Where each school stands (0 to 1 along the list of LSOAs) and how readily it identifies pupils."""

    position: dict[str, NDArray]
    effect: dict[str, NDArray]


def _schools(rng: Generator, size: int) -> Schools:
    counts = calibration()["schools"]
    share = max(size / BLOCK, 1 / 20)
    number = {phase: max(1, round(n * share)) for phase, n in counts.items()}
    sd = calibration()["risk"]["school_log_sd"]
    return Schools(
        {p: (np.arange(n) + 0.5) / n for p, n in number.items()},
        {p: np.exp(rng.normal(-(sd**2) / 2, sd, n)) for p, n in number.items()},
    )


def _census(child, home, latent, seat, schools: Schools, area_effect, t: int, census, number: int) -> pd.DataFrame:
    c = calibration()
    years = list(c["year_group"])
    position = child.start + t
    rows = np.flatnonzero(_on_roll(child, position, t))
    at, places = position[rows], embedded_lsoas()
    lsoa = home[rows]
    phase = np.where(at >= 9, "secondary", "primary")
    phase = np.where((at <= 1) & (child.uniform["nursery"][rows] < 0.55), "nursery", phase)
    school = _nearest(phase, lsoa / len(places), seat[rows], schools)
    decile = places["idaci_2025_decile"].to_numpy()[lsoa]
    ward = places["ward_code"].to_numpy()[lsoa]
    sen, plan = _status(child, rows, at, lsoa, decile, ward, phase, school, latent, schools, area_effect, census)
    phase, school = _specialist(child, rows, at, phase, school, plan, schools)
    need, second = (_as_of(census["time_period"], n) for n in _needs(child, rows, sen, plan))
    language = child.language[rows]
    frame = pd.DataFrame({"pupil_id": np.char.add(f"S{number:03d}", np.char.zfill(rows.astype("<U7"), 7))})
    frame["census_date"] = pd.Timestamp(census["date"])
    return frame.assign(
        time_period=_constant(census["time_period"], len(rows)),
        la_code=_constant(c["area_code"], len(rows)),
        school_urn=pd.Categorical(_urn(number, phase, school, schools)),
        school_phase=pd.Categorical(phase),
        lsoa21=pd.Categorical.from_codes(lsoa, places["lsoa21"]),
        ward_code=pd.Categorical(ward),
        year_group=pd.Categorical.from_codes(at, years),
        age=(at + 2).astype("int8"),
        sex=pd.Categorical.from_codes(child.male[rows].astype("int8"), ["F", "M"]),
        ethnicity=pd.Categorical.from_codes(child.ethnicity[rows], list(c["ethnicity"])),
        first_language=pd.Categorical(language),
        language_group=pd.Categorical(np.where(language == "ENG", "ENG", np.where(language == "NOT", "UNC", "OTH"))),
        fsm_eligible=child.fsm[rows],
        idaci_rank=places["idaci_2025_rank"].to_numpy("int32")[lsoa],
        idaci_decile=decile.astype("int8"),
        idaci_edition=_constant("2025", len(rows)),
        sen_provision=pd.Categorical.from_codes(sen.astype("int8") + plan, ["N", "K", "E"]),
        primary_need=need,
        secondary_need=second,
        in_unit=(plan & (phase == "primary") & (child.uniform["unit"][rows] < 0.1)),
        enrolment_status=_constant("C", len(rows)),
    )


def _constant(value: str, length: int) -> pd.Categorical:
    return pd.Categorical.from_codes(np.zeros(length, "int8"), [value])


def _on_roll(child: Child, position: NDArray, t: int) -> NDArray:
    sizes = np.array(list(calibration()["year_group"].values()), float)
    censuses = len(calibration()["censuses"])
    inside = (position >= 0) & (position < len(sizes))
    here = np.clip(position, 0, len(sizes) - 1)
    peak = np.array([sizes[max(0, s) : s + censuses].max() for s in range(1 - censuses, len(sizes))])
    share = sizes[here] / peak[child.start + censuses - 1]
    return inside & (child.uniform["stay"] < share) & (child.arrives <= t) & (t < child.leaves)


def _nearest(phase: NDArray, along: NDArray, seat: NDArray, schools: Schools) -> NDArray:
    """Mostly a school nearby: the home's place in the list of areas, with a spread that grows with the phase."""
    reach = {"nursery": 0.10, "primary": 0.08, "secondary": 0.25}
    chosen = np.zeros(len(phase), int)
    for name, width in reach.items():
        rows = phase == name
        count = len(schools.position[name])
        place = np.mod(along[rows] + width * (2 * seat[rows] - 1), 1.0)
        chosen[rows] = np.minimum((place * count).astype(int), count - 1)
    return chosen


def _status(child, rows, at, lsoa, decile, ward, phase, school, latent, schools, area_effect, census):
    c, truth = calibration(), planted()
    groups, risk = list(c["ethnicity"]), c["risk"]
    ratio = np.ones(len(groups))
    for item in truth["any_sen"]:
        ratio[groups.index(item["group"])] = item["risk_ratio"]
    effect = np.ones(len(rows))
    for name, values in schools.effect.items():
        here = phase == name
        effect[here] = values[school[here]] if here.any() else 1.0
    deprivation = np.exp(np.array(risk["deprivation_log_risk_by_quintile"]))[(decile - 1) // 2]
    relative = ratio[child.ethnicity[rows]] * np.where(child.male[rows], risk["boys"], 1.0)
    relative = relative * np.array(risk["age_profile"])[at] * deprivation * effect * area_effect[lsoa]
    plan_share = census["ehc_plan"] / (census["ehc_plan"] + census["sen_support"])
    in_ward = {w["ward_code"]: w for w in truth["ward"]}
    more = np.ones(len(rows))
    for code, item in in_ward.items():
        relative = np.where(ward == code, relative * item["support_factor"], relative)
        more = np.where(ward == code, item["plan_share_factor"], more)
    target = (census["ehc_plan"] + census["sen_support"]) / 100
    sen = latent[rows] < np.minimum(relative * _scale_to(relative, target), 0.95)
    return sen, sen & (child.uniform["plan"][rows] < plan_share * more)


def _scale_to(relative: NDArray, target: float) -> float:
    """The factor that brings the mean risk, each cut at 0.95, to ``target``."""
    factor = target / relative.mean()
    for _ in range(20):
        factor *= target / np.minimum(relative * factor, 0.95).mean()
    return factor


def _specialist(child, rows, at, phase, school, plan, schools: Schools):
    special = plan & (child.uniform["special"][rows] < calibration()["risk"]["special_share_of_plans"])
    special &= at >= 2
    alternative = ~special & (at >= 9) & (at <= 13) & (child.uniform["unit"][rows] > 0.996)
    count = len(schools.position["special"])
    school = np.where(special, (child.uniform["special"][rows] * 1e6).astype(int) % count, school)
    school = np.where(alternative, 0, school)
    phase = np.where(special, "special", np.where(alternative, "alternative", phase))
    return phase, school


def _urn(number: int, phase: NDArray, school: NDArray, schools: Schools) -> NDArray:
    first, start = {}, 0
    for name, positions in schools.position.items():
        first[name], start = start, start + len(positions)
    offset = np.select([phase == p for p in first], list(first.values()))
    return np.char.add(f"S{number:03d}", np.char.zfill((offset + school).astype("<U3"), 3))


def _needs(child, rows, sen, plan):
    c = calibration()
    codes, groups = np.array(list(c["need_sen_support"])), list(c["ethnicity"])
    factor = np.ones((len(groups), len(codes)))
    for item in planted()["need"]:
        factor[groups.index(item["group"]), list(codes).index(item["need"])] = item["factor"]
    mixes = [np.array([c[k][n] for n in codes], float) for k in ("need_sen_support", "need_ehc_plan")]
    tables = [np.cumsum(m / m.sum() * factor, axis=1) for m in mixes]
    for table, mix in zip(tables, mixes, strict=True):
        _rest_to_others(table, mix, factor)
    cumulative = np.where(plan[:, None], tables[1][child.ethnicity[rows]], tables[0][child.ethnicity[rows]])
    at = np.minimum((child.uniform["need"][rows][:, None] > cumulative).sum(axis=1), len(codes) - 1)
    second = np.minimum((child.uniform["second"][rows] / c["risk"]["secondary_need_share"] * 5).astype(int), 5)
    has_second = sen & (child.uniform["second"][rows] < c["risk"]["secondary_need_share"])
    labels = ["", *codes]
    primary = pd.Categorical.from_codes(np.where(sen, at + 1, 0), labels)
    secondary = pd.Categorical.from_codes(np.where(has_second & (second != at), second + 1, 0), labels)
    return primary, secondary


def _as_of(time_period: str, need: pd.Categorical) -> pd.Categorical:
    """Needs as the census of that year could hold them: Down syndrome has a code of its own from January 2025 on."""
    if time_period >= DOWN_SYNDROME_FROM:
        return need
    text = need.astype("str")
    return pd.Categorical(np.where(text == "DS", "OTH", text), categories=need.categories)


def _rest_to_others(table: NDArray, mix: NDArray, factor: NDArray) -> None:
    """Keep each planted need's share exact: the other needs take up, or give, the difference in proportion."""
    share = mix / mix.sum() * factor
    free = factor == 1.0
    rest = 1 - np.where(free, 0, share).sum(axis=1, keepdims=True)
    scaled = share * rest / np.where(free, share, 0).sum(axis=1, keepdims=True)
    table[:] = np.cumsum(np.where(free, scaled, share), axis=1)
