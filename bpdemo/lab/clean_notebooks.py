"""A notebook that has only been opened has no unsaved changes, and nothing in it runs.

JupyterLab writes what the kernel tells of its language into the notebook as soon as the kernel
runs. A lesson cannot hold that already, for it differs from Python to Python; so it is added where
the notebook is read. Then nothing changes, and no dot asks the learner to save what they have not
touched.

A page that is left while a cell runs was saved with the line that told how far it was, and nothing
moves that line any more. It is replaced by one that says so.
"""

from __future__ import annotations

from typing import Any, Final

from bpdemo.core.box import PASSING

LEFT: Final = (
    "<i>The page was left while this cell ran. Once the kernel is idle, what it made is there: go "
    "on with the next cell. If the kernel has ended, run this one again.</i>"
)


def with_language(notebook: Any) -> None:
    """Add what the kernel, which is this Python, will tell of its language."""
    from ipykernel.ipkernel import IPythonKernel

    metadata = notebook.get("metadata", {})
    if metadata.get("kernelspec", {}).get("name") == "python3":
        metadata["language_info"] = dict(IPythonKernel.language_info)


def without_passing(notebook: Any) -> None:
    """Say of a cell that was saved in its middle what became of it; once, however many lines."""
    for cell in notebook.get("cells", []):
        outputs = cell.get("outputs", [])
        stale = [output for output in outputs if _is_passing(output)]
        for output in stale[1:]:
            outputs.remove(output)
        for output in stale[:1]:
            output["data"] = {"text/html": LEFT, "text/plain": "The page was left."}


def _is_passing(output: Any) -> bool:
    told = output.get("data", {}).get("text/html", "")
    return PASSING in (told if isinstance(told, str) else "".join(told))


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
        without_passing(nb)

    reading.mark_trusted_cells = marked
