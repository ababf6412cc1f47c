"""`lab.py` on machines that are set up for other Pythons, pips and Jupyters, or that refuse."""

import os
import re
import shutil
import subprocess
import sys
import threading
import tomllib
import venv
import zipfile
from pathlib import Path
from typing import Any

import pip
import pytest

from tests.support.jupyter import load_module

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = (ROOT / "pyproject.toml").read_text("utf-8")


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script, in a folder with an environment of its own that has pip, and in no other home."""
    folder, home = tmp_path / "workshop", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    shutil.copyfile(ROOT / "lab.py", folder / "lab.py")
    venv.create(folder / ".venv", with_pip=False)
    module = load_module(folder / "lab.py")
    # pip itself is that of this Python: to install it takes seconds.
    packages = next((folder / ".venv").glob("[Ll]ib/**/site-packages"))
    (packages / "pip").symlink_to(Path(pip.__file__).parent)
    for name in [name for name in os.environ if name.upper().startswith(("PIP_", "PYTHON"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("APPDATA", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return module


def a_wheel(folder: Path) -> Path:
    """The smallest package there is."""
    path, info = folder / "tiny-1-py3-none-any.whl", "tiny-1.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tiny.py", "")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


OTHERS = {
    "for the user": ({"PIP_USER": "1"}, "[install]\nuser = true\n"),
    "elsewhere, or not at all": (
        {"PIP_TARGET": "elsewhere", "PIP_DRY_RUN": "1", "PIP_PYTHON": "no-such-python"}
        | {"PIP_REQUIREMENT": "none.txt", "PIP_NO_BINARY": ":all:", "PIP_NO_INDEX": "0"},
        "[global]\npython = none\ntarget = elsewhere\n[install]\nprefix = elsewhere\n"
        "dry-run = true\nconstraint = x.txt\nno-binary = :all:\nquiet = 3\n",
    ),
    "broken": ({"PIP_TIMEOUT": "", "PIP_USER": "perhaps"}, "user = true, and no section\n"),
    "a hostile Python": ({"PYTHONHOME": "/no", "PYTHONPATH": "hostile", "PYTHONUTF8": "x"}, ""),
}


@pytest.mark.parametrize("case", OTHERS)
def test_packages_go_into_the_environment(case, lab, tmp_path, monkeypatch):
    """By variables and by a file at once, whatever pip is told elsewhere."""
    variables, conf = OTHERS[case]
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    (hostile / "pip.py").write_text("raise SystemExit('the pip of another Python')", "utf-8")
    for name, value in variables.items():
        monkeypatch.setenv(name, str(hostile) if value == "hostile" else value)
    for place in (".config/pip/pip.conf", ".pip/pip.conf", "pip/pip.ini"):
        (tmp_path / "home" / place).parent.mkdir(parents=True)
        (tmp_path / "home" / place).write_text(conf, "utf-8")
    monkeypatch.chdir(tmp_path)
    lab.pip("--no-deps", str(a_wheel(tmp_path)))
    assert list(lab.VENV.rglob("tiny.py"))
    assert not (tmp_path / "elsewhere").exists()
    assert not list((tmp_path / "home").rglob("tiny.py"))


def test_how_the_index_is_reached_is_obeyed(lab, tmp_path, monkeypatch):
    """A mirror, its certificate and the proxy belong to the machine; a variable beats a file, and
    what a file says for installing beats what it says for all."""
    conf = tmp_path / "home" / "conf"
    conf.write_text(
        "[global]\nindex-url = https://file.example/simple\nproxy = http://all\nuser = true\n"
        "trusted-host = one\n    two\n[install]\nproxy = http://install\n",
        "utf-8",
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(conf))
    monkeypatch.setenv("PIP_INDEX_URL", "https://variable.example/simple")
    told = {k: v for k, v in lab.pip_environment().items() if k.startswith("PIP_")}
    assert told.pop("PIP_CERT", None) is None or Path("/etc/pip.conf").exists()
    assert told == {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "https://variable.example/simple",
        "PIP_PROXY": "http://install",
        "PIP_TRUSTED_HOST": "one two",
    }


def test_the_names_of_foreign_variables_are_those_of_the_package(lab):
    """The script cannot import them; what it starts must not get what other children do not."""
    from bpdemo.core.environment import FOREIGN

    assert set(FOREIGN) <= set(lab.FOREIGN)


TRACEBACK = """\
ERROR: Exception:
Traceback (most recent call last):
  File "/x/pip/_vendor/urllib3/connectionpool.py", line 793, in urlopen
    raise ConnectionError("timed out: connection, proxyerror, resolve, sslerror")
  File "/x/pip/_internal/cli/base_command.py", line 106, in _run_wrapper
