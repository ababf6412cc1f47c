"""A kernel of Jupyter, as a notebook has it, and what it says."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty
from typing import Any

START_S = 60.0


@contextmanager
def kernel(home: str) -> Iterator[tuple[Any, float]]:
    from jupyter_client.manager import KernelManager

    began_s, manager = time.monotonic(), KernelManager(kernel_name="python3")
    manager.start_kernel(env={**os.environ, "BPDEMO_HOME": home}, stderr=subprocess.DEVNULL)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=START_S)
        yield client, began_s
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def is_over(message: dict[str, Any]) -> bool:
    return bool(message["content"].get("execution_state") == "idle")


def hear(client: Any, wanted: Any) -> dict[str, Any]:
    give_up_s = time.monotonic() + START_S
    while time.monotonic() < give_up_s:
        try:
            message: dict[str, Any] = client.get_iopub_msg(timeout=1)
        except Empty:
            continue
        if message["msg_type"] == "error":
            raise RuntimeError("\n".join(message["content"]["traceback"]))
        if wanted(message):
            return message
    raise TimeoutError(f"the kernel did not answer within {START_S:g} s")
