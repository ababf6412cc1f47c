"""`cockpit`: the knobs of a running service, a load, and the live picture, in one place."""

from __future__ import annotations

import contextlib
import threading
import time
from html import escape
from math import inf
from typing import Any, Final

import httpx
import ipywidgets as widgets

from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.members import forgiving_class
from bpdemo.lab.dress import dark_rules
from bpdemo.lab.heard import heard
from bpdemo.lab.live.knobs import HEIGHT, KNOBS, LABEL_PX, Knob, widget_of
from bpdemo.lab.live.live_load import LiveLoad
from bpdemo.lab.live.live_picture import SPANS_S, LivePicture
from bpdemo.lab.live.ticker import Ticker
from bpdemo.lab.services.service import Service
from bpdemo.lab.subshells import keep_subshells
from bpdemo.load.driver import LoadFailed
from bpdemo.load.run import LoadRun
from bpdemo.picture.palette import BLUE, DARK_VERMILLION, FONT, THEME_INK, VERMILLION
from bpdemo.plan.plan import RANGES, require_choice, require_range

PERIOD_S: Final = 0.3
#: What is turned within this time goes out as one change: a slider that is dragged floods nobody.
GATHER_S: Final = 0.12
DOUBLE_S: Final = 0.5
"""A press so soon after the one before was acted on is the other half of a double click."""
WIDTH_PX: Final = 930
"""At most: it takes the width there is."""
ALARM: Final = f"border-left:8px solid {VERMILLION};padding-left:10px"
"""Beside a line about something that is wrong; as a colour of text it would be too pale."""

STYLE: Final = f"""<style>
.bp-cockpit .widget-label, .bp-cockpit .widget-readout, .bp-cockpit select, .bp-cockpit button,
.bp-cockpit .widget-html-content {{font: 18px {FONT}; color: {THEME_INK}; line-height: 1.3}}
.bp-cockpit button {{font-weight: 600; color: white}}
.bp-cockpit, .bp-hands {{width: 100%; max-width: {WIDTH_PX}px}}
.bp-cockpit {{container-type: inline-size}}
.bp-hands > * {{min-width: 0}}
@container (max-width: 800px) {{
  .bp-cockpit .widget-label, .bp-cockpit .widget-readout, .bp-cockpit select, .bp-cockpit button,
  .bp-cockpit .widget-html-content {{font-size: 14px}}
  .bp-hands .widget-label {{width: {LABEL_PX * 3 // 4}px !important}}
  .bp-cockpit .widget-readout {{height: auto; margin-block: auto}}
}}
@container (max-width: 620px) {{
  .bp-hands .widget-label {{width: 118px !important; white-space: normal; line-height: 1.05;
    height: auto; margin-block: auto}}
}}
.bp-cockpit .widget-readout {{min-width: 3em; text-align: right}}
.bp-cockpit .noUi-connect, .bp-cockpit .noUi-handle {{background: {BLUE}; border-color: {BLUE}}}
.bp-cockpit :focus-visible {{outline: 3px solid {VERMILLION}; outline-offset: 2px}}
</style>"""

_cockpits: dict[str, Cockpit] = {}
"""By the service's name: running a cell again replaces what it made."""


def cockpit(service: Service, seconds: float = SPANS_S[-1]) -> Cockpit:
    """Knobs, a load of at most `seconds`, and the live picture, for a service that runs.

    Everything is reached by Tab and moved by the arrow keys. A second cockpit for a service of the
    same name takes the place of the first.
    """
    seconds = require_range("seconds", seconds, *RANGES["seconds"])
    if service.name in _cockpits:
        _cockpits[service.name].close()
    made = _cockpits[service.name] = Cockpit(service, seconds)
    return made


