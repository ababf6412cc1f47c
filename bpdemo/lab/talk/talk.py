"""`stage`: five acts on buttons and keys, in type that the back row can read."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from html import escape
from typing import Any, Final

import httpx
import ipywidgets as widgets

from bpdemo.core.kinds import wrong_kind
from bpdemo.core.members import forgiving_class
from bpdemo.core.settings import Settings
from bpdemo.lab.heard import heard
from bpdemo.lab.lessons.shared.durations import is_short, seconds
from bpdemo.lab.live.live_load import LiveLoad
from bpdemo.lab.live.live_picture import LivePicture
from bpdemo.lab.live.ticker import Ticker
from bpdemo.lab.services.service import Service, serve
from bpdemo.lab.subshells import keep_subshells
from bpdemo.lab.talk.acts import ACTS, BY_KEY, FULL_S, Act, recording
from bpdemo.lab.talk.playback import Playback
from bpdemo.lab.talk.stage_keys import StageKeys
from bpdemo.load.driver import LoadFailed
from bpdemo.load.run import LoadRun
from bpdemo.picture import panels as draw
from bpdemo.picture.palette import BLUE, FONT, INK, VERMILLION
from bpdemo.picture.sheet import Format

NAME: Final = "live-demo"
PERIOD_S: Final = 0.3
NEXT: Final = ("PageDown", "ArrowRight")
BACK: Final = ("PageUp", "ArrowLeft")
KEYS: Final = (*BY_KEY, *NEXT, *BACK, "r", "0")

ZOOM: Final = 1.7
"""The picture's 16 pixels become 27, which is 20 points; the stage is 1280 × 720."""
FORM: Final = Format(
    width_px=732,
    rows={"top": ((draw.fates, 118, 18),), "bottom": ((draw.queue, 62, 18),)},
    has_title=False,
    mark_levels=2,
    above_px=22,
    names={"requests per second": "requests/s"},
    steady=True,
)
STYLE: Final = f"""<style>
.bp-stage {{width: 1280px; height: 720px; box-sizing: border-box; padding: 10px 16px 0;
  overflow: hidden; background: white; position: relative}}
.bp-stage[popover] {{inset: 0; margin: auto; border: 0}}
.bp-stage:focus {{outline: none}}
.bp-stage::backdrop {{background: white}}
.bp-stage button {{font: 600 27px {FONT}; height: 52px; line-height: 48px; width: auto;
  padding: 0 8px; margin: 0 4px 0 0; flex: none; overflow: visible;
  color: {INK}; background: #E8EEF3; border-radius: 6px}}
.bp-stage button.bp-on {{color: white; background: {BLUE}}}
.bp-stage button:focus-visible {{outline: 4px solid {VERMILLION}}}
.bp-says {{font: 600 30px {FONT}; line-height: 1.25; color: {INK}; padding: 0 8px;
  text-wrap: pretty}}
.bp-stage .bp-unheard {{position: absolute; left: 0; right: 0; bottom: 0; z-index: 3;
  padding: 8px 24px; font-size: 27px; color: {INK}; background: white}}
.bp-badge {{position: absolute; right: 2px; top: 6px; z-index: 2; font: 700 27px {FONT};
  line-height: 1.3; padding: 2px 14px; border-radius: 6px; color: white; background: {VERMILLION}}}
</style>"""
HOW: Final = f"An act begins by its key, {ACTS[0].key} to {ACTS[-1].key}, as in stage().press('2')"
WELCOME: Final = "The box office on sale day. Press 1 to 5, or use the clicker."

_stages: list[Stage] = []


def stage(full_page: bool = True, **knobs: Any) -> Stage:
    """The talk's stage. A second one takes the place of the first.

    `knobs` are settings of the services it starts, such as `workers=8`; by default they have the
    calibrated workers.

    Keys 1 to 5 start an act; Page Down or → the next, Page Up or ← the one before; R plays the act
    as it was recorded; 0 clears the stage; F fills the page, Escape gives it back.
    """
    _require_no_act(full_page)
    Settings(**knobs)  # a slip is told now, not on stage
    while _stages:
        _stages.pop().close()
    _stages.append(Stage(full_page, knobs))
    return _stages[-1]


def _require_no_act(full_page: object) -> None:
    if not isinstance(full_page, bool):
        told = wrong_kind("full_page", "True or False", full_page)
        raise TypeError(f"{told}. {HOW}")


