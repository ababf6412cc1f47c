"""JupyterLab as the workshop starts it: on the loopback address, with folders of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from bpdemo.core.environment import own_environment
from bpdemo.core.open_files import raise_open_files


def start_jupyter(folder: Path, port: int, token: str) -> subprocess.Popen[bytes]:
    """Serve `folder` at that port of 127.0.0.1, for anyone who has the token."""
    raise_open_files()  # kernels inherit it
    command = [sys.executable, "-m", "bpdemo.lab.jupyter_alone", "--no-browser", "-y"]
    command += ["--log-level=WARN", "--LabApp.log_level=WARN"]
    # Nor does it look for language servers of other editors, by running what it finds.
    command += ["--LanguageServerManager.autodetect=False"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    command += ["--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}"]
    command += ["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    return subprocess.Popen(command, cwd=folder, env=jupyter_environment(folder, token))


def free_port(preferred: int) -> int:
    """That one or one of the twenty after it, else any."""
    for port in (*range(preferred, min(preferred + 20, 65536)), 0):
        try:
            with socket.create_server(("127.0.0.1", port)) as server:
                return int(server.getsockname()[1])
        except OSError:
            continue
    return preferred


def jupyter_environment(folder: Path, token: str) -> dict[str, str]:
    """Jupyter's and IPython's folders are the workshop's own, so that the machine's other Jupyters
    neither steer it nor are changed. The token goes by the environment, where other users of the
    machine cannot read it. `bpdemo` is found in JupyterLab's terminals."""
    own = folder_of_jupyter(folder)
    folders = {
        "JUPYTER_CONFIG_DIR": own / "config",
        "JUPYTER_DATA_DIR": own / "data",
        "JUPYTER_RUNTIME_DIR": own / "runtime",
        "IPYTHONDIR": own / "ipython",
    }
    for each in folders.values():
        each.mkdir(parents=True, exist_ok=True)
    said = {name: str(path) for name, path in folders.items()}
    said |= {"JUPYTER_TOKEN": token, "JUPYTER_PREFER_ENV_PATH": "1"}
    programs = str(Path(sys.executable).parent)  # not resolved: a link leads out of an environment
    said["PATH"] = os.pathsep.join(filter(None, (programs, os.environ.get("PATH"))))
    if sys.prefix != sys.base_prefix:
        said["VIRTUAL_ENV"] = sys.prefix
    if not Path("~").expanduser().is_absolute():  # a user without an entry, as in a container
        said["HOME"] = str(own)
    return own_environment(said)


def folder_of_jupyter(folder: Path) -> Path:
    """With an environment in the folder they live there, and go with it; else beside the course."""
    environment = Path(sys.prefix)
    within = environment.parent.resolve() == folder.resolve()
    return environment / "jupyter" if within else folder / ".jupyter"
