"""Build the site: `make site`.

    python scripts/website.py                        every lesson run in the full profile
    python scripts/website.py --profile short        each run just long enough for its claim
    python scripts/website.py --only 00_start_here   only this one is run, others stand as stored
    python scripts/website.py --fresh                also those that were run before and are kept

It is in build/website/site then, to be copied to any static host. A lesson that was run is kept
until it, or code that it may run, changes. Warnings of Sphinx, links that lead nowhere, whatever a
page would fetch from elsewhere, a claim that fails and a machine that was busy twice are errors.
Without node and npm, and what they fetch, the site is built without the playground.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from website.build import SiteFailed, Wish, build  # noqa: E402
from website.lessons import LessonFailed  # noqa: E402
from website.sources import DeadLink  # noqa: E402


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/website.py", description=__doc__.split("\n")[0])
    parser.add_argument("--profile", choices=("full", "short"), default="full")
    parser.add_argument("--only", nargs="*", help="run these lessons, and no others")
    parser.add_argument("--fresh", action="store_true", help="run lessons again that are kept")
    parser.add_argument("--serve", action="store_true", help="serve the site until Ctrl-C")
    parser.add_argument("--port", type=int, default=8080, help="the port to serve on (8080)")
    options = parser.parse_args(arguments)
    known = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    if unknown := set(options.only or ()) - known:
        parser.error(f"there is no lesson {', '.join(sorted(unknown))}")
    began_s = time.monotonic()
    try:
        site = build(Wish(options.profile, options.only, options.fresh), tell)
    except (LessonFailed, SiteFailed, DeadLink) as why:
        print(f"website: {why}", file=sys.stderr)
        return 1
    files = [path for path in site.rglob("*") if path.is_file()]
    size_mb = sum(path.stat().st_size for path in files) / 1e6
    tell(
        f"{site.relative_to(ROOT)}: {len(files)} files, {size_mb:.0f} MB, "
        f"built in {time.monotonic() - began_s:.0f} s"
    )
    if options.serve:
        serve(site, options.port)
    return 0


def tell(line: str) -> None:
    print(line, flush=True)


def serve(site: Path, port: int) -> None:
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        tell(f"http://127.0.0.1:{server.server_port}/   Ctrl-C ends it")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            tell("")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
