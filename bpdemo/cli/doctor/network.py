"""What the doctor looks at in the network of this machine: the way from load to service."""

from __future__ import annotations

import os
import socket
from typing import Final

from bpdemo.cli.doctor.finding import Finding
from bpdemo.core.one_line import in_one_line
from bpdemo.core.open_files import OPEN_FILES, raise_open_files

PROXY_VARIABLES: Final = ("http_proxy", "https_proxy", "all_proxy")


def proxy_variables() -> Finding:
    known = {name.lower(): value for name, value in os.environ.items()}
    found = [name for name in PROXY_VARIABLES if known.get(name)]
    if not found:
        return Finding("proxy variables", "ok", "none")
    spared = {part.strip() for part in known.get("no_proxy", "").split(",")}
    seen = f"{', '.join(found)} set; bpdemo ignores them on this machine"
    if spared & {"*", "127.0.0.1", "127.0.0.0/8"}:
        return Finding("proxy variables", "ok", f"{seen}, and no_proxy spares 127.0.0.1")
    mend = "set no_proxy=127.0.0.1,localhost, or the browser may ask the proxy for JupyterLab"
    return Finding("proxy variables", "warn", seen, mend)


def loopback() -> Finding:
    mend = "allow Python to listen on and connect to 127.0.0.1 in your firewall or security tool"
    try:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(2)
            with socket.create_connection(listener.getsockname(), timeout=2) as caller:
                answerer, _ = listener.accept()
                with answerer:
                    answerer.sendall(b"!")
                    heard = caller.recv(1)
    except OSError as error:
        return Finding("loopback", "FAIL", f"127.0.0.1 does not work: {in_one_line(error)}", mend)
    if heard != b"!":
        return Finding("loopback", "FAIL", "something swallows what is sent on 127.0.0.1", mend)
    return Finding("loopback", "ok", "127.0.0.1 listens and answers")


def open_files() -> Finding:
    """Raises the soft limit of this process; what it starts inherits that."""
    was, now = raise_open_files()
    if now is None or was is None:
        return Finding("open files", "ok", "no limit")
    seen = f"{now} (raised from {was} for this run)" if now > was else f"{now}"
    if now < OPEN_FILES:
        mend = f"ask for a hard limit of {OPEN_FILES}; until then stay below 5 times capacity"
        return Finding("open files", "warn", seen, mend)
    if now > was:
        mend = f"for the lessons: ulimit -n {OPEN_FILES}, in the terminal that starts them"
        return Finding("open files", "warn", seen, mend)
    return Finding("open files", "ok", seen)
