"""Makes a script that fails as small as it goes, while it fails in the same way."""

import time
from collections.abc import Callable
from dataclasses import replace

from tests.vopr.playing import play
from tests.vopr.script import PLAIN, Act, Script

LIMIT_S = 60.0


def shrink(script: Script, kind: str, fails: Callable[[Script], bool] | None = None) -> Script:
    """Fewer acts, plainer ones, fewer knobs; for about a minute at most."""
    ends_s = time.monotonic() + LIMIT_S
    asked = fails or (lambda smaller: kind in play(smaller).verdicts.kinds)

    def still_fails(smaller: Script) -> bool:
        return time.monotonic() < ends_s and asked(smaller)

    before = None
    while before != script and time.monotonic() < ends_s:
        before = script
        script = _fewer_acts(script, still_fails)
        script = _plainer_acts(script, still_fails)
        script = _fewer_knobs(script, still_fails)
    return script


Fails = Callable[[Script], bool]


def _fewer_acts(script: Script, fails: Fails) -> Script:
    """Leave out half of them, a quarter, and so on, down to one at a time."""
    size = max(1, len(script.acts) // 2)
    while size:
        start = 0
        while start < len(script.acts):
            acts = script.acts[:start] + script.acts[start + size :]
            if fails(smaller := replace(script, acts=acts)):
                script = smaller
            else:
                start += size
        size //= 2
    return script


def _plainer_acts(script: Script, fails: Fails) -> Script:
    for index in range(len(script.acts)):
        for name in script.acts[index].what:
            act = script.acts[index]
            for plainer in _plainer(act, name):
                acts = (*script.acts[:index], plainer, *script.acts[index + 1 :])
                if plainer != act and fails(smaller := replace(script, acts=acts)):
                    script = smaller
                    break
    return script


def _plainer(act: Act, name: str) -> list[Act]:
    what = act.what
    if act.kind == "order":
        return [act._replace(what={**what, name: PLAIN[name]})]
    if act.kind == "turn":
        return [act._replace(what={n: v for n, v in what.items() if n != name})]
    if act.kind == "break" and name in ("rate", "late_s", "after"):
        plain = {"rate": 1.0, "late_s": None, "after": False}[name]
        return [act._replace(what={**what, name: plain})]
    if act.kind == "when" and name == "turns":
        return [act._replace(what={**what, name: 0})]
    return []


def _fewer_knobs(script: Script, fails: Fails) -> Script:
    for name in [n for n in script.knobs if n not in ("seed", "store")]:
        rest = {n: v for n, v in script.knobs.items() if n != name}
        if fails(smaller := replace(script, knobs=rest)):
            script = smaller
    return script
