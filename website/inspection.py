"""A look at the built site: every link leads somewhere, and nothing comes from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

#: What a browser fetches by itself, by tag: the attributes that name it.
FETCHED: Final = {
    "script": ("src",), "img": ("src", "srcset"), "source": ("src", "srcset"), "iframe": ("src",),
    "video": ("src", "poster"), "audio": ("src",), "embed": ("src",), "object": ("data",),
    "track": ("src",), "input": ("src",), "use": ("href", "xlink:href"), "image": ("href",),
}  # fmt: skip
#: Of those, the ones that name several, each with a width or a density behind it.
SEVERAL: Final = frozenset({"srcset", "imagesrcset"})
CANDIDATE: Final = re.compile(r"[\s,]*(\S*[^\s,])(?:\s[^,]*)?")
#: A link of a page's head by which nothing is fetched.
RESTING: Final = frozenset({"canonical", "next", "prev", "author", "help", "license", "search"})
CSS_ADDRESS: Final = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
INSIDE: Final = ("data:", "blob:", "about:", "#", "%23")


@dataclass(slots=True)
class Page:
    """What a page names: `ids` of its parts, `links` to follow, `fetched` without being asked."""

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    #: What leads a browser where a look at addresses does not see it: no page may have it.
    barred: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value for name, value in attrs if value is not None}
        self.page.ids |= {told[name] for name in ("id", "name") if name in told}
        for name in FETCHED.get(tag, ()):
            self.page.fetched += _addresses(name, told.get(name, ""))
        self.page.barred += _barred(tag, told)
        self.page.fetched += addresses_of_css(told.get("style", ""))
        self._in_style = tag == "style"
        if tag == "link" and not set(told.get("rel", "").split()) & RESTING:
            self.page.fetched.append(told.get("href", ""))
            self.page.fetched += _addresses("imagesrcset", told.get("imagesrcset", ""))
        elif tag == "a" and "href" in told:
            self.page.links.append(told["href"])

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.page.fetched += addresses_of_css(data)


def _addresses(name: str, value: str) -> list[str]:
    return CANDIDATE.findall(value) if name in SEVERAL else [value] if value else []


def _barred(tag: str, told: Mapping[str, str]) -> Iterator[str]:
    """Other ways to elsewhere: all addresses moved, another page by itself, a page in a page, and
    what is typed sent away."""
    if tag == "base":
        yield "a <base>"
    if tag == "meta" and told.get("http-equiv", "").strip().lower() == "refresh":
        yield "a refresh"
    if "srcdoc" in told:
        yield "a srcdoc"
    for name in ("action", "formaction"):
        if is_outside(told.get(name, "")):
            yield f"a form for {told[name]}"


def page_of(html: str) -> Page:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page


def addresses_of_css(text: str) -> list[str]:
    return [one or other for one, other in CSS_ADDRESS.findall(text)]


def complaints(site: Path) -> list[str]:
    """A line for each thing that is wrong with the site in this folder."""
    texts = {path: path.read_text("utf-8") for path in sorted(site.rglob("*.html"))}
    pages = {path: page_of(text) for path, text in texts.items()}
    here = str(site.resolve().parent)
    found = [f"{p.relative_to(site)} tells where it was built" for p in texts if here in texts[p]]
    for path, page in pages.items():
        place = path.relative_to(site)
        found += [f"{place} has {what}" for what in page.barred]
        found += [f"{place} fetches {a}" for a in page.fetched if is_outside(a)]
        inside = [a for a in page.fetched if a and not is_outside(a)]
        found += [f"{place}: there is no {a}" for a in inside if not _is_there(path, a, site)]
        found += [f"{place}: {why}" for why in _dead(path, page, pages, site)]
    for path in sorted(site.rglob("*.css")):
        named = addresses_of_css(path.read_text("utf-8"))
        found += [f"{path.relative_to(site)} fetches {a}" for a in named if is_outside(a)]
    return found


def is_outside(address: str) -> bool:
    """As a browser reads it, which takes `http:host`, backslashes and blanks before it, too."""
    plain = address.strip().replace("\\", "/")
    if plain.startswith(INSIDE):
        return False
    told = urlsplit(plain)
    return bool(told.netloc) or told.scheme in ("http", "https", "ws", "wss", "ftp")


def _is_there(page: Path, address: str, site: Path) -> bool:
    if address.startswith(INSIDE):
        return True
    return _target(page, address, site).is_file()


def _target(page: Path, address: str, site: Path) -> Path:
    path = unquote(urlsplit(address).path)
    if not path:
        return page
    target = site / path.lstrip("/") if path.startswith("/") else page.parent / path
    return (target / "index.html" if target.is_dir() else target).resolve()


def _dead(path: Path, page: Page, pages: dict[Path, Page], site: Path) -> Iterator[str]:
    by_path = {each.resolve(): told for each, told in pages.items()}
    for link in page.links:
        if urlsplit(link).hostname in LOOPBACK:
            yield f"a link to {link} leads to the reader's own machine"
        if urlsplit(link).scheme or is_outside(link):
            continue
        target = _target(path, link, site)
        if not target.is_file():
            yield f"a link to {link} leads nowhere"
            continue
        anchor = unquote(urlsplit(link).fragment)
        # What stands behind the playground's address is an experiment.
        is_part = anchor and "=" not in anchor and target in by_path
        if is_part and anchor not in by_path[target].ids:
            yield f"a link to {link}: there is no such part"
