"""`Request`: the request that a load sends to a service which is no box office.

What varies from one request to the next is named in braces, and drawn for each from the load's
seed. Plain Python only, so that the load generator's child starts fast.
"""

from __future__ import annotations

import base64
import json as json_format
from collections.abc import Collection, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Final, NamedTuple, Self

from bpdemo.core.members import forgiving_class
from bpdemo.plan.request_checks import (
    Values,
    plain_expect,
    plain_json,
    plain_values,
    require_headers,
    require_method,
    require_names,
    require_path,
    text_of,
)
from bpdemo.plan.template import filled, filled_json, path_text

JSON_TYPE: Final = "application/json"


class Sent(NamedTuple):
    """One request as it goes out."""

    path: str
    body: bytes | None
    headers: dict[str, str]


@forgiving_class
@dataclass(frozen=True, slots=True)
class Request:
    """What to send, and which answers are as they should be.

    `{name}` in the path, in a header's value or in a string of `json` is replaced by one of the
    values that `vary` has for that name; a string of `json` that is only `{name}` takes the type of
    the value as well. `{{name}}` stands for the text `{name}`. Values are drawn evenly and
    independently of each other. A value in the path is taken as it is, but for what cannot stand
    in a request line (a space becomes `%20`). `body` is bytes or text, sent as it is. `expect`: the
    statuses that count as served, a number or several; by default every 2xx.

    ValueError for a name in braces that `vary` does not have, for one it has in vain, and for what
    could not be sent.

        Request("POST", "/pay", json={"order": "{id}"}, vary={"id": range(1, 101)})
    """

    method: str
    path: str
    _: KW_ONLY
    json: Any = None
    body: bytes | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    vary: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    expect: int | Collection[int] | None = None

    def __post_init__(self) -> None:
        self._set("method", require_method(self.method))
        require_path(self.path)
        if self.json is not None and self.body is not None:
            raise ValueError("give json or body, not both")
        self._set("json", plain_json("json", self.json))
        if isinstance(self.body, str):
            self._set("body", self.body.encode())
        elif self.body is not None and not isinstance(self.body, bytes | bytearray):
            raise ValueError(f"body must be bytes or text, not {type(self.body).__name__}")
        elif self.body is not None:
            self._set("body", bytes(self.body))
        self._set("vary", plain_values(self.vary))
        self._set("headers", require_headers(self.headers, self.vary))
        require_names(self.path, self.headers, self.json, self.vary)
        self._set("expect", plain_expect(self.expect))

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    @property
    def name(self) -> str:
        """What all requests of this kind are called together, such as `GET /items/{id}`."""
        return f"{self.method} {self.path}"

    def is_expected(self, status: int) -> bool:
        """Whether an answer of this status counts as served."""
        if self.expect is None:
            return 200 <= status < 300
        assert isinstance(self.expect, tuple)
        return status in self.expect

    def filled(self, drawn: Sequence[int] = ()) -> Sent:
        """The request with one value for each name: of `vary`, in its order, those at `drawn`."""
        values = {
            name: choices[at] for (name, choices), at in zip(self.vary.items(), drawn, strict=True)
        }
        texts = {name: text_of(value) for name, value in values.items()}
        headers = {name: filled(text, texts) for name, text in self.headers.items()}
        body = self.body
        if self.json is not None:
            if not any(name.lower() == "content-type" for name in headers):
                headers["Content-Type"] = JSON_TYPE
            body = json_format.dumps(
                filled_json(self.json, values, texts), separators=(",", ":")
            ).encode()
        assert not isinstance(body, str)
        in_path = {name: path_text(text) for name, text in texts.items()}
        return Sent(filled(self.path, in_path), body, headers)

    def to_fields(self) -> dict[str, Any]:
        """As JSON can hold it; `from_fields` makes the same request of it."""
        assert not isinstance(self.body, str)
        return {
            "method": self.method,
            "path": self.path,
            "json": self.json,
            "body": None if self.body is None else base64.b64encode(self.body).decode(),
            "headers": dict(self.headers),
            "vary": {name: _packed(values) for name, values in self.vary.items()},
            "expect": self.expect,
        }

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Self:
        body = fields["body"]
        return cls(
            fields["method"],
            fields["path"],
            json=fields["json"],
            body=None if body is None else base64.b64decode(body),
            headers=fields["headers"],
            vary={name: _unpacked(values) for name, values in fields["vary"].items()},
            expect=fields["expect"],
        )


def _packed(values: Sequence[Any]) -> Any:
    """A range stays one: a million numbers need not be written out."""
    if isinstance(values, range):
        return {"range": [values.start, values.stop, values.step]}
    return list(values)


def _unpacked(values: Any) -> Values:
    return range(*values["range"]) if isinstance(values, dict) else tuple(values)
