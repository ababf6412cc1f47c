"""The five steps of lesson 09's service, each by itself: 20 at once, a deadline, a hang-up; then
each under a real load."""

from __future__ import annotations

import asyncio
import importlib.util
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from bpdemo.lab.lessons import shop_file
from bpdemo.lab.lessons.shop.payment import CAPACITY_PER_S
from bpdemo.lab.services.service import serve
from bpdemo.load.loads import load
from bpdemo.plan.request import Request
from bpdemo.results.validity import NotMeasured
from tests.support.measured import TRIES, until_measured
from tests.support.waiting import until

HOME = shop_file.STEPS
BOUNDED = ["step_3", "step_4", "step_5", "as_dependency", "as_middleware"]
UNBOUNDED = ["step_1", "step_2"]
PLACES = 6
ORDER = {"item_id": 1}


def fresh(name: str) -> ModuleType:
    """The step with a state of its own, as a server would import it."""
    spec = importlib.util.spec_from_file_location(f"fresh_{name}", HOME / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def client_of(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop")


async def at_once(client: httpx.AsyncClient, count: int, **headers: str) -> list[httpx.Response]:
    posts = (client.post("/orders", json=ORDER, headers=headers) for _ in range(count))
    return await asyncio.gather(*posts)


@pytest.mark.parametrize("name", BOUNDED)
async def test_20_at_once_fill_the_places_and_the_rest_is_refused(name: str) -> None:
    """6 × 201 and 14 × 503 with Retry-After; and again, so that every place was given back."""
    async with client_of(fresh(name).app) as client:
        for _ in range(2):
            answers = await at_once(client, 20)
            assert Counter(a.status_code for a in answers) == {201: PLACES, 503: 20 - PLACES}
            refused = [a for a in answers if a.status_code == 503]
            assert all(int(a.headers["Retry-After"]) >= 1 for a in refused)


@pytest.mark.parametrize("name", UNBOUNDED)
async def test_without_a_bound_all_20_are_taken(name: str) -> None:
    """That is what is wrong with the first two steps."""
    async with client_of(fresh(name).app) as client:
        assert {a.status_code for a in await at_once(client, 20)} == {201}


async def test_a_deadline_covers_wait_and_work_and_leaves_nothing_behind() -> None:
    """Six orders of 60 ms: the first two are served, the rest get a 504, and all are out."""
    step = fresh("step_4")
    async with client_of(step.app) as client:
        answers = await at_once(client, PLACES, **{"X-Request-Timeout-Ms": "60"})
        assert Counter(a.status_code for a in answers) == {201: 2, 504: 4}
        assert step.inside == 0
        answers = await at_once(client, PLACES, **{"X-Request-Timeout-Ms": "1000"})
        assert {a.status_code for a in answers} == {201}


@pytest.mark.parametrize("working", [0, 2], ids=["at work", "queued"])
async def test_a_hang_up_gives_the_place_back_at_once(working: int) -> None:
    """Whether it was being worked on or waited: long before its deadline nobody is inside."""
    step = fresh("step_4")
    async with client_of(step.app) as client:
        others = asyncio.create_task(at_once(client, working))
        await until(lambda: step.inside == working)
        hang_up = asyncio.Event()
        caller = asyncio.create_task(one_that_leaves(step.app, hang_up))
        await until(lambda: step.inside == working + 1)
        hang_up.set()
        assert await caller == 504
        assert step.inside == working, "the place came back before anybody else was done"
        assert {a.status_code for a in await others} <= {201}
    assert step.inside == 0


async def one_that_leaves(app: Any, hang_up: asyncio.Event) -> int:
    """Send an order, and close the connection when told to; what would have been answered."""
    messages = [{"type": "http.request", "body": b'{"item_id": 1}', "more_body": False}]
    statuses = []

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await hang_up.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        statuses.append(message.get("status"))

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
        "path": "/orders", "raw_path": b"/orders", "query_string": b"", "root_path": "",
        "scheme": "http", "headers": [(b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
    }  # fmt: skip
    await app(scope, receive, send)
    return next(status for status in statuses if status)


#: Steps under a load at the same time; each asks for a tenth of a core.
TOGETHER = 4


@pytest.fixture(scope="module")
def shares_together(request: pytest.FixtureRequest) -> dict[str, float | NotMeasured]:
    """What the steps that were chosen serve, of their capacity."""

    def play(name: str) -> float | NotMeasured:
        try:
            return share_served(name)
        except NotMeasured as busy:
            return busy

    tests = [item for item in request.session.items if item.path == request.path]
    called = [test.callspec.params for test in tests if hasattr(test, "callspec")]
    chosen = [params["name"] for params in called if "least" in params]
    with ThreadPoolExecutor(TOGETHER) as pool:
        return dict(zip(chosen, pool.map(play, chosen), strict=True))


def share_served(name: str) -> float:
    """Goodput at twice the capacity, as a share of it. Raises `NotMeasured`."""
    app = f"bpdemo.lab.lessons.shop.{name}:app"
    with serve(app=app, where="process", capacity_per_s=CAPACITY_PER_S, name=name) as service:
        run = load(service, times=2, seconds=4, request=Request("POST", "/orders", json=ORDER))
    return float(run.require_valid().between(2, 4)["goodput_share"])


@pytest.mark.load
@pytest.mark.whole
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "least", "most"),
    [(name, 0, 0.15) for name in UNBOUNDED] + [(name, 0.8, 1.1) for name in BOUNDED],
)
def test_a_step_under_a_real_load(
    name: str, least: float, most: float, shares_together: dict[str, float | NotMeasured]
) -> None:
    """At twice the capacity the first two collapse, and every other one keeps its goodput."""
    share = shares_together[name]
    if isinstance(share, NotMeasured):
        share = until_measured(lambda: share_served(name), TRIES - 1)
    assert least <= share <= most


@pytest.fixture
def my_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    return tmp_path / "my-work"


def test_the_file_is_made_once_and_never_written_again(my_work: Path) -> None:
    """Also from its own folder, which is the current one afterwards."""
    file = shop_file.shop_file()
    assert file == my_work / "shop.py"
    assert Path.cwd() == my_work
    assert file.read_text("utf-8") == shop_file.step_file(1).read_text("utf-8")
    file.write_text("mine = 1\n", encoding="utf-8")
    assert shop_file.shop_file() == file
    shop_file.crowd_file()
    for step in range(1, 6):
        shop_file.app_of(step)
        shop_file.next_step(step)
        shop_file.beside_mine(step)
    assert file.read_text("utf-8") == "mine = 1\n"
    assert sorted(path.name for path in my_work.iterdir()) == ["crowd.py", "shop.py"]


@pytest.mark.parametrize("reached", range(1, 6))
def test_a_run_takes_the_learners_file_only_at_its_own_step(
    reached: int, my_work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """So Run All walks through all five, wherever the file stands; and it says what it took."""
    source = shop_file.step_file(reached).read_text("utf-8") + "\n# my own remark\n"
    shop_file.shop_file().write_text(source, encoding="utf-8")
    for step in range(1, 6):
        is_mine = step == reached > 1
        shipped = f"bpdemo.lab.lessons.shop.step_{step}:app"
        assert shop_file.app_of(step) == ("shop:app" if is_mine else shipped)
        said = capsys.readouterr().out
        assert ("this is your shop.py" in said) == is_mine
    assert shop_file.app_of(1, mine=True) == "shop:app"


def test_a_file_that_is_no_python_is_told_with_its_line(my_work: Path) -> None:
    """Instead of a server that does not start."""
    shop_file.shop_file().write_text("a = 1\nasync def\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"shop\.py, line 2"):
        shop_file.app_of(2)


@pytest.mark.parametrize("step", range(1, 6))
def test_a_file_with_a_byte_order_mark_is_as_without(step: int, my_work: Path) -> None:
    """Some editors write one, and Python runs it."""
    source = shop_file.step_file(step).read_text("utf-8")
    shop_file.shop_file().write_bytes(source.encode("utf-8-sig"))
    assert shop_file.app_of(step) == ("shop:app" if step > 1 else shop_file.app_of(1))
    assert shop_file.beside_mine(step).lines == ()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
@pytest.mark.parametrize("asked", [shop_file.app_of, shop_file.beside_mine])
def test_a_file_that_python_cannot_run_says_how_to_save_it(
    encoding: str, asked: Callable[[int], object], my_work: Path
) -> None:
    """Instead of a codec's word, or of line None."""
    source = shop_file.step_file(2).read_text("utf-8") + "# é\n"
    shop_file.shop_file().write_bytes(source.encode(encoding, "replace"))
    with pytest.raises(ValueError, match=r"^shop\.py is .* save it as UTF-8$"):
        asked(2)


def test_the_diffs_lead_from_the_first_step_to_the_last(my_work: Path) -> None:
    """Each is small enough to be typed, and none is empty; one's own, made equal, is."""
    for step in range(2, 6):
        diff = shop_file.next_step(step)
        assert 0 < sum(line.startswith("+") for line in diff.lines) < 40
        assert "```diff" in diff._repr_markdown_()
    shop_file.shop_file().write_text(shop_file.step_file(5).read_text("utf-8"), "utf-8")
    assert shop_file.beside_mine(5).lines == ()
