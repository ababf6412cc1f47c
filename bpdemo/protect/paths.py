"""Which rule a path falls under: the one with the longest prefix.

A prefix ends where a segment does: `/orders` is for `/orders` and `/orders/7`, not for `/ordersx`.
As in a router, a path is relative to where the application is mounted.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from starlette.types import Scope

T = TypeVar("T")

#: The label of the rule for paths that no prefix covers.
ELSEWHERE = "*"


def normal_prefix(prefix: object) -> str:
    """Without a slash at its end. Raises ValueError for what no path can begin with."""
    if not isinstance(prefix, str) or not prefix.startswith("/"):
        raise ValueError(f"paths: {prefix!r} is not a path that begins with /")
    return prefix.rstrip("/") or "/"


class Prefixes(Generic[T]):
    """Finds what belongs to a path; `elsewhere` belongs to all that no prefix covers."""

    __slots__ = ("_elsewhere", "_longest_first")

    def __init__(self, by_prefix: Mapping[str, T], elsewhere: T) -> None:
        """The prefixes are normal ones."""
        self._elsewhere = by_prefix.get("/", elsewhere)
        named = sorted((prefix for prefix in by_prefix if prefix != "/"), key=len, reverse=True)
        self._longest_first = [(name, f"{name}/", by_prefix[name]) for name in named]

    def find(self, scope: "Scope") -> T:
        path = path_in_application(scope)
        # A handful of prefixes is compared sooner than a path is taken apart, however long it is.
        for prefix, below, found in self._longest_first:
            if path.startswith(below) or path == prefix:
                return found
        return self._elsewhere


def path_in_application(scope: "Scope") -> str:
    """The path without the prefix under which the application is mounted, where it has that.

    Servers and mounts leave the prefix in the path; a proxy that strips it does not.
    """
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if root and path.startswith(root) and path[len(root) : len(root) + 1] in ("", "/"):
        return path[len(root) :]
    return path
