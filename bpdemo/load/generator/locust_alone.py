"""Locust's command line without its configuration files. Run only as a child, by `python -m`.

Locust also reads `~/.locust.conf`, and `locust.conf` and `pyproject.toml` of the folder it runs in,
the latter in the locale's encoding. They belong to other loads, and one line of them, such as
`master = true`, turns ours into another one. It has no option that leaves them out.
"""

from __future__ import annotations

# Before all others, which it patches.
import locust  # noqa: F401  # isort: skip

from typing import Any

from locust import argument_parser
from locust.main import main

_make_parser = argument_parser.get_empty_argument_parser


def _parser_without_files(add_help: bool = True, default_config_files: Any = ()) -> Any:  # noqa: ARG001
    return _make_parser(add_help=add_help, default_config_files=[])


def run_locust() -> None:
    """By the command line of this process."""
    argument_parser.get_empty_argument_parser = _parser_without_files
    main()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    run_locust()
