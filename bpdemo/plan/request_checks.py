"""What a request must be to be sent at all. Each check raises a ValueError that names the field."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from bpdemo.core.nearest import nearest
from bpdemo.plan.template import names_in, names_in_json

Values = tuple[Any, ...] | range

TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
TARGET: Final = re.compile(r"/[!-~]*")
"""What can stand in a request line: printable ASCII without spaces. The rest is percent-encoded."""
NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)
CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

OURS: Final = {
    "content-length": "follows from the body",
    "transfer-encoding": "follows from the body",
    "connection": "belongs to the load generator",
    "user-agent": "is always bpdemo-load, so that anyone who runs the service knows what came",
}


METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
"""Those that HTTP has. A service may take others; one that is spelt almost so is a slip."""
ALIKE: Final = 0.75
"""So that PROPPATCH, which WebDAV has, is not taken for PATCH."""


def require_method(method: Any) -> str:
    """The method in capitals. ValueError for what is none, and for one of HTTP's misspelt."""
    require_token("method", method)
    found: str = method.upper()
    if found == "CONNECT":
        raise ValueError("method: CONNECT asks for a tunnel, which is no request to a service")
    if found not in METHODS and (near := nearest(found, METHODS, cutoff=ALIKE)):
        raise ValueError(f"method: {method!r} is none of HTTP's. Did you mean {near}?")
    return found


def require_token(field: str, text: Any) -> None:
    if not isinstance(text, str) or not TOKEN.fullmatch(text):
        raise ValueError(f"{field}: {text!r} cannot stand in a request")


def require_path(path: Any) -> None:
    if not isinstance(path, str) or not TARGET.fullmatch(path) or "#" in path:
        raise ValueError(
            f"path: {path!r} must begin with / and hold printable ASCII without spaces and #; "
            "percent-encode the rest"
        )


def plain_json(field: str, document: Any) -> Any:
    """A copy of its own, as JSON has it: what the caller changes later does not reach the load."""
    try:
        return json.loads(json.dumps(document, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{field}: cannot be written as JSON ({error})") from None


def plain_values(vary: Any) -> dict[str, Values]:
    if not isinstance(vary, Mapping):
        raise ValueError(f"vary must map names to lists of values, not {vary!r}")
    return {_plain_name(name): _plain_choices(name, choices) for name, choices in vary.items()}


def _plain_name(name: Any) -> str:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(f"vary: {name!r} is no name (letters, digits and _, no digit first)")
    return name


def _plain_choices(name: str, choices: Any) -> Values:
    is_several = isinstance(choices, Collection) and not isinstance(choices, str | bytes | Mapping)
    if not is_several:
        raise ValueError(f"vary: {name!r} needs a list or range of values, not {choices!r}")
    if not len(choices):
        raise ValueError(f"vary: {name!r} has no values to draw from")
    if isinstance(choices, range):
        return choices
    # A set has no order that is the same in every process, and a draw is a place in that order.
    ordered = choices if isinstance(choices, Sequence) else sorted(choices, key=repr)
    plain = plain_json(f"vary of {name!r}", _as_plain(ordered))
    return tuple(plain)


def _as_plain(choices: Iterable[Any]) -> list[Any]:
    """Numbers of numpy and the like know how to become Python's own."""
    return [choice.item() if hasattr(choice, "item") else choice for choice in choices]


def require_headers(headers: Any, vary: Mapping[str, Sequence[Any]]) -> dict[str, str]:
    if not isinstance(headers, Mapping):
        raise ValueError(f"headers must map names to texts, not {headers!r}")
    seen: dict[str, str] = {}
    for name, value in headers.items():
        require_token("headers", name)
        if why := OURS.get(name.lower()):
            raise ValueError(f"headers: {name} {why}")
        if name.lower() in map(str.lower, seen):
            raise ValueError(f"headers: {name} is given twice")
        seen[name] = text_of(value)
        for text in (seen[name], *_drawn_into(seen[name], vary)):
            _require_header_text(name, text)
    return seen


def _drawn_into(text: str, vary: Mapping[str, Sequence[Any]]) -> Iterable[str]:
    for name in names_in(text):
        choices = vary.get(name, ())
        if not isinstance(choices, range):  # whole numbers can always be sent
            yield from map(text_of, choices)


def _require_header_text(name: str, text: str) -> None:
    if CONTROL.search(text):
        raise ValueError(f"headers: {name} must not hold line breaks or other control characters")
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(f"headers: {name} holds {text!r}, which HTTP cannot carry") from None


def require_names(
    path: str, headers: Mapping[str, str], document: Any, vary: Mapping[str, Sequence[Any]]
) -> None:
    """Each name that is asked for is there, and each that is there is asked for."""
    asked = {*names_in(path), *names_in_json(document)}
    for text in headers.values():
        asked.update(names_in(text))
    if unknown := sorted(asked - set(vary)):
        known = ", ".join(vary) or "nothing"
        raise ValueError(f"vary: {{{unknown[0]}}} is asked for, and there is {known} to draw from")
    if unused := sorted(set(vary) - asked):
        raise ValueError(f"vary: {{{unused[0]}}} stands nowhere in path, headers or json")


def plain_expect(expect: Any) -> tuple[int, ...] | None:
    if expect is None:
        return None
    statuses = [expect] if isinstance(expect, int) else expect
    if not isinstance(statuses, Collection) or isinstance(statuses, str | bytes) or not statuses:
        raise ValueError(f"expect must be a status or several, not {expect!r}")
    for status in statuses:
        if isinstance(status, bool) or not isinstance(status, int) or not 100 <= status <= 599:
            raise ValueError(f"expect: {status!r} is no status from 100 to 599")
    return tuple(sorted(set(statuses)))


def text_of(value: Any) -> str:
    """A value as text: a text as it is, the rest as JSON writes it (`true`, `null`, `1.5`)."""
    return value if isinstance(value, str) else json.dumps(value)