@forgiving_class
class Stage:
    """Widgets, and the one thread that changes acts, asks the service, and draws."""

    def __init__(self, full_page: bool, knobs: Mapping[str, Any]) -> None:
        keep_subshells()
        self._settings = knobs
        self.act: Act | None = None
        self.run: LoadRun | None = None
        self.picture = LivePicture(FORM, ZOOM, ("top", "bottom"), (seconds(FULL_S),))
        self._service: Service | None = None
        self._load: LiveLoad | None = None
        self._playback: Playback | None = None
        self._wanted: list[str] = []
        self._acted = threading.Event()
        self._keys = StageKeys(full_page=full_page)
        self._keys.on_press(self._heard)
        names = {act.key: f"{act.key} {act.name}" for act in ACTS} | {"r": "R recorded", "0": "0"}
        self._buttons = {key: self._button(key, name) for key, name in names.items()}
        self._badge, self._says = widgets.HTML(), widgets.HTML()
        self.widget: Any = self._laid_out()
        self._show_nothing()
        self._ticker = Ticker(self._tick, PERIOD_S, "stage")

    def press(self, key: str) -> None:
        """As the key does: "1" to "5", "PageDown", "PageUp", "r", "0"."""
        if str(key).lower() not in map(str.lower, KEYS):
            raise ValueError(f"key must be one of {', '.join(KEYS)}, not {key!r}")
        self._heard(str(key))

    def play(self, key: str) -> LoadRun:
        """Play an act to its end, with no hand on the keys, and give the run."""
        if key not in BY_KEY:
            raise ValueError(f"key: there is no act {key!r}; there are {', '.join(BY_KEY)}")
        self._acted.clear()
        self.press(key)
        if not self._acted.wait(3 * FULL_S) or self.run is None:
            raise TimeoutError(f"act {key} did not come to its end")
        return self.run

    def rehearse(self, key: str = "2") -> LoadRun | None:
        """In the short profile, where nobody is at the keys, play one act; else nothing."""
        return self.play(key) if is_short() else None

    def close(self) -> None:
        """End thread, load and service."""
        self._ticker.stop()
        self._clear()

    # -- in the stage's own thread --------------------------------------------------------

    def _heard(self, key: str) -> None:
        self._wanted.append(key)
        self._ticker.nudge()

    def _tick(self) -> None:
        try:
            while self._wanted:
                self._do(self._wanted.pop(0).lower())
            self._go_on()
        except LoadFailed as error:
            self._tell(f"The load failed ({error}). Press the key again, or R.")
        except (OSError, ValueError) as error:
            self._tell(f"That did not work: {error}")
        except (httpx.HTTPError, RuntimeError):
            self._tell("The service does not answer. Press the key again, or R.")

    def _do(self, key: str) -> None:
        if key in BY_KEY:
            self._raise_curtain(BY_KEY[key])
        elif key in (name.lower() for name in NEXT):
            self._raise_curtain(self._neighbour(+1))
        elif key in (name.lower() for name in BACK):
            self._raise_curtain(self._neighbour(-1))
        elif key == "r":
            self._replay()
        elif key == "0":
            self._show_nothing()

    def _neighbour(self, step: int) -> Act:
        if self.act is None:
            return ACTS[0]
        return ACTS[min(len(ACTS) - 1, max(0, ACTS.index(self.act) + step))]

    def _raise_curtain(self, act: Act) -> None:
        self._clear()
        self._service = serve(act.profile, name=NAME, **{**act.knobs, **self._settings})
        self._load = LiveLoad(self._service, self.picture)
        self._load.start(**act.how(seconds(FULL_S)))
        self.picture.clear(self._service.capacity_per_s)
        self._announce(act)

    def _replay(self) -> None:
        act = self.act or ACTS[0]
        self._clear()
        self._playback = Playback(recording(act))
        self._announce(act, recorded=True)

    def _go_on(self) -> None:
        if playback := self._playback:
            so_far = playback.now()
            self.picture.show(so_far, playback.run.meta.seconds)
            self._comment(so_far.meta.seconds / playback.run.meta.seconds)
            if playback.is_over:
                self._playback = None
        elif self._load and self._load.running and self._service:
            self._comment(self._load.running.now_s / seconds(FULL_S))
            run = self._load.tick(self._service.stats())
            if run is not None:
                self.run = run
                self._acted.set()

    def _clear(self) -> None:
        self._playback = None
        if self._load:
            self._load.kill()
        if self._service:
            self._service.stop()
        self._load = self._service = None

    def _show_nothing(self) -> None:
        self._clear()
        self.picture.clear(None)
        self._announce(None)

    # -- what stands on the page ----------------------------------------------------------

    def _announce(self, act: Act | None, recorded: bool = False) -> None:
        for key, button in self._buttons.items():
            is_on = (act is not None and key == act.key) or (recorded and key == "r")
            (button.add_class if is_on else button.remove_class)("bp-on")
        self._badge.value = "<div class='bp-badge'>RECORDED</div>" if recorded else ""
        self._tell(act.says if act else WELCOME)
        self.act = act

    def _comment(self, share: float) -> None:
        """Say what is to be seen by now, once so much of the act is over."""
        if self.act and self.act.after and share >= self.act.after[0]:
            self._tell(self.act.after[1])

    def _tell(self, text: str) -> None:
        self._says.value = f"<div class='bp-says' role='status'>{escape(text)}</div>"

    def _button(self, key: str, name: str) -> Any:
        button = widgets.Button(description=name, tooltip=f"key {key.upper()}")
        button.on_click(lambda _: self.press(key))
        return button

    def _laid_out(self) -> Any:
        bar = widgets.HBox(list(self._buttons.values()))
        style = widgets.HTML(STYLE, layout={"display": "none"})
        parts = [style, self._keys, bar, self._badge, self.picture.widget, self._says]
        return heard(widgets.VBox(parts).add_class("bp-stage"))

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return self.widget._repr_mimebundle_(**kwargs)

    def __repr__(self) -> str:
        return f"<stage: {self.act.name if self.act else 'empty'}>"
