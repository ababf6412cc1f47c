"""Runs on disk: one JSON file, gzipped when its name ends in .gz."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

import numpy as np

from bpdemo.core.whole_file import write_whole
from bpdemo.results.meta import Meta
from bpdemo.results.records import Column, Records, Samples

FORMAT: Final = "bpdemo-run"
VERSION: Final = 2
LABELS: Final = ("reason", "client", "priority")


def write(path: Path, records: Records, samples: Samples, meta: Meta) -> None:
    document = {
        "format": FORMAT,
        "version": VERSION,
        "meta": asdict(meta),
        "records": {f.name: _packed(f.name, getattr(records, f.name)) for f in fields(records)},
        "samples": {name: _rounded(column) for name, column in _known(samples)},
    }
    data = json.dumps(document, separators=(",", ":")).encode()
    write_whole(path, gzip.compress(data, compresslevel=5) if path.suffix == ".gz" else data)


def read(path: Path) -> tuple[Records, Samples, Meta]:
    """What `write` wrote; ValueError, in one line, for any other file."""
    document = _document(path)
    try:
        columns = {name: _unpacked(name, value) for name, value in document["records"].items()}
        samples = {name: np.asarray(value, float) for name, value in document["samples"].items()}
        meta = document["meta"]
        meta["marks"] = tuple((float(t_s), str(text)) for t_s, text in meta["marks"])
        meta["lost"] = tuple(map(str, meta.get("lost", ())))
        meta["turns"] = tuple((float(t_s), float(to)) for t_s, to in meta.get("turns", ()))
        return Records.of(**columns), Samples(**samples), Meta(**meta)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is a damaged run file: {error}") from error


def _document(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    try:
        text = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        document = json.loads(text)
    except (OSError, EOFError, ValueError) as error:
        raise ValueError(f"{path} is not a run saved by bpdemo: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"{path} is not a run saved by bpdemo")
    if document.get("version") != VERSION:
        raise ValueError(
            f"{path} is version {document.get('version')} of a saved run; "
            f"this bpdemo reads version {VERSION}"
        )
    return document


def _known(samples: Samples) -> Iterator[tuple[str, Column]]:
    """Its columns, but for what nobody looked at: JSON has no word for that."""
    for name in (field.name for field in fields(samples)):
        column = getattr(samples, name)
        if not np.isnan(column).any():
            yield name, column


def _packed(name: str, values: Column) -> Any:
    """Label columns as a table of labels and an index into it; times to 0.1 ms."""
    if name not in LABELS:
        return _rounded(values)
    import pandas as pd  # slow to load, and most runs are never saved

    places, table = pd.factorize(values)
    return {"table": table.tolist(), "places": places.tolist()}


def _unpacked(name: str, value: Any) -> Any:
    if name not in LABELS:
        return value
    return np.asarray(value["table"], dtype=object)[np.asarray(value["places"], dtype=int)]


def _rounded(values: Column) -> list[Any]:
    rounded: list[Any] = (values.round(4) if values.dtype.kind == "f" else values).tolist()
    return rounded