@forgiving_class
class Cockpit:
    """Widgets, and the one thread that turns knobs, asks the service, and draws."""

    def __init__(self, service: Service, seconds: float) -> None:
        keep_subshells()
        self.service = service
        self.seconds = seconds
        self.run: LoadRun | None = None
        self.picture = LivePicture()
        self.load = LiveLoad(service, self.picture)
        self._lock = threading.Lock()
        self._wanted: dict[str, Any] = {}
        self._offered: float | None = None
        self._knobs = {knob.name: widget_of(knob, service.settings, self._turned) for knob in KNOBS}
        self._times = _times_slider()
        self._times.observe(self._times_turned, "value")
        self._button = widgets.Button(layout=widgets.Layout(height="36px", width="auto"))
        self._button.on_click(lambda _: self._pressed())
        self._acted_s = -inf
        self._now, self._line = widgets.HTML(), widgets.HTML()
        self.widget: Any = self._laid_out()
        self.picture.clear(service.capacity_per_s)
        self._label_button()
        self._say("Turn the knobs, start the load, and turn them again while it runs.")
        self._ticker = Ticker(self._tick, PERIOD_S, f"cockpit of {service.name}")

    @property
    def line(self) -> str:
        """What the cockpit says at the moment."""
        return str(self._line.value)

    def turn(self, **knobs: Any) -> None:
        """Move sliders and menus by code, as a hand would."""
        for name in knobs:
            require_choice("knob", name, self._knobs)
        for knob in KNOBS:
            if knob.name in knobs:
                self._knobs[knob.name].value = knob.shown(knobs[knob.name])

    def start(self, times: float | None = None) -> None:
        """Send the load, at the slider's multiple of capacity unless that is given."""
        if times is not None:
            self._times.value = times
        if not self._is_up():
            return
        try:
            self.load.start(times=self._times.value, seconds=self.seconds)
        except (ValueError, OSError) as error:
            self._say(f"The load cannot start: {error}", ALARM)
            return
        self._label_button()
        self._say(f"The sale is on: {self._times.value:g} times capacity for {self.seconds:g} s.")

    def stop(self) -> None:
        """Send no more orders; the run comes when those under way are answered."""
        self.load.stop()
        self._say("No more orders. Waiting for those under way.")

    def close(self) -> None:
        """End thread and load. What is on the page stays to be seen."""
        self._ticker.stop()
        self.load.kill()
        self._label_button()
        self._say("This cockpit is closed; run its cell again.")

    # -- in the kernel's threads ----------------------------------------------------------

    def _pressed(self) -> None:
        if time.monotonic() - self._acted_s >= DOUBLE_S:
            self.stop() if self.load.running else self.start()
            self._acted_s = time.monotonic()

    def _turned(self, knob: Knob, value: Any) -> None:
        with self._lock:
            self._wanted[knob.name] = value
        if self._is_up():
            self._ticker.nudge()

    def _times_turned(self, change: dict[str, Any]) -> None:
        if self.load.running is None:
            return
        with self._lock:
            self._offered = change["new"]
        self._ticker.nudge()

    def _is_up(self) -> bool:
        if not self._ticker.is_alive:
            self._say("This cockpit is closed; run its cell again.", ALARM)
        elif not self.service.is_running:
            self._say("The service has stopped. Start it, and run this cell again.", ALARM)
        return self._ticker.is_alive and self.service.is_running

    # -- in the cockpit's own thread ------------------------------------------------------

    def _tick(self) -> None:
        try:
            self._send_knobs()
            stats = self.service.stats()
            self._tell(stats)
            if run := self.load.tick(stats):
                self._finish(run)
        except LoadFailed as error:
            self._say(f"The load failed: {error}", ALARM)
            self._label_button()
        except (httpx.HTTPError, RuntimeError):  # httpx raises the latter once its client is closed
            self._miss_service()

    def _send_knobs(self) -> None:
        if not self._wanted and self._offered is None:
            return
        threading.Event().wait(GATHER_S)
        with self._lock:
            wanted, self._wanted = self._wanted, {}
            offered, self._offered = self._offered, None
        try:
            if wanted:
                self.load.tune(**wanted)
        except SettingsInvalid as refused:
            self._say(f"Refused: {refused}", ALARM)
        if offered is not None and self.load.running is not None:
            with contextlib.suppress(OSError):  # it has ended by itself meanwhile
                self.load.offer(offered)
                self._say(f"The load goes on at {offered:g} times capacity.")

    def _finish(self, run: LoadRun) -> None:
        self.run = run
        self._label_button()
        self._say(run.sentence)

    def _miss_service(self) -> None:
        if self.service.is_running:
            self._say("The service does not answer.", ALARM)
            return
        self.load.kill()
        self._label_button()
        self._is_up()

    # -- what stands on the page ----------------------------------------------------------

    def _tell(self, stats: dict[str, Any]) -> None:
        queue, workers = stats["queue"], stats["workers"]
        room = "no limit" if queue["capacity"] < 0 else f"of {queue['capacity']}"
        pace = stats["nominal_capacity"]
        told = [
            f"queue <b>{queue['depth']}</b> {room}",
            f"workers <b>{workers['busy']}</b> of {workers['total']} busy",
            f"payment circuit <b>{stats['breakers']['payment'].replace('_', '-')}</b>",
            f"capacity now <b>{pace:.0f}/s</b>" if pace else "capacity without a limit",
        ]
        self._now.value = _html(" · ".join(told))

    def _say(self, text: str, style: str = "") -> None:
        self._line.value = _html(escape(text), style)

    def _label_button(self) -> None:
        runs = self.load.running is not None
        self._button.description = "Stop the load" if runs else "Start the load"
        self._button.style.button_color = DARK_VERMILLION if runs else BLUE

    def _laid_out(self) -> Any:
        hands = widgets.GridBox(
            [*self._knobs.values(), self._times, self._button],
            layout=widgets.Layout(grid_template_columns="1fr 1fr", grid_gap="0 18px"),
        ).add_class("bp-hands")
        parts = [
            widgets.HTML(STYLE + dark_rules()),
            hands,
            self._now,
            self._line,
            self.picture.widget,
        ]
        parts[0].layout.display = "none"
        return heard(widgets.VBox(parts).add_class("bp-cockpit"), parts.index(self.picture.widget))

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return self.widget._repr_mimebundle_(**kwargs)

    def __repr__(self) -> str:
        return f"<cockpit of {self.service!r}>"


def _html(text: str, style: str = "") -> str:
    # Colour is never the only cue: what is wrong also says so.
    return f"<div style='color:{THEME_INK};min-height:1.3em;{style}' role='status'>{text}</div>"


def _times_slider() -> Any:
    return widgets.FloatSlider(
        value=2.0,
        min=0.5,
        max=10,
        step=0.5,
        readout_format=".1f",
        description="load × capacity",
        tooltip="How many times its capacity the load offers to the service, also on the way.",
        style={"description_width": f"{LABEL_PX}px"},
        layout=widgets.Layout(width="auto", height=HEIGHT),
    )
