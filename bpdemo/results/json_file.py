"""A run as JSON, for other programs: what `--json` writes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bpdemo.core.whole_file import write_whole
from bpdemo.results.run import Run
from bpdemo.results.validity import causes_of


def require_folder_of(path: Path | None) -> None:
    """ValueError before the load, not after it, if the file could not be written."""
    if path is None:
        return
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise ValueError(f"json: {path} cannot be written: a folder, or its folder is not there")


def write_json(run: Run, path: Path) -> None:
    """Summary, frame, reasons and facts of the run; what is not known is null. Raises OSError."""
    causes = causes_of(run.records, run.meta)
    document = {
        "sentence": run.sentence,
        "valid": not causes,
        "causes": causes,
        "summary": run.summary,
        "reasons": run.reasons,
        "frame": run.frame.to_dict("records"),
        "meta": asdict(run.meta),
    }
    write_whole(path, (json.dumps(_plain(document), indent=1) + "\n").encode())


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
