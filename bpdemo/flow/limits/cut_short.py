"""Percentile and mean of durations some of which are right-censored: cut short, so that they are
known only to have been at least so long.

A duration is a pair here, its seconds and whether it was cut short then. A censored one never
lowers what comes out. It counts as longer than where it was cut, by how much nobody knows.
"""

from collections.abc import Iterable

Times = Iterable[tuple[float, bool]]


def percentile(times: Times, share: float) -> tuple[float, bool]:
    """The seconds that `share` of the durations do not exceed, and whether it is a lower bound.

    The Kaplan-Meier estimator: the weight of a censored duration is spread over the longer ones.
    With none censored it is the usual percentile. Raises ValueError where there is no duration.
    """
    ordered = sorted(times)  # of one length, those that are known come first
    if not ordered:
        raise ValueError("times: there are none")
    longer = 1.0
    for rank, (time_s, is_cut) in enumerate(ordered):
        if not is_cut:
            longer *= 1 - 1 / (len(ordered) - rank)
            if 1 - longer > share + 1e-9:  # what rounding may add
                return time_s, False
    return ordered[-1]


def mean(times: Times) -> tuple[float, int, bool]:
    """The mean in seconds, of how many durations, and whether it is a lower bound: all censored.

    A censored one counts, as so long, if it is above the mean of the known ones and of the shorter
    censored ones that count; else it says nothing. 0 of none.
    """
    ordered = sorted(times)
    known = [time_s for time_s, is_cut in ordered if not is_cut]
    total_s, count = sum(known), len(known)
    for time_s, is_cut in ordered:
        if is_cut and time_s * count >= total_s:
            total_s += time_s
            count += 1
    return total_s / max(1, count), count, not known
