"""JupyterLab runs any code: so it opens for anyone who has its token, and for nobody else."""

import asyncio
import json
import time
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import psutil
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tests.support.jupyter import Workshop

pytestmark = pytest.mark.slow

#: What another JupyterLab of this machine may be told.
THEIRS = """
c.ServerApp.base_url = '/me/'
c.ServerApp.token = c.IdentityProvider.token = 'another'
c.ServerApp.port = 1
c.MappingKernelManager.default_kernel_name = 'theirs'
"""
MARK = "open({!r}, 'w').close()\n"


def plant(home):
    """All that the machine's own Jupyter, IPython and Python are told; the variables among it.

    What runs of it leaves the file `ran`.
    """
    mark = MARK.format(str(home / "ran"))
    files = {
        ".jupyter/jupyter_server_config.py": THEIRS + mark,
        ".jupyter/jupyter_lab_config.py": THEIRS + mark,
        ".jupyter/jupyter_config.py": THEIRS + mark,
        "etc/jupyter_server_config.py": THEIRS + mark,
        ".ipython/profile_default/startup/00.py": mark,
        ".ipython/profile_default/ipython_config.py": mark,
        ".ipython/profile_default/ipython_kernel_config.py": mark,
        "startup.py": mark,
    }
    foreign = {"argv": ["false"], "display_name": "Theirs", "language": "python"}
    for folder in ("share", ".local/share/jupyter", ".ipython"):
        for name in ("python3", "theirs"):
            files[f"{folder}/kernels/{name}/kernel.json"] = json.dumps(foreign)
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, "utf-8")
    return {
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / ".jupyter"),
        "JUPYTER_CONFIG_PATH": str(home / "etc"),
        "JUPYTER_PATH": str(home / "share"),
        "JUPYTER_PREFER_ENV_PATH": "0",
        "JUPYTER_TOKEN": "another",
        "IPYTHONDIR": str(home / ".ipython"),
        "PYTHONSTARTUP": str(home / "startup.py"),
        "PYTHONWARNINGS": "error",
        "PLOTLY_RENDERER": "browser",
        "PGPORT": "1",
        "NODE_OPTIONS": "--no-such-option",
    }


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Of somebody who uses Jupyter for other things as well."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory, home):
    workshop = Workshop(tmp_path_factory.mktemp("workshop"), **plant(home)).lay_out()
    workshop.start()
    yield workshop
    workshop.stop()


@pytest.fixture
def lab(workshop):
    """A caller with nothing in their hands."""
    parts = urlsplit(workshop.address)
    with httpx.Client(base_url=f"http://{parts.netloc}", trust_env=False, timeout=30) as client:
        yield client


def token_of(workshop):
    return parse_qs(urlsplit(workshop.address).query)["token"][0]


CLOSED = [
    *(("GET", path) for path in ("/api/contents", "/api/kernels", "/api/terminals", "/api/me")),
    *(("POST", path) for path in ("/api/kernels", "/api/terminals", "/api/sessions")),
    *(("PUT", "/api/contents/x.txt"), ("GET", "/files/lab.py"), ("GET", "/metrics")),
]


@pytest.mark.parametrize(("method", "path"), CLOSED)
@pytest.mark.parametrize("token", [None, "", "wrong", "in another case"])
def test_without_the_token_nothing_opens(workshop, lab, method, path, token):
    """403, or the page that asks for it: no file, no kernel, no terminal."""
    given = token_of(workshop).upper() if token == "in another case" else token
    answer = lab.request(method, path, params={} if given is None else {"token": given})
    assert answer.status_code in (302, 403)
    if answer.status_code == 302:
        assert answer.headers["location"].startswith("/login?")


def test_with_the_token_it_opens(workshop, lab):
    """The same request, and the token."""
    answer = lab.get("/api/contents", headers={"Authorization": f"token {token_of(workshop)}"})
    assert answer.status_code == 200


def test_another_name_for_this_machine_does_not_open_it(workshop, lab):
    """A page of another site cannot reach it by a name of its own, token or not."""
    headers = {"Authorization": f"token {token_of(workshop)}", "Host": "evil.example"}
    assert lab.get("/api/contents", headers=headers).status_code == 403


def test_the_token_is_long_and_not_to_be_seen(workshop):
    """192 bits, and no word of it in what other users of the machine see of our processes."""
    token = token_of(workshop)
    assert len(token) == 48
    lines = [process.info["cmdline"] for process in psutil.process_iter(["cmdline"])]
    assert not any(token in word for line in lines for word in line or ())


def test_the_address_that_is_printed_opens_the_lesson(workshop):
    """Not the page of another folder, and no login: 200 by what `lab.py` says, and that alone."""
    with httpx.Client(trust_env=False, timeout=30) as caller:
        page = caller.get(workshop.address)
        assert page.status_code == 200
        assert "jupyter-config-data" in page.text
    before = workshop.said.split(workshop.address)[0].split("\n")
    assert [line.strip() for line in before if line.strip()] == [
        "Starting JupyterLab ...",
        "The workshop is open at",
    ]


def message(kind, content=None, *, channel="shell", subshell=None):
    header = {"msg_id": uuid4().hex, "msg_type": kind, "session": "s", "username": ""}
    header |= {"subshell_id": subshell} if subshell else {}
    around = {"parent_header": {}, "metadata": {}, "content": content or {}}
    return json.dumps({"channel": channel, "header": header} | around)


async def connected(workshop, kernel):
    """A page's socket to its kernel."""
    parts = urlsplit(workshop.address)
    address = f"ws://{parts.netloc}/api/kernels/{kernel}/channels?session_id=s"
    headers = {"Authorization": f"token {token_of(workshop)}"}
    asking = HTTPRequest(address, headers=headers, connect_timeout=60, request_timeout=60)
    return await websocket_connect(asking)


