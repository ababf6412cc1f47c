"""Buttons and sliders keep working after the page was loaded again.

JupyterLab sends the messages of widgets to a subshell of the kernel, a thread of their own, so that
a slider moves while a cell runs. All widgets share one, and it counts who uses it. While the page
comes up again, one widget may leave and the next arrive before that count is settled: JupyterLab
then deletes the subshell that it goes on using, and every button is dead, without a word.
"""

from __future__ import annotations

from typing import Any

from bpdemo.core.box import shell_here

REQUEST = "delete_subshell_request"


def keep_subshells() -> None:
    """From now on a subshell of this kernel lasts as long as the kernel. Safe to call twice.

    It costs a resting thread each time the page is loaded. Without a kernel nothing happens.
    """
    kernel = getattr(shell_here(), "kernel", None)
    handlers = getattr(kernel, "control_handlers", None)
    if handlers is not None and REQUEST in handlers:
        handlers[REQUEST] = _Kept(kernel)


class _Kept:
    """Answers a request to delete a subshell as if it were done."""

    def __init__(self, kernel: Any) -> None:
        self._kernel = kernel

    async def __call__(self, socket: Any, ident: Any, parent: Any) -> None:
        reply = {"status": "ok"}
        self._kernel.session.send(socket, "delete_subshell_reply", reply, parent, ident)
