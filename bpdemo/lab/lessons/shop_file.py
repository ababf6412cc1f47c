"""Files of the learner's own, `my-work/shop.py` and the crowds: made once, never written to again,
and run."""

from __future__ import annotations

import ast
import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bpdemo.core.person_text import python_source
from bpdemo.core.slips import forgiving
from bpdemo.core.whole_file import write_whole

STEPS: Final = Path(__file__).parent / "shop"
LAST: Final = 5
NAME: Final = "shop.py"
#: A step, by a name that only code which has got there uses.
REACHED: Final = {
    5: {"AdmissionControl"},
    4: {"timeout", "timeout_at", "wait_for", "fail_after", "move_on_after"},
    3: {"503", "HTTP_503_SERVICE_UNAVAILABLE", "SERVICE_UNAVAILABLE"},
    2: {"Semaphore", "BoundedSemaphore", "CapacityLimiter"},
}
CROWD: Final = '''"""An open-loop crowd: `bpdemo load --user crowd.py`, or `locust -f crowd.py`."""

import random

from locust import task

from bpdemo.load.open_loop import OpenLoopUser


class Buyer(OpenLoopUser):
    rate = 100

    @task
    def order(self):
        self.client.post("/orders", json={"item_id": random.randint(1, 100)})
'''
CLOSED_CROWD: Final = '''"""A load test as everybody writes it, until the day of the overload."""

from locust import HttpUser, constant, task


class Buyer(HttpUser):
    wait_time = constant(1)

    @task
    def order(self):
        self.client.post("/orders", json={"item_id": 7})
'''


@dataclass(frozen=True, slots=True)
class Diff:
    """What changes from one text to the next. Displayed, it is coloured."""

    title: str
    lines: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join([f"# {self.title}", *self.lines]) if self.lines else self._same

    def _repr_markdown_(self) -> str:
        if not self.lines:
            return self._same
        body = "\n".join(self.lines)
        return f"**{self.title}**\n\n```diff\n{body}\n```"

    @property
    def _same(self) -> str:
        return f"{self.title}: no difference."


@forgiving
def shop_file() -> Path:
    """Your `my-work/shop.py`, and its folder is the current one from here on.

    It begins as step 1. What is there already is yours, and stays as it is.
    """
    return _laid_out(NAME, step_file(1).read_text("utf-8"))


@forgiving
def crowd_file() -> Path:
    """The Locust file `my-work/crowd.py`, laid out in the same way."""
    return _laid_out("crowd.py", CROWD)


@forgiving
def closed_crowd_file() -> Path:
    """The Locust file `my-work/my_crowd.py`, laid out in the same way: a closed loop, to be
    changed in exercise 08a."""
    return _laid_out("my_crowd.py", CLOSED_CROWD)


@forgiving
def step_file(step: int) -> Path:
    """The shipped file of a step, 1 to 5. ValueError for any other."""
    if step not in range(1, LAST + 1):
        raise ValueError(f"step: {step!r} is not one of 1 to {LAST}")
    return STEPS / f"step_{step}.py"


@forgiving
def next_step(step: int) -> Diff:
    """What changes from the step before to this one, to be made in your file."""
    after = step_file(step)
    before = step_file(max(1, step - 1))
    title = f"{NAME}, step {max(1, step - 1)} → step {step}"
    return _diff(title, before.read_text("utf-8"), after.read_text("utf-8"))


@forgiving
def beside_mine(step: int) -> Diff:
    """What your file would have to change to be the shipped step, to the letter. ValueError where
    it cannot be read."""
    title = f"your {NAME} → the shipped step {step}"
    return _diff(title, _source_of(shop_file()), step_file(step).read_text("utf-8"))


@forgiving
def app_of(step: int, mine: bool = False) -> str:
    """What `serve(app=…, where="process")` is to run at this step, and a line that says which.

    `shop:app`, your file, when its code has come as far as this step and no further, or when you
    say `mine=True`; else the shipped step. ValueError where your file is no Python.
    """
    file = shop_file()
    shipped = f"bpdemo.lab.lessons.shop.{step_file(step).stem}:app"
    reached = reached_by(_source_of(file))
    if mine or reached == step > 1:
        print(f"step {step}: this is your {NAME}")
        return f"{file.stem}:app"
    if step > 1:
        said = "already at" if reached > step else "still at"
        print(f"step {step}, as shipped: your {NAME} is {said} step {reached}")
    return shipped


def reached_by(source: str) -> int:
    """How far this code has come, 1 to 5. ValueError, with the line, where it is no Python."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        where = NAME if error.lineno is None else f"{NAME}, line {error.lineno}"
        raise ValueError(f"{where}: {error.msg}") from None
    used = {
        str(
            getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "value", None)
        )
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute | ast.Constant)
    }
    return next((step for step, names in REACHED.items() if used & names), 1)


def _source_of(file: Path) -> str:
    return python_source(file.name, file.read_bytes())


def _laid_out(name: str, text: str) -> Path:
    folder = _folder()
    folder.mkdir(exist_ok=True)
    os.chdir(folder)
    file = folder / name
    if not file.exists():
        write_whole(file, text.encode())
    return file


def _folder() -> Path:
    """my-work here or above, else beside the folder of the lessons."""
    here = Path.cwd()
    for parent in (here, *here.parents):
        if parent.name == "my-work":
            return parent
        if (parent / "my-work").is_dir():
            return parent / "my-work"
    return (here.parent if here.name == "notebooks" else here) / "my-work"


def _diff(title: str, before: str, after: str) -> Diff:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2)
    return Diff(title, tuple(list(lines)[2:]))