"""
SEEN_NOTHING = """\
WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError: {}': /simple/x/
ERROR: Could not find a version that satisfies the requirement x (from versions: none)
ERROR: No matching distribution found for x
"""
FORBIDDEN = """\
Looking in indexes: https://mirror.example/simple
WARNING: There was an error fetching https://mirror.example/simple/x/: 403 Client Error: Forbidden
ERROR: Could not find a version that satisfies the requirement x (from versions: none)
ERROR: No matching distribution found for x
"""
OS_ERROR = "ERROR: Could not install packages due to an OSError: {}\n\n"
RETRIED = "WARNING: Retrying (Retry(total=4)) after connection broken by 'ReadTimeoutError'\n"
SAID = {
    "disk full": (OS_ERROR.format("[Errno 28] No space left on device"), "free some space"),
    "disk full, in a traceback": (
        TRACEBACK + "OSError: [Errno 28] No space left on device\n",
        "free some space",
    ),
    "disk full after a bad network": (
        RETRIED + OS_ERROR.format("[Errno 28] No space left on device"),
        "free some space",
    ),
    "quota": (OS_ERROR.format("[Errno 122] Disk quota exceeded"), "free some space"),
    "permission": (OS_ERROR.format("[Errno 13] Permission denied: '/x'"), "copy the folder"),
    "permission on Windows": (OS_ERROR.format("[WinError 5] Access is denied"), "copy the folder"),
    "read-only": (OS_ERROR.format("[Errno 30] Read-only file system: '/x'"), "copy the folder"),
    "forbidden": (FORBIDDEN, "wants a login, or a proxy forbids"),
    "forbidden file": (
        "ERROR: HTTP error 403 while getting https://x\n",
        "wants a login, or a proxy forbids",
    ),
    "proxy login": (
        SEEN_NOTHING.format("Tunnel connection failed: 407 Proxy Authentication Required"),
        "wants a login, or a proxy forbids",
    ),
    "certificate": (
        SEEN_NOTHING.format(
            "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED"
        ),
        "PIP_CERT",
    ),
    "no network": (
        SEEN_NOTHING.format("Failed to establish a new connection: [Errno 111] refused"),
        "check the network",
    ),
    "no name": (SEEN_NOTHING.format("Temporary failure in name resolution"), "check the network"),
    "network, in a traceback": (
        TRACEBACK + "pip._vendor.urllib3.exceptions.ReadTimeoutError: HTTPSPool: Read timed out.\n",
        "check the network",
    ),
    "out of order": ("ERROR: HTTP error 503 while getting https://x\n", "wait a while"),
    "damaged": ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES from the file.\n", "PIP_CACHE_DIR"),
    "Python": (
        "ERROR: Could not find a version that satisfies the requirement x==9 (from versions: 1)\n"
        "ERROR: No matching distribution found for x==9\n",
        "3.11, 3.12 and 3.13",
    ),
    "Python after a bad network": (
        RETRIED + "ERROR: x-1-cp39-cp39-win32.whl is not a supported wheel on this platform.\n",
        "3.11, 3.12 and 3.13",
    ),
    "a fault of pip": (TRACEBACK + "AssertionError\n", None),
    "a package that does not build": ("error: subprocess-exited-with-error\n", None),
    "nothing": ("", None),
}
CURES = {cure for _, cure in SAID.values() if cure}


@pytest.mark.parametrize("case", SAID)
def test_the_cure_is_that_of_the_cause(case, lab, capsys):
    """Two lines: what went wrong, and the cure for that and for nothing else, if there is one."""
    output, cure = SAID[case]
    with pytest.raises(SystemExit) as ended:
        lab.explain(output)
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 2
    assert str(lab.LOG) in told
    assert {each for each in CURES if each in told} <= {
        each for each in CURES if each in (cure or "")
    }
    assert cure is None or cure in told


@pytest.mark.parametrize("case", ["disk full", "Python"])
def test_a_wheelhouse_is_blamed_only_for_what_it_lacks(case, lab, capsys):
    """A full disk stays a full disk."""
    lab.WHEELHOUSE.mkdir()
    with pytest.raises(SystemExit):
        lab.explain(SAID[case][0])
    assert ("make wheelhouse/ again" in capsys.readouterr().err) == (case == "Python")


def run(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "lab.py", *words],
        cwd=folder, env=os.environ | env, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_a_file_that_is_missing_is_one_line(lab):
    """Somebody copied the script alone."""
    ended = run(lab.ROOT, "--setup-only")
    assert ended.returncode == 2
    assert "requirements.txt: No such file or directory" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_workshop_is_installed_with_nothing_that_builds_it(lab):
    """No hatchling and no network: its command is there, and runs what stands in the folder."""
    shutil.copyfile(ROOT / "pyproject.toml", lab.ROOT / "pyproject.toml")
    main = lab.ROOT / "bpdemo" / "cli" / "start.py"
    main.parent.mkdir(parents=True)
    main.write_text("def main(): print('first')", "utf-8")
    lab.pip("--no-deps", "--no-index", str(lab.wheel_of_this_folder(lab.ROOT)))
    main.write_text("def main(): print('edited since')", "utf-8")
    asks = "import importlib.metadata as m; print(m.version('bpdemo'), *m.requires('bpdemo'))"
    said = subprocess.check_output([lab.PYTHON, "-c", asks], text=True)
    assert said.split()[0] == tomllib.loads(PYPROJECT)["project"]["version"]
    assert 'jupyterlab>=4.4; extra == "lab"' in said
    command = lab.BIN / ("bpdemo.exe" if os.name == "nt" else "bpdemo")
    assert subprocess.check_output([command], text=True) == "edited since\n"


FAKE_UV = """\
#!/bin/sh
{{ echo "$@"; env | grep -E '^(UV_|PIP_|ALL_PROXY|SSL_CERT_FILE)' | sort; }} >> '{told}'
exit {code}
"""


@pytest.fixture
def uv(lab, tmp_path, monkeypatch):
    """A machine that has uv: what it was told, and how it ends."""
    if os.name == "nt":
        pytest.skip("the stand-in is a shell's")
    told, programs = tmp_path / "told", tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    (lab.ROOT / "requirements.txt").write_text("one==1\n", "utf-8")
    shutil.copyfile(ROOT / "pyproject.toml", lab.ROOT / "pyproject.toml")
    by_pip: list[tuple[str, ...]] = []
    monkeypatch.setattr(lab, "pip", lambda *words: by_pip.append(words))
    for name in [name for name in os.environ if name.upper().startswith("UV_")]:
        monkeypatch.delenv(name)

    def installed(code: int | None) -> tuple[str, bool]:
        if code is not None:
            program = programs / "uv"
            text = FAKE_UV.format(told=told, code=code) if code != 126 else "#!/no/such/shell\n"
            program.write_text(text, "utf-8")
            program.chmod(0o755)
        else:
            monkeypatch.setenv("PATH", str(programs))
        lab.install(lab.REQUIREMENTS)
        said = told.read_text("utf-8") if told.exists() else ""
        by_uv = [f"pip install{words}" for words in said.split("pip install")[1:]]
        itself = by_pip[-1] if by_pip else by_uv[-1].split()
        assert "--no-deps" in itself, "the workshop itself comes last"
        return by_uv[0] if by_uv else "", bool(by_pip)

    return installed


def test_where_there_is_uv_it_installs_into_the_environment(lab, uv, capsys):
    """The workshop itself too, and pip is not asked at all."""
    told, was_pip_asked = uv(0)
    assert not was_pip_asked
    words = told.splitlines()[0].split()
    assert words[:2] == ["pip", "install"]
    assert words[words.index("--python") + 1] == str(lab.PYTHON)
    assert words[words.index("-r") + 1] == str(lab.REQUIREMENTS)
    assert "pip installs them" not in capsys.readouterr().out


@pytest.mark.parametrize("trouble", ["it fails", "it is for another system", "there is none"])
def test_where_uv_does_not_do_it_pip_does(trouble, lab, uv, capsys):
    """One line says so, where there was something to say."""
    _, was_pip_asked = uv({"it fails": 2, "it is for another system": 126}.get(trouble))
    assert was_pip_asked
    said = [line for line in capsys.readouterr().out.splitlines() if "pip installs them" in line]
    assert len(said) == (trouble != "there is none")


def test_uv_is_told_how_the_index_is_reached_and_nothing_else(uv, monkeypatch):
    """A mirror that pip is told of is uv's too; what uv itself was told of it goes before that;
    and where other environments lie is no business of ours."""
    for name, value in {
        "PIP_INDEX_URL": "https://pip.example", "PIP_PROXY": "http://proxy",
        "PIP_FIND_LINKS": "/a /b", "PIP_CERT": "/of/pip.pem", "PIP_USER": "1",
        "UV_INDEX_URL": "https://uv.example", "UV_TARGET": "/elsewhere", "UV_OFFLINE": "1",
        "UV_SYSTEM_PYTHON": "1", "UV_PROJECT_ENVIRONMENT": "/other",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    told, _ = uv(0)
    assert told.splitlines()[1:] == [
        "ALL_PROXY=http://proxy",
        "SSL_CERT_FILE=/of/pip.pem",
        "UV_FIND_LINKS=/a,/b",
        "UV_INDEX_URL=https://uv.example",
    ]


def test_uv_keeps_who_logs_in_at_an_index_that_has_a_name(uv, tmp_path, monkeypatch):
    """Beside what pip is told: its own file, too, wherever that lies."""
    logins = {
        "UV_INDEX": "corp=https://corp.example",
        "UV_INDEX_CORP_PASSWORD": "p=w d",
        "UV_INDEX_CORP_USERNAME": "ann",
    }
    for name, value in logins.items():
        monkeypatch.setenv(name, value)
    for name in [name for name in os.environ if name.upper().startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://one.example https://two.example")
    file = tmp_path / "pip.conf"
    file.write_text("[global]\nindex-url = https://u:p@file.example/simple\n", "utf-8")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    told, _ = uv(0)
    pip_told = {
        "UV_EXTRA_INDEX_URL": "https://one.example https://two.example",
        "UV_INDEX_URL": "https://u:p@file.example/simple",
    }
    assert {f"{k}={v}" for k, v in (logins | pip_told).items()} <= set(told.splitlines())


@pytest.mark.parametrize("why", ["a wheelhouse", "no index", "a certificate of the client"])
def test_what_uv_cannot_be_told_is_left_to_pip(why, lab, uv, monkeypatch):
    """It is not even started."""
    if why == "a wheelhouse":
        lab.WHEELHOUSE.mkdir()
    else:
        name = "PIP_NO_INDEX" if why == "no index" else "PIP_CLIENT_CERT"
        monkeypatch.setenv(name, "1")
    told, was_pip_asked = uv(0)
    assert (told, was_pip_asked) == ("", True)


@pytest.mark.parametrize("code", [0, 2])
def test_where_there_is_uv_it_unpacks_pip_too(code, lab, tmp_path, monkeypatch):
    """From the file that this Python brings along, with no network; else Python does it."""
    if os.name == "nt":
        pytest.skip("the stand-in is a shell's")
    told, made = tmp_path / "told", []
    (tmp_path / "uv").write_text(FAKE_UV.format(told=told, code=code), "utf-8")
    (tmp_path / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    run_it = subprocess.run

    def run_noted(command, **how):
        if "venv" not in command:
            return run_it(command, **how)
        made.append("--without-pip" in command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(lab.subprocess, "run", run_noted)
    lab.make_venv()
    words = told.read_text("utf-8").splitlines()[0].split()
    assert {"--offline", "--no-index"} <= {*words}
    assert words[words.index("--python") + 1] == str(lab.PYTHON)
    assert zipfile.is_zipfile(words[-1])
    assert Path(words[-1]).name.startswith("pip-")
    assert made == ([True] if code == 0 else [True, False])


def test_an_environment_is_made_again_for_what_it_lacks_and_for_nothing_else(lab, monkeypatch):
    """The one with the tools is good for a learner too; changed tools concern developers alone."""
    for path in (*ROOT.glob("requirements*.txt"), ROOT / "pyproject.toml"):
        shutil.copyfile(path, lab.ROOT / path.name)
    installed: list[str] = []
    monkeypatch.setattr(lab, "install", lambda path: installed.append(path.name))
    learner, developer = "requirements.txt", "requirements-dev.txt"
    for dev, asks_for in [(False, learner), (False, None), (True, developer), (True, None),
                          (False, None)]:  # fmt: skip
        lab.setup(dev)
        assert installed == ([asks_for] if asks_for else [])
        installed.clear()
    with (lab.ROOT / "requirements-dev.txt").open("a", encoding="utf-8") as file:
        file.write("another==1\n")
    lab.setup()
    assert installed == []
    lab.setup(True)
    assert installed == [developer]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ((), "--port 8888"),
        (("--port", "0"), "--port 0"),
        (("--no-browser", "--port", "65535"), "--port 65535 --no-browser"),
    ],
)
def test_it_hands_over_to_the_command_in_its_environment(lab, tmp_path, said, told):
    """From any folder: the Python of .venv runs `bpdemo lab --in-place` in the workshop's folder,
    without what is meant for other programs, and its exit code is that of both."""
    for name in ("requirements.txt", "pyproject.toml"):
        shutil.copyfile(ROOT / name, lab.ROOT / name)
    lab.STAMP.write_text(lab.fingerprint(), "utf-8")
    (lab.ROOT / "bpdemo").mkdir()
    (lab.ROOT / "bpdemo" / "__main__.py").write_text(
        "import os, sys\n"
        "token = os.environ.get('JUPYTER_TOKEN')\n"
        "print(sys.prefix, os.getcwd(), *sys.argv[1:], token, sep='\\n')\n"
        "print(os.environ['VIRTUAL_ENV'], os.environ['PATH'].split(os.pathsep)[0], sep='\\n')\n"
        "sys.exit(7)",
        "utf-8",
    )
    ended = subprocess.run(
        [sys.executable, str(lab.ROOT / "lab.py"), *said],
        cwd=tmp_path, env=os.environ | {"JUPYTER_TOKEN": "another"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 7, ended.stderr
    folder, venv_, programs = str(lab.ROOT), str(lab.VENV), str(lab.BIN)
    words = ["lab", "--in-place", *told.split()]
    assert ended.stdout.splitlines() == [venv_, folder, *words, "None", venv_, programs]


def test_only_one_launcher_knows_jupyterlab():
    """What `lab.py` did by itself, the command would lack."""
    said = (ROOT / "lab.py").read_text("utf-8")
    for word in ("ServerApp", "jupyter_alone", 'my-work/"', "RLIMIT", "overrides.json"):
        assert word not in said


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("target", ["lab", "install"])
def test_make_takes_a_python_whose_path_has_a_space(target, tmp_path):
    """Every other Mac has one."""
    fake = tmp_path / "a folder" / "python 3"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\necho "ran with $*"\n', "utf-8")
    fake.chmod(0o755)
    made = subprocess.run(
        ["make", "--no-print-directory", target, f"PYTHON={fake}"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("ran with lab.py")


def test_text_has_unix_line_ends_in_every_checkout():
    """A make of the older kind takes a carriage return for a part of the command."""
    said = (ROOT / ".gitattributes").read_text("utf-8").split("\n")
    assert "* text=auto eol=lf" in said
    assert b"\r" not in (ROOT / "Makefile").read_bytes()
    assert not re.search(rb"\r\n", (ROOT / "lab.py").read_bytes())


@pytest.mark.parametrize("live", [True, False])
def test_a_long_step_shows_signs_of_life_and_a_short_one_none(live, lab, capsys, monkeypatch):
    """How far it is, and for how long: on a terminal in one line, in a log line by line."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: live, raising=False)
    monkeypatch.setattr(lab, "EVERY_S", 0.001)
    said = threading.Event()
    steps = iter(range(1, 100_000))

    def how_far():
        done = next(steps)
        if done > 2:
            said.set()
        return lab.progress_of(9, 140, done)

    with lab.SignOfLife(how_far):
        assert said.wait(30)
    out = capsys.readouterr().out
    assert "  1 of 140 unpacked, after 0 s" in out
    assert "  2 of 140 unpacked, after 0 s" in out
    assert ("\r" in out, "\n" in out) == (live, not live)
    monkeypatch.setattr(lab, "EVERY_S", 600)
    with lab.SignOfLife(how_far):
        pass
    assert capsys.readouterr().out == ""


def test_progress_is_never_more_than_there_is(lab):
    """Before pip says how many there are to unpack, those that it has found count."""
    assert lab.progress_of(17, 0, 0) == "17 found"
    assert lab.progress_of(140, 140, 150) == "140 of 140 unpacked"
