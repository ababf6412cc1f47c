"""Results on disk: `results.json` keeps every section's last run, `RESULTS.md` tells them."""

from __future__ import annotations

import statistics
from pathlib import Path

from pydantic import BaseModel

from benchmarks.machine import BUSY, Machine
from benchmarks.measured import FULL, QUICK, Aim, Report, Table

HEAD = f"""# Measured

Made anew by `make bench` (the quick form) and `make bench-full`; an edit by hand is lost with the
next run. A load lasts {QUICK.seconds:g} s in the quick form and {FULL.seconds:g} s in the full one,
and is played {QUICK.rounds} times ({QUICK.long_rounds} where there are many) or {FULL.rounds} times
({FULL.long_rounds}); bursts are a fifth as long, and five times as many. Each section says which
form it had.

Ratios are taken round by round between contenders that were measured in turn. That takes off less
than one might hope: on a virtual machine even processor time can differ by half between two bursts
a second apart. What many rounds have in common holds; a range tells how unquiet the machine was,
too. A cell is the median of the rounds, and in brackets the least and the greatest; an aim of eight
rounds or more has the quartiles besides, between which the middle half of its rounds lies. *Met
within chance*: the figure is above its bound, by no more than chance would explain.

Beside a peer the ratio means the same on any machine; seconds, microseconds and what is done a
second are those of the machine named below each section. `–` stands where a point was not measured,
or the load could not be sent in time.
"""

#: From so many rounds on quartiles tell more than the range does.
FOR_QUARTILES = 8


class Kept(BaseModel):
    """A section's report, and when, where and how long it was measured."""

    size: str
    took_s: float
    machine: Machine
    report: Report
    stolen_share: float | None = None
    """Of all cores while it ran, what their host gave to others; None where that is not known."""


class Results(BaseModel):
    sections: dict[str, Kept] = {}

    @classmethod
    def read(cls, folder: Path) -> Results:
        path = folder / "results.json"
        return cls.model_validate_json(path.read_text("utf-8")) if path.exists() else cls()

    def write(self, folder: Path, order: list[str]) -> None:
        """Both files, sections in `order`."""
        self.sections = {name: self.sections[name] for name in order if name in self.sections}
        (folder / "results.json").write_text(self.model_dump_json(indent=1) + "\n", "utf-8")
        (folder / "RESULTS.md").write_text(self.page(), "utf-8")

    def page(self) -> str:
        parts = [HEAD, _aims_table(self.sections)]
        parts += [_section(name, kept) for name, kept in self.sections.items()]
        return "\n".join(parts)


def told(value: float) -> str:
    """Two decimals, as far as that is enough: fewer of what is large, more of what is small."""
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    if not size:
        return "0.00"
    if size >= 0.0995:
        return f"{value:.2f}"
    return f"{value:.3f}" if size >= 0.0005 else f"{value:.0e}"


def cell(values: list[float]) -> str:
    """Median, and in brackets the range."""
    if not values:
        return "–"
    middle, least, most = (told(f(values)) for f in (statistics.median, min, max))
    return middle if least == most else f"{middle} ({least} – {most})"


def measured(aim: Aim) -> str:
    """Its cell, and of many rounds between which figures the middle half of them lies."""
    if len(aim.values) < FOR_QUARTILES or min(aim.values) == max(aim.values):
        return cell(aim.values)
    lower, _, upper = statistics.quantiles(aim.values, method="inclusive")
    return f"{cell(aim.values)}, quartiles {told(lower)} and {told(upper)}"


def verdict(aim: Aim) -> str:
    if not aim.is_met:
        return "**missed**"
    return "met" if aim.is_met_for_sure else "met within chance"


def _aims_table(sections: dict[str, Kept]) -> str:
    aims = [aim for kept in sections.values() for aim in kept.report.aims]
    missed = sum(not aim.is_met for aim in aims)
    lines = [
        "## Aims",
        "",
        f"{missed} of {len(aims)} are missed. Where the reason is known, the section tells it.",
        "",
        "| section | aim | measured | |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| [{name}](#{name}) | {aim.text} | {measured(aim)} | {verdict(aim)} |"
        for name, kept in sections.items()
        for aim in kept.report.aims
    ]
    return "\n".join(lines) + "\n"


def _section(name: str, kept: Kept) -> str:
    report, machine = kept.report, kept.machine
    parts = [
        f'<a id="{name}"></a>', "",
        f"## {report.title}", "", _lead(report), "",
        *[f"![{report.title}](pictures/{picture}.png)\n" for picture in report.pictures],
        *[_table(table) for table in report.tables],
        *[f"- {note}" for note in report.notes], "",
        f"*{machine.when}, {kept.size} form, {kept.took_s:.0f} s; {machine.processor}, "
        f"{machine.cores} cores, {machine.memory_gb:g} GB, {machine.system}, {machine.python}; "
        f"{machine.busy_share:.0%} busy with other things before the start"
        f"{_off(machine)}{_stolen(kept)}; logs {report.logs}. "
        f"{_versions(machine)}.*", "",
    ]  # fmt: skip
    return "\n".join(parts)


def _off(machine: Machine) -> str:
    return ", so figures of speed may be off" if machine.busy_share > BUSY else ""


def _versions(machine: Machine) -> str:
    """Of everything that took part; of ours, which commit."""
    told = dict(machine.packages)
    if machine.commit:
        told["bpdemo"] = f"{told['bpdemo']} ({machine.commit})"
    return ", ".join(f"{package} {version}" for package, version in told.items())


def _stolen(kept: Kept) -> str:
    """Seen where the machine is a virtual one whose host tells it."""
    stolen = kept.stolen_share or 0.0
    return f"; {stolen:.1%} stolen by its host" if stolen >= 0.0005 else ""


def _lead(report: Report) -> str:
    """What it says of itself, without its name, which stands above."""
    text = report.what.strip().removeprefix(f"{report.title}: ")
    return text[:1].upper() + text[1:]


def _table(table: Table) -> str:
    lines = [
        f"**{table.title}**", "",
        f"| | {' | '.join(table.columns)} |",
        "|---" * (len(table.columns) + 1) + "|",
        *[f"| {name} | {' | '.join(map(cell, row))} |" for name, row in table.rows.items()],
    ]  # fmt: skip
    return "\n".join([*lines, "", table.notes, ""] if table.notes else [*lines, ""])
