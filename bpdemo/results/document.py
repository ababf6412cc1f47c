"""A run as a JSON document: what `--json` writes, whatever the numbers were worked out with."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bpdemo.core.whole_file import write_whole
from bpdemo.results.meta import Meta, Summary


def require_folder_of(path: Path | None, name: str = "json") -> None:
    """ValueError, before the load and not after it, if the file of that option could not be
    written."""
    if path is None:
        return
    if path.is_dir():
        raise ValueError(f"{name}: {path} cannot be written: it is a folder, not a file")
    if not path.absolute().parent.is_dir():
        raise ValueError(f"{name}: {path} cannot be written: there is no folder {path.parent}")


def write_document(
    path: Path,
    *,
    sentence: str,
    causes: Sequence[str],
    summary: Summary,
    reasons: Mapping[str, int],
    rows: Sequence[Mapping[Any, Any]],
    meta: Meta,
) -> None:
    """Summary, frame, reasons and facts of the run; what is not known is null. Raises OSError."""
    document = {
        "sentence": sentence,
        "valid": not causes,
        "causes": causes,
        "summary": summary,
        "reasons": reasons,
        "frame": rows,
        "meta": asdict(meta),
    }
    write_whole(path, (json.dumps(_plain(document), indent=1) + "\n").encode())


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
