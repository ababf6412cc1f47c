"""Search the constants of every limit that adapts: as many trials, scenes and seeds for all alike.

    python -m benchmarks.tuning              twenty trials each, some minutes
    python -m benchmarks.tuning --trials 5   to see that it runs

A trial plays every scene with every seed before one queue (`fifo`), and is worth what it is worth
on average *and* with its worst seed: a limit that runs away once in five has not been tuned. The
first trial of each are its published constants. All start at two orders a worker and may go from 1
to 1000: with bounds that fit, any of them is a fixed bound. What is found goes to `tuned.json`, and
is judged by the section `limits`: by the service's own code, on seeds that were not used here, and
on scenes of which four were not either.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Annotated, Any, Final, NamedTuple

import typer

from benchmarks.arena import AS_BEFORE, TWICE_AS_SLOW, Scene, Scored
from benchmarks.fifo import score
from bpdemo.core.choices import LimitAlgorithm
from bpdemo.flow.limits.choice import LIMITS

TUNED: Final = Path(__file__).with_name("tuned.json")
SEEDS: Final = range(1, 6)
SCENES: Final = (
    Scene("half ×2", 2.0, 120.0, changes=((30.0, TWICE_AS_SLOW), (90.0, AS_BEFORE))),
    Scene("bimodal ×2", 2.0, 120.0, {"payment_latency_distribution": "bimodal"}),
    Scene("lognormal ×1.5", 1.5, 120.0),
    Scene("drift ×1.2", 1.2, 400.0, {"workers": 2}),
)


class Span(NamedTuple):
    """Where a constant is searched for; by its logarithm if that is told."""

    low: float
    high: float
    by_log: bool = False
    whole: bool = False

    def draw(self, chance: Random) -> float:
        if self.by_log:
            found = self.low * (self.high / self.low) ** chance.random()
        else:
            found = chance.uniform(self.low, self.high)
        return round(found) if self.whole else float(f"{found:.3g}")


SPANS: Final[Mapping[LimitAlgorithm, Mapping[str, Span]]] = {
    "own": {
        "room": Span(1.25, 2.2),
        "deep": Span(0.3, 0.7),
        "worth": Span(0.008, 0.05, by_log=True),
        "quota": Span(20, 80, whole=True),
        "gain": Span(0.15, 0.8),
    },
    "aimd": {"timeout_s": Span(0.05, 5, by_log=True), "backoff": Span(0.5, 0.98)},
    "vegas": {"probe": Span(3, 300, by_log=True)},
    "gradient2": {
        "tolerance": Span(1.05, 3),
        "smoothing": Span(0.05, 0.5),
        "queue": Span(1, 10, whole=True),
        "long_windows": Span(50, 10_000, by_log=True, whole=True),
        "window_s": Span(0.2, 3),
    },
    "gradient": {
        "pinned": Span(2, 16, whole=True),
        "interval_s": Span(10, 240, by_log=True),
        "requests": Span(20, 200, whole=True),
        "buffer": Span(0.05, 2, by_log=True),
        "percentile": Span(0.3, 0.95),
        "update_s": Span(0.05, 1, by_log=True),
    },
}


class Trial(NamedTuple):
    """Constants and what they are worth."""

    worth: float
    constants: dict[str, float]


def worth(name: LimitAlgorithm, constants: Mapping[str, float]) -> float:
    """The mean over the scenes, of which each is half its mean and half its worst seed."""
    return fmean(_worth_in(scene, name, constants) for scene in SCENES)


def _worth_in(scene: Scene, name: LimitAlgorithm, constants: Mapping[str, float]) -> float:
    start = 2 * scene.knobs.get("workers", 8)
    kind: Any = LIMITS[name]
    each = [
        _worth_of(score(kind(start, low=1, high=1000, rng=Random(seed), **constants), scene, seed))
        for seed in SEEDS
    ]
    return (fmean(each) + min(each)) / 2


def _worth_of(told: Scored) -> float:
    """Goodput, half of the worst ten seconds, and twice what was refused for nothing off that."""
    return told.goodput + told.worst / 2 - 2 * told.false


def trials(name: LimitAlgorithm, number: int) -> list[Trial]:
    """The published constants and `number` − 1 drawn ones, best first."""
    chance, asked = Random(f"tuning {name}"), [dict[str, float]()]
    for _ in range(number - 1):
        asked.append({constant: span.draw(chance) for constant, span in SPANS[name].items()})
    found = [Trial(worth(name, constants), constants) for constants in asked]
    return sorted(found, key=lambda trial: -trial.worth)


def main(
    number: Annotated[int, typer.Option("--trials", min=1, help="For each.")] = 20,
    out: Annotated[Path, typer.Option(help="Where what is found goes.")] = TUNED,
) -> None:
    """Tune them all."""
    tuned: dict[str, Any] = {}
    for name in SPANS:
        found = trials(name, number)
        published = next(trial.worth for trial in found if not trial.constants)
        best = found[0]
        tuned[name] = best.constants
        print(f"{name}: as published {published:.3f}, tuned {best.worth:.3f} {best.constants}")
        told = {"trials": number, "seeds": list(SEEDS), "constants": tuned}
        out.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
