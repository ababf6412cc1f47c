"""The look at the built site, at planted faults."""

from pathlib import Path

import pytest

from website.inspection import complaints


def site_of(folder: Path, body: str, head: str = "") -> Path:
    (folder / "sub").mkdir()
    (folder / "style.css").write_text("body { color: black }")
    (folder / "sub" / "other.html").write_text("<p id='part'>Other</p>")
    page = f"<html><head>{head}</head><body>{body}</body></html>"
    (folder / "index.html").write_text(page)
    return folder


@pytest.mark.parametrize(
    ("body", "head"),
    [
        ('<script src="https://cdn.example/x.js"></script>', ""),
        ('<script src="//cdn.example/x.js"></script>', ""),
        ('<img src="http://else.example/x.png" alt="">', ""),
        ('<img srcset="https://else.example/x.png 2x" alt="">', ""),
        ('<img srcset="style.css 1x, https://else.example/x.png 2x" alt="">', ""),
        ('<img srcset="style.css, https://else.example/x.png 2x" alt="">', ""),
        ('<source srcset="data:image/png;base64,AA== 1x, //else.example/x.png 100w">', ""),
        ("", '<link rel="preload" imagesrcset="style.css 1x, //else.example/x.png 2x" href="#">'),
        ('<img src="http:else.example/x.png" alt="">', ""),
        ('<img src="https:else.example/x.png" alt="">', ""),
        ('<img src=" HTTPS:/else.example/x.png" alt="">', ""),
        ('<img src="\\\\else.example/x.png" alt="">', ""),
        ('<iframe src="https://else.example/"></iframe>', ""),
        ('<video poster="https://else.example/x.png"></video>', ""),
        ('<p style="background: url(https://else.example/x.png)">', ""),
        ("", '<link rel="stylesheet" href="https://else.example/x.css">'),
        ("", '<link rel="preconnect" href="https://fonts.example">'),
        ("", "<style>@import 'https://else.example/x.css';</style>"),
        ("", "<style>@font-face { src: url('https://else.example/x.woff2') }</style>"),
    ],
)
def test_whatever_a_page_would_fetch_from_elsewhere_is_named(tmp_path, body, head):
    """Scripts, styles, pictures, fonts, frames, and hints to a browser to fetch them."""
    [told] = complaints(site_of(tmp_path, body, head))
    assert "index.html fetches" in told


@pytest.mark.parametrize(
    ("body", "head"),
    [
        ("", '<base href="https://else.example/">'),
        ("", '<base href="sub/">'),
        ("", '<meta http-equiv="refresh" content="0; url=https://else.example/">'),
        ("", '<meta http-equiv=" Refresh " content="0; url=sub/other.html">'),
        ("<iframe srcdoc=\"<img src='https://else.example/x.png'>\"></iframe>", ""),
        ('<form action="https://else.example/"></form>', ""),
        ('<button formaction="//else.example/">x</button>', ""),
    ],
)
def test_what_leads_elsewhere_by_other_ways_is_named(tmp_path, body, head):
    """Moved addresses, another page by itself, a page within a page, a form that is sent away."""
    told = complaints(site_of(tmp_path, body, head))
    assert len([line for line in told if line.startswith("index.html has a")]) == 1


def test_a_style_file_may_fetch_nothing_from_elsewhere_either(tmp_path):
    """No import and no font."""
    site = site_of(tmp_path, "")
    (site / "style.css").write_text("@font-face { src: url(https://else.example/x.woff2) }")
    [told] = complaints(site)
    assert told == "style.css fetches https://else.example/x.woff2"


@pytest.mark.parametrize(
    "body",
    [
        '<a href="nowhere.html">x</a>',
        '<a href="sub/">x</a>',
        '<a href="sub/other.html#no-part">x</a>',
        '<a href="#no-part">x</a>',
        '<img src="nowhere.png" alt="">',
        '<script src="nowhere.js"></script>',
        '<a href="http://127.0.0.1:8000/">x</a>',
        '<a href="http://localhost/">x</a>',
    ],
)
def test_what_leads_nowhere_is_named(tmp_path, body):
    """A page, a part of one, a picture, a script, a service on the reader's own machine."""
    [told] = complaints(site_of(tmp_path, body))
    assert "index.html" in told


def test_a_page_that_tells_the_folder_it_was_built_in_is_named(tmp_path):
    """Nobody else has that folder, and what it is called is nobody's business."""
    (tmp_path / "site").mkdir()
    site = site_of(tmp_path / "site", f"<p>Written to {tmp_path}/album.html</p>")
    assert complaints(site) == ["index.html tells where it was built"]


def test_what_is_as_it_should_be_is_not(tmp_path):
    """Links to elsewhere may be followed; data stands in the page; an experiment is no part."""
    body = (
        '<p id="here">x</p><a href="#here">x</a><a href="sub/other.html#part">x</a>'
        '<a href="https://else.example/">x</a><a href="mailto:x@else.example">x</a>'
        '<img src="data:image/png;base64,AA==" alt="">'
        '<img srcset="style.css 1x,\n sub/other.html 2x" src="style.css" alt="">'
        '<img srcset="data:image/png;base64,AA== 1x" alt=""><form action="sub/other.html"></form>'
        '<a href="sub/other.html#times=2&amp;seed=1">x</a>'
    )
    assert complaints(site_of(tmp_path, body, '<link rel="stylesheet" href="style.css?v=1">')) == []
