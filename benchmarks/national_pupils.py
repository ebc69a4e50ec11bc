"""The national load for benchmarks: parquet files made once into a folder, and put into a PostgreSQL server."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from jsna.synthetic.national import COLUMNS, PUPILS, write_national

BY = ("ethnicity", "first_language", "idaci_decile", "ward_code", "sex", "year_group")
GROUPINGS = [(c,) for c in BY] + list(itertools.combinations(BY, 2))
FLAGS, WHOLE = ("fsm_eligible", "in_unit"), ("idaci_rank", "idaci_decile")


def national(folder: Path, pupils: int = PUPILS, areas: int = 153) -> Path:
    """The folder of parquet files with so many pupils a census, made where it is not there yet."""
    made = folder / f"{pupils}-{areas}"
    if not (made / "done").is_file():
        started = time.monotonic()
        write_national(made, pupils=pupils, areas=areas)
        (made / "done").touch()
        size = sum(p.stat().st_size for p in made.glob("*.parquet")) / 1e6
        print(f"made {pupils:,} pupils a census, {areas} areas: {time.monotonic() - started:.0f} s, {size:.0f} MB")
    return made


def load_postgres(url: str, folder: Path, table: str = "pupils") -> float:
    """Put all rows into a table with an index by area; seconds."""
    import psycopg

    started = time.monotonic()
    kinds = {c: "boolean" if c in FLAGS else "integer" if c in WHOLE else "text" for c in COLUMNS}
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(f"drop table if exists {table}")
        cursor.execute(f"create unlogged table {table} ({', '.join(f'{c} {k} not null' for c, k in kinds.items())})")
        with cursor.copy(
            f"copy {table} ({', '.join(COLUMNS)}) from stdin (format csv, force_not_null ({_texts(kinds)}))"
        ) as copy:
            for file in sorted(folder.glob("*.parquet")):
                for batch in pq.ParquetFile(file).iter_batches(200_000, columns=list(COLUMNS)):
                    text = pa.BufferOutputStream()
                    csv.write_csv(batch, text, csv.WriteOptions(include_header=False, quoting_style="needed"))
                    copy.write(text.getvalue())
        cursor.execute(f"create index on {table} (la_code)")
        cursor.execute(f"analyze {table}")
    return time.monotonic() - started


def _texts(kinds: dict[str, str]) -> str:
    return ", ".join(c for c, k in kinds.items() if k == "text")
