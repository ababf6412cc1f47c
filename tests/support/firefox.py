"""Firefox with no window: it opens a link of the playground, and takes a picture of it."""

import json
import os
import shutil
import struct
import subprocess
import threading
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.playground import Quiet

NAMES = ("firefox-esr", "firefox")
WITHIN_S = 150
WIDTH_PX = 1280
#: A page is ready for its picture once all that it shows has loaded: this holds one thing back
#: until the run is over.
WATCHED = """<!doctype html>
<iframe id="play" src="index.html#LINK" width="1240" height="1500"></iframe>
<img src="held" alt="">
<script>
const looking = setInterval(() => {
  const there = document.getElementById("play").contentWindow;
  const told = there.told?.find(told => told.done);
  const wrong = there.document.querySelector("#sentence.wrong")?.textContent ?? "";
  if (!told && !wrong) return;
  clearInterval(looking);
  const pictures = [...there.document.querySelectorAll("#pictures > div")]
    .filter(one => one.querySelector("svg.main-svg .trace path")).length;
  fetch("told", { method: "POST", body: JSON.stringify({ told, wrong, pictures }) });
}, 100);
</script>
"""
#: It asks its maker for news otherwise; a proxy that nobody is behind keeps it on this machine.
SETTINGS = {
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "toolkit.telemetry.enabled": False,
}


def find_firefox() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


@dataclass(frozen=True)
class Seen:
    """What the page told when it was over; how many pictures were drawn, and how wide the
    screenshot is."""

    told: dict[str, Any]
    wrong: str
    pictures: int
    width_px: int


class Firefox:
    """One start for each look; its profile and its home are in `folder`."""

    def __init__(self, path: str, folder: Path) -> None:
        self._path = path
        self._folder = folder
        self._profile = folder / "profile"
        self._profile.mkdir()
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in SETTINGS.items()]
        (self._profile / "user.js").write_text("\n".join(lines), "utf-8")

    def watch(self, site: Path, link: str) -> Seen:
        """Open the playground at `link`, and take a picture once its run is over."""
        page, over, told = WATCHED.replace("LINK", link), threading.Event(), dict[str, Any]()

        class Handler(Quiet):
            def __init__(self, *words: Any) -> None:
                super().__init__(*words, directory=str(site))

            def do_GET(self) -> None:  # noqa: N802 (the server calls it so)
                if self.path == "/held":
                    over.wait(WITHIN_S)
                    self.send_error(404)
                elif self.path == "/watched":
                    self.send_response(200)
                    self.send_header("Content-Type", "text/html")
                    self.end_headers()
                    self.wfile.write(page.encode())
                else:
                    super().do_GET()

            def do_POST(self) -> None:  # noqa: N802
                told.update(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                over.set()
                self.send_response(204)
                self.end_headers()

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                shot = self._shoot(f"http://127.0.0.1:{server.server_port}/watched")
            finally:
                over.set()
                server.shutdown()
        assert told, "it took its picture before the run was over"
        return Seen(told.get("told", {}), told["wrong"], told["pictures"], shot)

    def _shoot(self, address: str) -> int:
        """The width of the screenshot in pixels."""
        shot = self._folder / "shot.png"
        command = [self._path, "--headless", "--no-remote", "--profile", str(self._profile)]
        command += ["--screenshot", str(shot), f"--window-size={WIDTH_PX},1600", address]
        ran = subprocess.run(
            command, env=os.environ | {"HOME": str(self._folder), "MOZ_HEADLESS": "1"},
            capture_output=True, text=True, check=False, timeout=WITHIN_S,
        )  # fmt: skip
        assert shot.exists(), ran.stderr[-2000:]
        width_px: int
        (width_px,) = struct.unpack(">I", shot.read_bytes()[16:20])
        return width_px
