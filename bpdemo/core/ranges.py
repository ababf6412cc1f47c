"""What the fields of a policy may be.

Each check raises a ValueError that names the field, the value and the range. NaN and infinity are
no numbers here, and neither are booleans; numbers of other libraries, such as numpy's, are.
"""

from collections.abc import Iterable
from math import isfinite, log10
from numbers import Integral, Real
from sys import float_info
from typing import Any, Final

from bpdemo.core.nearest import one_of

#: A whole number may be beyond any float, and then what is calculated with it fails.
LARGEST: Final = int(float_info.max)
#: Longer ones are told by their length. (Python itself writes none of more than 4300 digits.)
LONGEST: Final = 10**40


def plain(value: Any) -> Any:
    """Python's own bool, int or float for that of another library; anything else as it is.

    A knob from `numpy.arange` or a frame of pandas is a number like any other. But JSON and seeds
    know only Python's, and those of numpy overflow.
    """
    if getattr(value, "ndim", None) == 0 and callable(item := getattr(value, "item", None)):
        value = item()
    if isinstance(value, bool):
        return value
    try:
        if isinstance(value, Integral):
            return int(value)
        return float(value) if isinstance(value, Real) else value
    except (OverflowError, ValueError):  # a fraction beyond any float
        return value


def require_number(field: str, value: Any, low: float = 0.0, high: float | None = None) -> None:
    """A finite number from `low` to `high`."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    # NaN compares as False with everything, so it is in neither range.
    if (
        not is_number
        or not (low <= value if high is None else low <= value <= high)
        or not _is_finite(value)
    ):
        raise _wrong(field, value, "a number", low, high)


def require_count(field: str, value: Any, low: int = 0) -> None:
    """A whole number of at least `low`; 3.0 is none."""
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_whole or not low <= value <= LARGEST:
        raise _wrong(field, value, "a whole number", low, None)


def require_flag(field: str, value: object) -> None:
    """True or False."""
    if not isinstance(value, bool):
        raise ValueError(f"{field}: {shown(value)} is neither True nor False")


def require_text(field: str, value: object) -> None:
    """A text."""
    if not isinstance(value, str):
        raise TypeError(f"{field} must be a text, not {shown(value)}")


def require_choice(field: str, value: object, choices: Iterable[object]) -> None:
    """One of some words."""
    if value not in (known := tuple(choices)):
        raise ValueError(f"{field}: {shown(value)} is not {one_of(value, known)}")


def _is_finite(value: Any) -> bool:
    try:
        return isfinite(float(value))
    except OverflowError:  # a whole number, or a fraction
        return False


def shown(value: object) -> str:
    """As it was typed; of a whole number that nobody could read, how long it is."""
    if isinstance(value, int) and abs(value) > LONGEST:
        return f"a number of {round(value.bit_length() * log10(2)) + 1} digits"
    try:
        return repr(value)
    except ValueError:
        return f"a {type(value).__name__} with a number too long to be read"


def _wrong(field: str, value: Any, kind: str, low: float, high: float | None) -> ValueError:
    span = f"of at least {low:g}" if high is None else f"from {low:g} to {high:g}"
    if high is None and isinstance(value, int) and value > LARGEST:
        span += ", and it is beyond any float"
    return ValueError(f"{field}: {shown(value)} is not {kind} {span}")
