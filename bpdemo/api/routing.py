"""The paths there are: their templates, methods, and whether limits apply to them.

Known before any framework is asked, so that the door can judge a request by its first line, and so
that metrics have a label for it that no caller can invent. Made from the application's own routes,
once: what is not in the table is not found, and the framework is never asked about it.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from starlette.routing import BaseRoute, Mount
from starlette.routing import Route as FrameworkRoute
from starlette.staticfiles import StaticFiles

from bpdemo.api import paths

#: What the documentation loads; its parts have no label of their own.
_DOCUMENTS = paths.DOCS + "/"
OTHER = "other"
_READ = ("GET", "HEAD")
_NAME = re.compile(r"\{\w+\}")


class Route(NamedTuple):
    """`template` is the metrics label; `limited` routes pass the gate. Where nothing `exists` there
    may be methods nevertheless: of what could be there."""

    template: str
    methods: tuple[str, ...]
    limited: bool = False
    exists: bool = True
    takes_orders: bool = False

    @property
    def allow(self) -> str:
        return ", ".join(self.methods)


#: Below a limited path, yet nothing: it passes the gate before it is told so.
_LIMITED_NOWHERE = Route(OTHER, (), limited=True, exists=False)
_NOWHERE = Route(OTHER, (), exists=False)
_NO_SUCH_FILE = Route(OTHER, _READ, exists=False)


class RoutingTable:
    """Finds the route of a path, as the framework would, or refuses where it would not.

    A template is words, then at most one `{name}` as its last part, which stands for anything but
    nothing and slashes. Files below a mount are known one by one.
    """

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        """Raises `ValueError` for a route of a kind that it does not know."""
        methods: dict[str, list[str]] = {}
        files: dict[str, Route] = {}
        mounts = []
        for route in routes:
            if isinstance(route, Mount):
                mounts.append(route.path + "/")
                files.update(_files_of(route))
            elif isinstance(route, FrameworkRoute):
                methods.setdefault(route.path, []).extend(sorted(route.methods or ()))
            else:
                raise ValueError(f"{route!r} is no route of the table's kinds")
        self._mounts = tuple(mounts)
        self._words: dict[str, Route] = files
        self._below: dict[str, Route] = {}
        for template, names in methods.items():
            if "{" in template:
                self._below[_parent(template)] = _route(template, names)
            else:
                self._words[template] = _route(template, names)

    def find(self, path: str) -> Route:
        """The route of a path; one that does not exist where there is none."""
        route = self._words.get(path)
        if route is not None:
            return route
        parent, _, name = path.rpartition("/")
        route = self._below.get(parent)
        if route is not None and name:
            return route
        if path.startswith(paths.LIMITED):
            return _LIMITED_NOWHERE
        return _NO_SUCH_FILE if path.startswith(self._mounts) else _NOWHERE

    def find_in(self, scope: Mapping[str, Any]) -> Route:
        """The same for what a server passes on, which may serve us below a path of its own."""
        path: str = scope["path"]
        root: str = scope.get("root_path", "")
        if root and (path == root or path.startswith(root + "/")):
            path = path[len(root) :]
        return self._words.get(path) or self.find(path)


def _route(template: str, names: list[str]) -> Route:
    methods = list(dict.fromkeys(names))
    if "GET" in methods:  # HEAD is answered as GET
        methods = [*_READ, *(name for name in methods if name not in _READ)]
    limited = any(template == root or template.startswith(root + "/") for root in paths.LIMITED)
    label = OTHER if template.startswith(_DOCUMENTS) else template
    return Route(label, tuple(methods), limited, takes_orders=template == paths.ORDERS)


def _parent(template: str) -> str:
    parent, _, last = template.rpartition("/")
    if "{" in parent or not _NAME.fullmatch(last):
        raise ValueError(f"{template} is no template of the table's kind")
    return parent


def _files_of(mount: Mount) -> Iterator[tuple[str, Route]]:
    """The files that are there now. So no crooked path gets as far as the file system."""
    if not isinstance(mount.app, StaticFiles):
        raise ValueError(f"{mount.path}: only files can be mounted")
    route = Route(OTHER, _READ)
    for folder in mount.app.all_directories:
        for here, _, names in os.walk(folder):
            for name in names:
                below = os.path.relpath(os.path.join(here, name), folder).replace(os.sep, "/")
                yield f"{mount.path}/{below}", route
