"""A load that somebody watches: started, marked and drawn, until it ends."""

from __future__ import annotations

import contextlib
import time
from typing import Any, Final

from bpdemo.lab.live.knobs import BY_NAME
from bpdemo.lab.live.live_picture import LivePicture
from bpdemo.lab.services.service import Service
from bpdemo.load.loads import RunningLoad, load
from bpdemo.load.run import LoadRun
from bpdemo.load.watcher import row_of

#: A knob turned again within this time is marked once.
SAME_TURN_S: Final = 1.5


class LiveLoad:
    """One load after another at one service, in one picture.

    `tick` is for one thread alone; the rest may be called from any.
    """

    def __init__(self, service: Service, picture: LivePicture) -> None:
        self.service = service
        self.picture = picture
        self.running: RunningLoad | None = None
        self._looks: list[list[float]] = []
        self._last_turn = ("", "", None, 0.0)
        self._began_times = self._times = 0.0

    def start(self, **how: Any) -> None:
        """As `load` takes it. Nothing happens if one is under way."""
        if self.running is None:
            self._looks, self._last_turn = [], ("", "", None, 0.0)
            self.running = load(self.service, background=True, **how)
            self._began_times = self._times = float(how.get("times") or 0.0)

    def stop(self) -> None:
        """Send no more orders; `tick` gives the run when those under way are answered."""
        if running := self.running:
            with contextlib.suppress(OSError):  # it has ended by itself meanwhile
                running.stop_sending()

    def kill(self) -> None:
        """End it at once; nothing comes of it."""
        if running := self.running:
            running.kill()
        self.running = None

    def tune(self, **knobs: Any) -> None:
        """Turn knobs of the service and mark them. Raises `SettingsInvalid`."""
        before = self.service.settings
        self.service.tune(**knobs)
        if self.running is not None:
            self.running.note_capacity(self.service.capacity_per_s)
        for name, value in knobs.items():
            if getattr(before, name) != value:
                self._mark(name, getattr(before, name), value)

    def offer(self, times: float) -> None:
        """Send the load under way at another multiple of what capacity was when it began, and
        mark that. OSError if it has ended meanwhile."""
        running = self.running
        if running is None or not self._began_times:
            return
        running.offer(running.plan.rate_per_s * times / self._began_times)
        before, self._times = self._times, times
        if before != times:
            self._mark("load", before, times)

    def tick(self, stats: dict[str, Any]) -> LoadRun | None:
        """Draw what is known now; the finished run once, when it is over. Raises `LoadFailed`."""
        running = self.running
        if running is None:
            return None
        if running.done:
            self.running = None
            run = running.wait()
            self.picture.show(run)
            return run
        if running.now_s > 0:
            self._looks.append([running.now_s, *row_of(stats)])
        self.picture.show_load(running, self._looks)
        return None

    def _mark(self, name: str, before: Any, after: Any) -> None:
        if self.running is None:
            return
        last, text, first, turned_s = self._last_turn
        now_s = time.monotonic()
        same_turn = name == last and now_s - turned_s < SAME_TURN_S
        first = first if same_turn else before
        told = f"{name} {first:g} → {after:g}×" if name == "load" else f"{name} {after}"
        told = BY_NAME[name].told(first, after) if name in BY_NAME else told
        self.running.mark(told, instead_of=text if same_turn else None)
        self._last_turn = (name, told, first, now_s)
