"""Build the images of the Dockerfile without a container engine, and start them: `make image`.

    python scripts/image.py                 the service's, and JupyterLab's
    python scripts/image.py --bare          and the service's without [postgres], for its size
    python scripts/image.py --only service

By buildah, in a chroot. The base image is not fetched: a fresh Debian with Python 3.13 stands under
its name, so that the Dockerfile is built as it is; what a base of another Python changes is not
seen. Each image is started as its own user with its own command, in a network of its own, and must
answer. The service's must weigh less than 700 MB.

Needs Linux, root, buildah and debootstrap. Leaves nothing but the archive of the Debian, in
build/debian. Exit code 0: all was built and answered. 1: something did not. 2: it cannot be tried.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts import debian  # noqa: E402
from scripts.debian import Failed  # noqa: E402

USER_ID: Final = 10001
SERVICE_MB: Final = 700
START_S: Final = 60.0
STOP_S: Final = 30.0
BASE: Final = re.compile(r"^FROM (\S+:\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Image:
    """What is built, and what it must answer when it runs."""

    name: str
    target: str
    extras: str | None
    asked: str | None


SERVICE: Final = Image("service", "service", None, "http://127.0.0.1:8000/healthz")
LAB: Final = Image("lab", "lab", None, "http://127.0.0.1:8888/api")
BARE: Final = Image("service without [postgres]", "service", "traces", SERVICE.asked)


class Buildah:
    """Its images and containers in a folder of their own, which takes them along when it goes."""

    def __init__(self, folder: Path, driver: str) -> None:
        self._start = [
            "buildah", "--root", str(folder / "storage"), "--runroot", str(folder / "run"),
            "--storage-driver", driver,
        ]  # fmt: skip

    def command(self, *words: str) -> list[str]:
        """In namespaces of its own: what it mounts goes with it."""
        return debian.in_private(shlex.join([*self._start, *words]))

    def __call__(self, *words: str) -> str:
        done = subprocess.run(
            self.command(*words), cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-8:])
            raise Failed(f"buildah {words[0]} failed:\n{last}")
        return done.stdout.strip()


def main(arguments: list[str]) -> int:
    options = parsed(arguments)
    return debian.exit_code("image", lambda: attempt(options))


def attempt(options: argparse.Namespace) -> None:
    debian.needs("building an image", "buildah", "debootstrap", "unshare", "nsenter", "ip")
    with debian.workplace("image") as folder:
        built(folder, wanted(options), options)


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/image.py", description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=("service", "lab"), help="build this one alone")
    parser.add_argument("--bare", action="store_true", help="and the service without [postgres]")
    parser.add_argument("--mirror", default="", help="of Debian (the one debootstrap takes)")
    parser.add_argument("--driver", default="overlay", choices=("overlay", "vfs"),
                        help="how buildah keeps layers; vfs is slow")  # fmt: skip
    return parser.parse_args(arguments)


def wanted(options: argparse.Namespace) -> list[Image]:
    chosen = [image for image in (SERVICE, LAB) if options.only in {None, image.target}]
    return [*chosen, BARE] if options.bare else chosen


def built(folder: Path, images: list[Image], options: argparse.Namespace) -> None:
    buildah = Buildah(folder, options.driver)
    settings = debian.index_settings()
    base = base_of((ROOT / "Dockerfile").read_text("utf-8"))
    base_mb = stand_in(buildah, base, folder, options.mirror, settings)
    say(f"a Debian {debian.RELEASE} as {base}: {base_mb:.0f} MB")
    too_large = []
    for image in images:
        began_s = time.monotonic()
        tag = build(buildah, image, settings)
        size_mb = size(buildah, tag)
        say(
            f"{image.name}: {size_mb:.0f} MB, of it {size_mb - base_mb:.0f} above the base; "
            f"built in {time.monotonic() - began_s:.0f} s"
        )
        if image.target == "service" and size_mb >= SERVICE_MB:
            too_large.append(f"{image.name}: {size_mb:.0f} MB, and less than {SERVICE_MB} wanted")
        say(f"{image.name}: {serve(buildah, tag, image)}")
    if too_large:
        raise Failed("; ".join(too_large))


def base_of(dockerfile: str) -> str:
    """The one base image; stages that build on one another have no tag."""
    (base,) = set(BASE.findall(dockerfile))
    return str(base)


def stand_in(
    buildah: Buildah, base: str, folder: Path, mirror: str, settings: dict[str, str]
) -> float:
    """A Debian under the base image's name, told how to reach the package index. Its megabytes."""
    root = debian.unpack(debian.archive(mirror), folder / "root")
    (root / "usr/bin/python").symlink_to("python3")
    container = buildah("from", "scratch")
    buildah("copy", "--quiet", container, str(root), "/")
    shutil.rmtree(root)
    told = debian.as_variables(settings, os.environ)
    given = [f"--env={name}={value}" for name, value in told.items()]
    buildah("config", "--env=PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", *given, container)
    name = f"docker.io/library/{base}"
    buildah("commit", "--quiet", "--rm", container, name)
    return size(buildah, name)


