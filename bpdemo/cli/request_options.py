"""`--request 'POST /path'` and what belongs to it, read into a `Request`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bpdemo.core.person_text import unusual_encoding
from bpdemo.plan.request import Request


def request_from(
    line: str | None, json_body: str | None, body_file: Path | None, headers: Sequence[str]
) -> Request | None:
    """None if none is asked for. ValueError names the option that cannot be read; raises OSError
    for a file that cannot."""
    if line is None:
        for option, given in (
            ("json-body", json_body), ("body-file", body_file), ("header", headers)
        ):  # fmt: skip
            if given:
                raise ValueError(f"{option}: belongs to --request 'POST /path', which is missing")
        return None
    words = line.split()
    if len(words) != 2:
        raise ValueError(f"request: {line!r} is not a method and a path, such as 'POST /pay'")
    if json_body is not None and body_file is not None:
        raise ValueError("give --json-body or --body-file, not both")
    return Request(
        *words,
        json=None if json_body is None else _document(json_body),
        body=None if body_file is None else _body(body_file),
        headers=dict(_header(text) for text in headers),
    )


def _body(file: Path) -> bytes:
    """As it is: a service may want just that."""
    data = file.read_bytes()
    if encoding := unusual_encoding(data):
        print(f"bpdemo: --body-file: {file} is {encoding}, and is sent so", file=sys.stderr)
    return data


def _document(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"json-body: {text!r} is not JSON ({error})") from None


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise ValueError(f"header: {text!r} is not 'NAME: VALUE'")
    return name.strip(), value.strip()
