"""A notebook that has only been opened has no unsaved changes.

JupyterLab writes what the kernel tells of its language into the notebook as soon as the kernel
runs. A lesson cannot hold that already, for it differs from Python to Python; so it is added where
the notebook is read. Then nothing changes, and no dot asks the learner to save what they have not
touched.
"""

from __future__ import annotations

from typing import Any


def with_language(notebook: Any) -> None:
    """Add what the kernel, which is this Python, will tell of its language."""
    from ipykernel.ipkernel import IPythonKernel

    metadata = notebook.get("metadata", {})
    if metadata.get("kernelspec", {}).get("name") == "python3":
        metadata["language_info"] = dict(IPythonKernel.language_info)


def serve_clean_notebooks() -> None:
    """From now on the server's contents do so, in this process."""
    from jupyter_server.services.contents.manager import ContentsManager

    reading: Any = ContentsManager
    mark = reading.mark_trusted_cells

    # Called for each notebook that is read, between its signature and its way to the page: what is
    # added before it would spoil the signature.
    def marked(self: Any, nb: Any, path: str = "") -> None:
        mark(self, nb, path)
        with_language(nb)

    reading.mark_trusted_cells = marked
