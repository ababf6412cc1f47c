"""A site of one lesson, from its kernel to its page: what every kind of output becomes."""

import json
import re
from pathlib import Path

import pytest

from tests.support.notebooks import Cell, code_cell, write_notebook
from website import build as building
from website.build import SiteFailed, lay_out, sphinx
from website.inspection import complaints, page_of
from website.lessons import ROOT, run_all, this_run
from website.plays import plays
from website.sources import PAGES, DeadLink, Site

pytestmark = [pytest.mark.process, pytest.mark.slow, pytest.mark.timeout(300)]

EXERCISES = next((ROOT / "exercises").glob("01*.ipynb")).name
#: All that cells of the lessons show, without a load in real time.
CELLS = (
    Cell("markdown", "# A lesson\n\nSee [the queue](../bpdemo/flow/queue.py).", {}),
    "from bpdemo.lab import claim, predict, reveal, show, simulate",
    'predict("01a")',
    code_cell('run = simulate({"queue_capacity": 8}, seconds=3)', ["claim-lifo"]),
    'reveal("01a", run)',
    "run",
    "run.figure()",
    code_cell(
        'claim("goodput stays up", run.summary["goodput_share"], at_least=0.5)', ["claim-lifo"]
    ),
    "from bpdemo.flow.backoff import backoff_s\nshow(backoff_s)",
    "import ipywidgets\nipywidgets.IntSlider()",
    'print("</script><b>")',
    "from bpdemo.lab import animate\nanimate(times=0.5, seconds=1)",
    "from pathlib import Path\nfrom IPython.display import HTML\n"
    "HTML(f\"<a href='album.html'>An album</a> in {Path('my-work').resolve()}, "
    "<a href='http://127.0.0.1:9' target='_blank'>a service</a>.\")",
    Cell("markdown", f"Exercises: [01](../my-work/{EXERCISES}).", {}),
)


def test_a_lesson_becomes_a_page(tmp_path):
    """Run in its kernel, laid out, built; then each look below. One test, since one build takes
    longer than all looks at it."""
    site = built(tmp_path)
    page = (site / "notebooks" / "99_a_lesson.html").read_text("utf-8")
    for look in LOOKS:
        look(site, page)


def built(folder: Path) -> Path:
    lesson = folder / "notebooks" / "99_a_lesson.ipynb"
    lesson.parent.mkdir()
    write_notebook(lesson, *CELLS)
    run_all([lesson], "short", folder / "executed", lambda _: None)
    lay_out(folder / "source", [lesson], folder / "executed", plays(), small=True)
    sphinx(folder / "source", folder / "site", this_run("short"))
    return folder / "site"


def it_holds_together_and_fetches_nothing_from_elsewhere(site: Path, page: str) -> None:
    """But for the playground's page, which is built apart."""
    assert [told for told in complaints(site) if "playground" not in told] == []


def pictures_are_data_and_one_plotly_draws_them_all(site: Path, page: str) -> None:
    """Each with the result in words as its name; what is written in a picture ends no script."""
    pictures = re.findall(r'<div class="picture" role="img" aria-label="([^"]+)"', page)
    assert len(pictures) == 2
    assert all("Goodput" in name for name in pictures)
    texts = re.findall(r'<script type="application/json">(.*?)</script>', page, re.S)
    assert [set(json.loads(text)) for text in texts] == [{"data", "layout"}] * 2
    assert (site / "_static" / "plotly.min.js").stat().st_size > 1e6
    assert len(page) < 400_000


def a_question_can_be_unfolded_and_nothing_asks_for_a_kernel(site: Path, page: str) -> None:
    """No widget, nor what loads one; question and outcome stand there in words."""
    assert '<details class="prediction" open>' in page
    assert '<details class="outcome"' in page
    assert "widget" not in re.sub(r"<pre>.*?</pre>", "", page, flags=re.S)
    assert "run this cell" not in page


def what_only_the_machine_of_the_run_had_is_text(site: Path, page: str) -> None:
    """No link to a file or to a service of its own, and no path of its folders."""
    assert "An album in my-work, a service." in page


def single_requests_stand_still(site: Path, page: str) -> None:
    """One moment of the animation, as a picture in the page, over its sentence."""
    [figure] = re.findall(r'<figure class="still">.*?</figure>', page, re.S)
    assert '<svg xmlns="http://www.w3.org/2000/svg" viewBox' in figure
    assert re.search(r"<figcaption>Of \d+ requests: \d+ served", figure)


def a_source_is_named_and_linked(site: Path, page: str) -> None:
    """By `show`, and in the text of a lesson."""
    links = page_of(page).links
    assert "../source/bpdemo/flow/backoff.py.html" in links
    assert "../source/bpdemo/flow/queue.py.html" in links
    assert "class" in (site / "source/bpdemo/flow/queue.py.html").read_text("utf-8")


def a_claim_that_runs_in_the_playground_leads_there(site: Path, page: str) -> None:
    """With its own experiment behind the address."""
    [link] = [link for link in page_of(page).links if "playground" in link]
    assert link.startswith("../playground/index.html#seed=3")  # the usual load is left out
    assert "b.queue_discipline=lifo" in link


def a_page_says_how_it_came_about(site: Path, page: str) -> None:
    """Profile, date, machine, commit: of the lesson at its head, of the site at its foot."""
    text = re.sub(r"<[^>]+>", " ", page)
    for told in ("in the short profile", "cores", "commit", "Built on"):
        assert told in text


LOOKS = (
    it_holds_together_and_fetches_nothing_from_elsewhere,
    pictures_are_data_and_one_plotly_draws_them_all,
    a_question_can_be_unfolded_and_nothing_asks_for_a_kernel,
    what_only_the_machine_of_the_run_had_is_text,
    single_requests_stand_still,
    a_source_is_named_and_linked,
    a_claim_that_runs_in_the_playground_leads_there,
    a_page_says_how_it_came_about,
)


def test_a_warning_of_sphinx_fails_the_build(tmp_path):
    """Here of a link to a page that is not there."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "index.md").write_text("# Title\n\n[x](nowhere.md)\n")
    with pytest.raises(SiteFailed, match=re.escape("nowhere.md")):
        sphinx(tmp_path / "source", tmp_path / "site", this_run("short"))


def test_a_link_that_leads_nowhere_fails_before_that(tmp_path):
    """It names the page."""
    site = Site(tmp_path, frozenset())
    with pytest.raises(DeadLink, match=re.escape("docs/x.md: ../no/such.py leads nowhere")):
        site.markdown("docs/x.md", "See [it](../no/such.py).")
    code = "    [x](../no/such.py)\n\n```\n[x](../no/such.py)\n```\n"
    assert site.markdown("docs/x.md", code) == code


def test_without_node_there_is_a_site_without_a_playground(monkeypatch):
    """One line says so."""
    monkeypatch.setattr("shutil.which", lambda name: None)
    told: list[str] = []
    assert building.playground_of(told.append) is None
    [line] = told
    assert "without the playground" in line
    assert "node" in line


def test_no_page_of_the_project_is_forgotten():
    """Every Markdown file in the folders that people read is a page of the site."""
    folders = ("docs", "notebooks", "benchmarks")
    found = {str(p.relative_to(ROOT)) for f in folders for p in (ROOT / f).glob("*.md")}
    assert found <= set(PAGES)
    shown = {*building.GUIDE, *building.REFERENCE, *(f"docs/{name}" for name in building.DOCS)}
    assert {page.removesuffix(".md") for page in PAGES} <= {*shown, "docs/README"}
