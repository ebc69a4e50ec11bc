"""The published register of open schools, read whole."""

from jsna.sources.schools import read_schools


def test_the_register_of_may_2025(official_data):
    path = next(official_data.rglob("gias_open_establishments_*.csv*"))
    loaded = read_schools(path)
    assert len(loaded.frame) == 27_153
    assert loaded.quarantine.empty
    luton = loaded.frame[loaded.frame["laestab"].str.startswith("821")]
    counts = luton["phase"].value_counts().to_dict()
    assert {p: counts[p] for p in ("primary", "secondary", "nursery", "special", "alternative")} == {
        "primary": 46,
        "secondary": 13,
        "nursery": 6,
        "special": 5,
        "alternative": 1,
    }