async def closed(socket):
    """Until the other side has heard of it, or the socket would outlast its loop."""
    socket.close()
    while await socket.read_message() is not None:
        pass


async def heard(socket, kind):
    """The content of the next message of that kind."""
    while True:
        told = json.loads(await socket.read_message())
        if told["header"]["msg_type"] == kind:
            return told["content"]


def language_of(workshop, kernel):
    """What the page hears of the kernel's language over its socket."""

    async def ask():
        socket = await connected(workshop, kernel)
        try:
            await socket.write_message(message("kernel_info_request"))
            return (await heard(socket, "kernel_info_reply"))["language_info"]
        finally:
            await closed(socket)

    return asyncio.run(asyncio.wait_for(ask(), 90))


def test_a_notebook_that_is_opened_is_unchanged_and_the_terminal_is_quiet(workshop, lab):
    """What a page would write into the notebook, when the kernel has told of its language, stands
    in it already, before and after it is saved; so no dot says that there is something to save. And
    meanwhile not a line is printed: no warning of Jupyter's, of Tornado's or the kernel's.
    """
    authority = {"Authorization": f"token {token_of(workshop)}"}
    before = len(workshop.said)  # whom another test has sent away is told there, and should be
    path = "/api/contents/notebooks/00_start_here.ipynb"
    opened = lab.get(path, headers=authority).json()["content"]
    started = lab.post("/api/kernels", headers=authority, json={"name": "python3"}).json()
    try:
        told = language_of(workshop, started["id"])
        after = workshop.said[before:]
    finally:
        lab.delete(f"/api/kernels/{started['id']}", headers=authority)
    assert opened["metadata"]["language_info"] == told
    saved = lab.put(path, headers=authority, json={"type": "notebook", "content": opened})
    assert saved.status_code == 200
    again = lab.get(path, headers=authority).json()["content"]
    assert again["metadata"] == opened["metadata"]
    assert after.strip() == ""


TELLS = """
import time, ipywidgets
bar = ipywidgets.IntProgress()
while True:
    bar.value = (bar.value + 1) % 100
    print(bar.value)
    time.sleep(0.01)
"""


def restart_in_mid_cell(workshop, kernel, restart):
    """As a page does that has widgets: they go on asking for their thread of before."""

    async def play():
        socket = await connected(workshop, kernel)
        try:
            await socket.write_message(message("create_subshell_request", channel="control"))
            subshell = (await heard(socket, "create_subshell_reply"))["subshell_id"]
            asked = {"silent": False, "stop_on_error": True}
            await socket.write_message(message("execute_request", {"code": TELLS} | asked))
            assert await heard(socket, "stream")
            await asyncio.to_thread(restart)
            comm = {"comm_id": "gone", "data": {}}
            await socket.write_message(message("comm_msg", comm, subshell=subshell))
            await socket.write_message(message("kernel_info_request"))
            assert await heard(socket, "kernel_info_reply")
        finally:
            await closed(socket)

    asyncio.run(asyncio.wait_for(play(), 90))


def test_a_restart_in_mid_cell_leaves_the_terminal_quiet(workshop, lab):
    """The cell cannot tell how it ended, since its kernel has closed its sockets; and a widget asks
    for a thread of the kernel before. Nobody can act on either."""
    authority = {"Authorization": f"token {token_of(workshop)}"}
    started = lab.post("/api/kernels", headers=authority, json={"name": "python3"}).json()
    at = f"/api/kernels/{started['id']}"
    before = len(workshop.said)

    def restart():
        assert lab.post(f"{at}/restart", headers=authority, timeout=60).status_code == 200

    try:
        restart_in_mid_cell(workshop, started["id"], restart)
        after = workshop.said[before:]
    finally:
        lab.delete(at, headers=authority)
    assert after.strip() == ""


def answers(client, within_s=60):
    """A kernel that takes long to start, as on a busy machine, has no heartbeat yet: to its client
    it has died."""
    give_up_s = time.monotonic() + within_s
    while True:
        try:
            return client.wait_for_ready(timeout=within_s)
        except RuntimeError:
            if time.monotonic() > give_up_s:
                raise


def test_its_kernel_is_the_workshops_own(workshop, lab, home):
    """The one kernel there is: the Python of .venv, and nothing of the machine's runs in it."""
    authority = {"Authorization": f"token {token_of(workshop)}"}
    specs = lab.get("/api/kernelspecs", headers=authority).json()
    assert (specs["default"], list(specs["kernelspecs"])) == ("python3", ["python3"])
    started = lab.post("/api/kernels", headers=authority, json={"name": "python3"}).json()
    file = workshop.folder / ".venv" / "jupyter" / "runtime" / f"kernel-{started['id']}.json"
    client = BlockingKernelClient(connection_file=str(file))
    client.load_connection_file()
    client.start_channels()
    try:
        answers(client)  # before it listens, what a kernel prints is lost
        code = "import os, sys; print(sys.prefix, sys.warnoptions, sorted(set(os.environ)))"
        printed = []
        client.execute_interactive(
            code, timeout=60, output_hook=lambda m: printed.append(m["content"].get("text", ""))
        )
    finally:
        client.stop_channels()
        lab.delete(f"/api/kernels/{started['id']}", headers=authority)
    told = "".join(printed)
    assert told.startswith(f"{workshop.folder / '.venv'} []")
    assert not any(f"'{name}'" in told for name in ("PGPORT", "PLOTLY_RENDERER", "PYTHONSTARTUP"))
    assert not (home / "ran").exists()