def build(buildah: Buildah, image: Image, settings: dict[str, str]) -> str:
    tag = f"localhost/bpdemo-{len(image.name)}"
    extras = [] if image.extras is None else ["--build-arg", f"EXTRAS={image.extras}"]
    places = [f"--volume={place}:{place}:ro" for place in debian.places_of(settings)]
    buildah(
        "bud", "--isolation", "chroot", "--network", "host", "--pull-never", "--format", "docker",
        "--layers", "--target", image.target, *extras, *places, "--tag", tag, ".",
    )  # fmt: skip
    return tag


def size(buildah: Buildah, name: str) -> float:
    listed = json.loads(buildah("images", "--json", "--filter", f"reference={name}"))
    return megabytes(listed[0]["size"])


def megabytes(told: str) -> float:
    """Of what buildah tells for people, as in `1.2 GB`."""
    number, unit = told.split()
    return float(number) * {"B": 1e-6, "KB": 1e-3, "MB": 1.0, "GB": 1e3}[unit.upper()]


def serve(buildah: Buildah, tag: str, image: Image) -> str:
    """Run it as the image says, and ask it. In a sentence, how that went; `Failed` if badly."""
    told = json.loads(buildah("inspect", "--type", "image", tag))["Docker"]["config"]
    line = shlex.join([*told["Entrypoint"], *told["Cmd"]])
    container = buildah("from", "--pull-never", tag)
    run = buildah.command(
        "run", "--isolation", "chroot", "--env", "BPDEMO_ADMIN_TOKEN=only-for-this-run",
        container, "--", "sh", "-c", f"id -u; exec {line}",
    )  # fmt: skip
    # No port of this machine is taken, whatever address it listens at.
    own = ["unshare", "--net", "sh", "-c", f"ip link set lo up && exec {shlex.join(run)}"]
    began_s = time.monotonic()
    process = subprocess.Popen(
        own, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        answer = await_answer(process, str(image.asked))
        seconds = time.monotonic() - began_s
    finally:
        process.kill()
        said, complained = process.communicate(timeout=STOP_S)
    user = said.split("\n", 1)[0]
    if user != str(USER_ID):
        raise Failed(f"{image.name} runs as user {user}, and not as {USER_ID}")
    if answer is None:
        raise Failed(f"{image.name} did not answer:\n{(said + complained)[-2000:]}")
    buildah("rm", container)
    return f"`{line}` as user {user} answers {image.asked} after {seconds:.1f} s: {answer}"


def await_answer(process: subprocess.Popen[str], address: str) -> str | None:
    """What it answers in its own network; None once it has ended, or has said nothing for long."""
    ask = (
        f"import urllib.request as u; print(u.urlopen({address!r}, timeout=2).read().decode()[:80])"
    )
    inside = ["nsenter", f"--net=/proc/{process.pid}/ns/net", sys.executable, "-c", ask]
    give_up_s = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < give_up_s:
        asked = subprocess.run(inside, capture_output=True, text=True, env=bare(), check=False)
        if not asked.returncode:
            return asked.stdout.strip()
        time.sleep(0.2)
    return None


def bare() -> dict[str, Any]:
    """This environment without proxies: the address is of that network alone."""
    return {k: v for k, v in os.environ.items() if k.lower() not in debian.PROXIES}


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
