"""What the measurements of a judged service mean: a grade, a sentence, and what to change.

Pure. Between good and bad lies a grey zone, *unclear*, wider than what a second run differs by: so
another run moves a grade by one step at most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final, Literal

Marking = Literal["good", "unclear", "bad", "not judged"]

GOODPUT_GOOD: Final = 0.85
GOODPUT_BAD: Final = 0.65
RECOVERY_GOOD_S: Final = 2.0
RECOVERY_BAD_S: Final = 4.0
STAYERS_GOOD: Final = 0.87
#: A limit that keeps its places for disconnected clients serves two thirds of the patient ones.
STAYERS_BAD: Final = 0.75
#: Of the CPU time of a served request.
REFUSAL_GOOD: Final = 0.3
REFUSAL_BAD: Final = 0.7
#: Of the client's timeout, where the CPU time is not ours to see.
REFUSAL_LATE_GOOD: Final = 0.2
REFUSAL_LATE_BAD: Final = 0.6
#: Fewer rejections than this tell nothing.
FEW_REFUSALS: Final = 5
SHED_AT_ALL: Final = 0.02
PRESENT: Final = 0.95

LEAVERS: Final = "work for disconnected clients"

Cause = Literal["late", "failed", "refused"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """One thing that was judged; where it was not, `sentence` is the reason. `value` is the figure
    it rests on, None where there is none; `cause` is where lost goodput went."""

    name: str
    grade: Marking
    sentence: str
    advice: str = ""
    value: float | None = None
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class Refusals:
    """What rejections were like at the highest load: their share of all, what one cost of a served
    request's CPU time (None: not ours to see), the slowest in a hundred, the Retry-After
    of those that were looked at (None: it had none), and the share of all that failed."""

    share: float
    cost: float | None
    p99_s: float
    retry_after_s: Sequence[float | None]
    failed_share: float = 0.0


def between(value: float, good: float, bad: float) -> Marking:
    """The grade of a value of which more is better, or, with `good` below `bad`, less."""
    if good > bad:
        return "good" if value >= good else "bad" if value <= bad else "unclear"
    return "good" if value <= good else "bad" if value >= bad else "unclear"


def not_judged(name: str, why: str) -> Judgement:
    return Judgement(name, "not judged", f"{why}.")


#: Where goodput was lost: how that is said, and what to change.
LOST: Final[Mapping[Cause, tuple[str, str]]] = {
    "late": (
        "the rest of its work is mostly for clients that have stopped waiting",
        "Bound how many requests are in progress and how many wait (about one for each in "
        "progress), answer 503 beyond that, and drop a request whose deadline cannot be met.",
    ),
    "failed": (
        "the rest is mostly lost to requests that end in errors",
        "Find what breaks when more come than it can serve, and bound how many requests are in "
        "progress below that; answer 503 beyond it, which is no error but a rejection.",
    ),
    "refused": (
        "most of the rest goes neither into late answers nor into errors, so its rejections cost "
        "too much, or it rejects too many",
        "Reject before any work begins, and let in as many as are in progress at capacity, and "
        "as many again that wait.",
    ),
}


def goodput_kept(times: float, share: float, cause: Cause = "late") -> Judgement:
    """`share` of its capacity that it still serves in time at so many times its capacity, and what
    became of the rest."""
    grade = between(share, GOODPUT_GOOD, GOODPUT_BAD)
    serves = "serves only" if grade == "bad" else "still serves"
    at = f"At {times:g}× capacity it {serves} {min(share, 1):.0%} of its capacity in time"
    where, advice = LOST[cause]
    said = {
        "good": f"{at}.",
        "unclear": f"{at}: some of its capacity is lost, and a second run may see it differently.",
        "bad": f"{at}: {where}.",
    }
    name = f"goodput at {times:g}×"
    if grade == "good":
        return Judgement(name, grade, said[grade], value=share)
    return Judgement(name, grade, said[grade], advice, share, cause)


def recovery(seconds: float) -> Judgement:
    """`seconds` after the end of a spike until nearly everything is served in time again."""
    grade = between(seconds, RECOVERY_GOOD_S, RECOVERY_BAD_S)
    after = f"After a spike of 5× it serves in time again after {seconds:.1f} s."
    if seconds == inf:
        after = "After a spike of 5× it had not recovered when the run ended."
    advice = (
        "After a spike, whatever still waits has to be processed before anything new: keep the "
        "queue short, and drop requests whose clients have left."
    )
    return Judgement(
        "recovery after a spike",
        grade,
        after,
        "" if grade == "good" else advice,
        None if seconds == inf else seconds,
    )


def work_for_leavers(stayers_share: float, leave_s: float, failed_share: float = 0.0) -> Judgement:
    """`stayers_share`: served in time of the patient clients, beside a load that hangs up so soon;
    `failed_share` of them got an error, and errors tell nothing of those who hung up."""
    grade = between(stayers_share, STAYERS_GOOD, STAYERS_BAD)
    if grade != "good" and failed_share > (1 - stayers_share) / 2:
        return not_judged(LEAVERS, f"{failed_share:.0%} of the patient clients got an error")
    seen = f"Beside clients that hang up after {leave_s * 1000:g} ms, {stayers_share:.0%} of"
    seen += " the patient ones are served in time"
    said = {
        "good": f"{seen}: it does no work for clients that have disconnected.",
        "unclear": f"{seen}: some work may be done for clients that have disconnected.",
        "bad": f"{seen}: it goes on with requests whose clients have left.",
    }
    advice = (
        "Watch for the disconnect while a request waits (in ASGI the message http.disconnect), and "
        "give its place to the next."
    )
    return Judgement(
        LEAVERS, grade, said[grade], "" if grade == "good" else advice,
        stayers_share,
    )  # fmt: skip


def refusal_cost(seen: Refusals, client_timeout_s: float) -> Judgement:
    name = "cost of a rejection"
    if seen.share < SHED_AT_ALL:
        so = "every client waits, most of them in vain"
        if seen.failed_share >= SHED_AT_ALL:
            so = f"{seen.failed_share:.0%} of the requests end in errors instead"
        return Judgement(
            name,
            "bad",
            f"It rejects nobody, even at 5× capacity: {so}.",
            "Reject early what cannot be served in time: 503 with Retry-After, before any work.",
        )
    if seen.cost is None:
        grade = between(seen.p99_s / client_timeout_s, REFUSAL_LATE_GOOD, REFUSAL_LATE_BAD)
        sentence = f"99% of its rejections come within {seen.p99_s * 1000:,.0f} ms"
        sentence += " (its CPU time cannot be seen from here)."
        value = seen.p99_s
    else:
        grade = between(seen.cost, REFUSAL_GOOD, REFUSAL_BAD)
        value = max(seen.cost, 0.0)
        sentence = f"A rejection costs {value:.0%} of the CPU time of a served request."
    advice = (
        "Reject before the body is read and parsed and before any work begins: in a pure-ASGI "
        "middleware, not in the route."
    )
    return Judgement(name, grade, sentence, "" if grade == "good" else advice, value)


def retry_after(seen: Refusals) -> Judgement:
    name = "Retry-After"
    looked_at = len(seen.retry_after_s)
    if looked_at < FEW_REFUSALS:
        few = f"only {looked_at} of its rejections {'was' if looked_at == 1 else 'were'} looked at"
        why = few if looked_at else "it rejected nobody"
        return not_judged(name, why)
    told = [seconds for seconds in seen.retry_after_s if seconds is not None]
    advice = "Send Retry-After with every 503 and 429, drawn at random, longer under more load."
    if len(told) < PRESENT * looked_at:
        without = looked_at - len(told)
        sentence = f"{without} of {looked_at} rejections do not say when to come back."
        return Judgement(name, "bad", sentence, advice, len(told) / looked_at)
    if len(set(told)) == 1:
        sentence = f"Each rejection says the same {told[0]:g} s: those clients come back together."
        return Judgement(name, "bad", sentence, advice, 1.0)
    sentence = f"Rejections say when to come back, spread from {min(told):g} to {max(told):g} s."
    return Judgement(name, "good", sentence, "", 1.0)


COLLAPSES: Final[Mapping[Cause, str]] = {
    "late": "it is busy with requests whose clients have left",
    "failed": "its requests end in errors",
    "refused": "it loses what it could serve while it rejects the rest",
}


def overall(findings: Sequence[Judgement]) -> str:
    """The verdict in one sentence."""
    grades = {finding.name: finding.grade for finding in findings}
    kept = [grade for name, grade in grades.items() if name.startswith("goodput")]
    causes = [finding.cause for finding in findings if finding.grade == "bad" and finding.cause]
    why = ", and ".join(COLLAPSES[cause] for cause in dict.fromkeys(causes))
    judged = [grade for grade in kept if grade != "not judged"]
    bad = [name for name, grade in grades.items() if grade == "bad"]
    if not judged:
        return "What it does under overload could not be judged from this machine."
    if "bad" in judged:
        return f"It collapses under overload: {why}."
    holds = "It holds under overload"
    if "not judged" in grades.values():
        holds = "As far as it could be judged, it holds under overload"
    if "unclear" in judged:
        return f"{holds}, but not without loss."
    if bad:
        return f"{holds}. What is left to do: {', '.join(bad)}."
    return f"{holds}, and nothing is left to do."


def needs_a_limit(findings: Sequence[Judgement]) -> bool:
    """Whether a limit on what is in progress would change what was found."""
    kept = [finding for finding in findings if finding.name != LEAVERS]
    return any(finding.grade in ("bad", "unclear") for finding in kept)
