"""JupyterLab as `make lab` serves it, and a kernel with no JupyterLab around it."""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from tests.support.processes import Family, free_port
from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
START_S = 60.0
#: A notebook without one is met by a dialog.
#: JupyterLab hands its own objects to the page: a test then asks the notebook's model what ran,
#: since only the cells in view are in the page. It changes nothing that a learner sees.
EXPOSED = '{"LabApp": {"expose_app_in_browser": true}}'


class Workshop:
    """The workshop's folder as `lab.py` leaves it, with `lab.py` running in it.

    The folder is a copy, its .venv borrows the packages of this Python: nothing is installed.
    """

    def __init__(self, folder: Path, **env: str) -> None:
        self.folder = folder
        self.family = Family()
        self.home = folder / "home"
        self.said = ""
        self.address = ""
        self._env = env
        self._process: subprocess.Popen[str] | None = None
        self._reader = threading.Thread(target=self._listen, daemon=True)

    def lay_out(self) -> "Workshop":
        for name in ("lab.py", "requirements.txt", "pyproject.toml"):
            shutil.copyfile(ROOT / name, self.folder / name)
        unwanted = shutil.ignore_patterns(".*")
        shutil.copytree(ROOT / "notebooks", self.folder / "notebooks", ignore=unwanted)
        borrow_environment(self.folder / ".venv")
        lab = load_module(self.folder / "lab.py")
        lab.STAMP.write_text(lab.fingerprint(), encoding="utf-8")  # as after its own setup
        return self

    def start(self) -> None:
        """Run `python lab.py` until it tells its `address`, with the token in it."""
        config = self.folder / ".venv" / "jupyter" / "config"
        self.start_as([sys.executable, "lab.py"], config, dict(os.environ))

    def start_as(self, command: list[str], config: Path, environment: dict[str, str]) -> None:
        """Run that in the folder, until it tells its `address`; `config` is to be JupyterLab's."""
        config.mkdir(parents=True)
        (config / "jupyter_lab_config.json").write_text(EXPOSED, encoding="utf-8")
        self._process = subprocess.Popen(
            [*command, "--no-browser", "--port", str(free_port())],
            cwd=self.folder,
            env=environment
            | {"BPDEMO_HOME": str(self.home), "BPDEMO_PROFILE": "short"}
            | self.family.environment
            | self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader.start()
        self.address = eventually(self._address, "lab.py tells its address", within_s=START_S)

    def address_of(self, lesson: str) -> str:
        """The address of a lesson, as one gets there by the file browser."""
        return re.sub(r"/notebooks/\w+\.ipynb", f"/notebooks/{lesson}.ipynb", self.address)

    def stop(self) -> int:
        """End it as Ctrl-C does; its exit code."""
        assert self._process is not None
        self.family.meet(self._process.pid)
        self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(15)
        finally:
            self.family.see_out()
            self._process.wait()
            self._reader.join(5)
            assert self._process.stdout is not None
            self._process.stdout.close()

    def _address(self) -> str | None:
        assert self._process is not None
        assert self._process.poll() is None, f"lab.py has ended: {self.said}"
        address = re.search(r"http://127\.0\.0\.1:\d+/lab\S*", self.said)
        return address[0] if address else None

    def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said += line


def borrow_environment(folder: Path) -> None:
    """A virtual environment whose packages are those of this one.

    The settings of JupyterLab stay behind, so that the test sees what the workshop sets itself.
    """
    (folder / "share" / "jupyter" / "lab").mkdir(parents=True)
    mine = Path(sys.prefix)
    link_all(mine, folder, but={"share", "jupyter", "bpdemo-setup.txt", "bpdemo-setup.log"})
    link_all(mine / "share", folder / "share", but={"jupyter"})
    link_all(mine / "share" / "jupyter", folder / "share" / "jupyter", but={"lab"})
    lab = Path("share", "jupyter", "lab")
    link_all(mine / lab, folder / lab, but={"settings"})


def link_all(source: Path, target: Path, but: set[str]) -> None:
    for path in source.iterdir() if source.exists() else ():
        if path.name not in but:
            (target / path.name).symlink_to(path)


def load_module(path: Path) -> Any:
    """A script as a module; it takes its own folder for its root."""
    spec = importlib.util.spec_from_file_location("lab_of_the_workshop", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Outcome:
    """What a cell came to: all it printed, and the name of the error that ended it."""

    printed: str
    error: str | None = None
    traceback: str = ""


class Kernel:
    """A real ipykernel, as a notebook has one."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.family = Family()
        self.manager = KernelManager(kernel_name="python3")
        self._env = {**os.environ, **self.family.environment, **env}
        self._folder = folder
        self.client: BlockingKernelClient = self.manager.client()

    def __enter__(self) -> "Kernel":
        self.manager.start_kernel(env=self._env, cwd=str(self._folder))
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=START_S)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.family.see_out()

    def restart(self) -> None:
        """As the button does: the kernel is asked to end, and another takes its place."""
        self.manager.restart_kernel()
        self.client.wait_for_ready(timeout=START_S)

    @property
    def pid(self) -> int:
        provisioner: Any = self.manager.provisioner
        return int(provisioner.pid)

    def run(self, code: str, within_s: float = START_S) -> str:
        """Run a cell to its end; what it printed. Fails with the traceback of one that raises."""
        outcome = self.outcome(self.begin(code), within_s)
        assert outcome.error is None, outcome.traceback
        return outcome.printed

    def begin(self, code: str) -> str:
        """Start a cell; `outcome` waits for it."""
        return str(self.client.execute(code))

    def outcome(self, cell: str, within_s: float = START_S) -> Outcome:
        printed, give_up_s = "", time.monotonic() + within_s
        error, traceback = None, ""
        while True:
            try:
                left_s = max(0.1, give_up_s - time.monotonic())
                message = self.client.get_iopub_msg(timeout=left_s)
            except Empty:
                raise AssertionError(f"the cell still runs after {within_s} s") from None
            if message["parent_header"].get("msg_id") != cell:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                printed += content["text"]
            elif kind == "error":
                error, traceback = content["ename"], "\n".join(content["traceback"])
            elif kind == "status" and content["execution_state"] == "idle":
                return Outcome(printed, error, traceback)
