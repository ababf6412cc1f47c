"""A run as JSON, for other programs: what `--json` writes."""

from __future__ import annotations

from pathlib import Path

from bpdemo.results.document import write_document
from bpdemo.results.run import Run
from bpdemo.results.validity import causes_of


def write_json(run: Run, path: Path) -> None:
    """See `write_document`. Raises OSError."""
    write_document(
        path,
        sentence=run.sentence,
        causes=causes_of(run.records, run.meta),
        summary=run.summary,
        reasons=run.reasons,
        rows=run.frame.to_dict("records"),
        meta=run.meta,
    )
