"""The service is what its OpenAPI document says, in every mood; schemathesis asks, many ways.

`BPDEMO_DOORS_EXAMPLES` (12) is how many examples it draws for each operation and phase,
`BPDEMO_DOORS_SEED` (1) which. What it sent is told in the report (`-rP`).
"""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.doors.closed import assert_unharmed
from tests.support.http import STUCK
from tests.support.postgres import connected
from tests.support.server import ServerThread, assert_balanced, server

HERE = Path(__file__).parent
EXAMPLES = int(os.environ.get("BPDEMO_DOORS_EXAMPLES", "12"))
SEED = os.environ.get("BPDEMO_DOORS_SEED", "1")
TOKEN = "an-admin-token"
#: Under overload and beyond a deadline these are what was promised, and each is documented.
#: Unknown parameters are ignored, and tried elsewhere.
CONFIG = """
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", 503, 504]

[generation]
allow-extra-parameters = false
"""
CUSTOMERS = ("--include-path-regex", "items|orders")
KNOBS = ("--include-path", "/settings")
#: Where no order is made there is none to follow, and every range was tried on a good day.
FEW = ("--phases", "fuzzing")
LONG_S = 1000


def attack(folder: Path, thread: ServerThread, *options: str) -> int:
    """All phases and all checks; fails with what was found. How many requests that were."""
    (folder / "schemathesis.toml").write_text(CONFIG, "utf-8")
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{thread.url}/openapi.json"]
    command += ["--checks", "all", "--max-examples", str(EXAMPLES)]
    command += ["--seed", SEED, "--generation-database", "none", "--continue-on-failure"]
    command += ["--request-timeout", "30", "--warnings", "off", "--no-color"]
    command += ["--report", "json", "--report-json-path", str(folder / "report.json")]
    done = subprocess.run(
        [*command, *options],
        cwd=folder, capture_output=True, text=True, check=False, timeout=LONG_S,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(HERE)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    report = json.loads((folder / "report.json").read_text("utf-8"))
    cases: int = report["test_cases"]["generated"]
    print(f"{cases} cases")
    return cases


pytestmark = [pytest.mark.slow, pytest.mark.timeout(LONG_S)]


def test_all_operations_are_what_is_written(tmp_path):
    """Each status, header, body and content type is in the document; orders made can be found."""
    with server(payment_latency_s=0.0) as thread:
        assert attack(tmp_path, thread, "--exclude-path", "/settings") > 300
        assert thread.books["success"] > 20
        assert_unharmed(thread)


BAD_DAY = {
    "payment_latency_s": 0.005,
    "payment_latency_distribution": "exponential",
    "payment_failure_rate": 0.3,
    "store_failure_rate": 0.3,
    "retry_base_s": 0.0,
    "cache_ttl_s": 0.0,
    "request_timeout_s": 0.02,
    "initial_stock": 50,
    "seed": 1,
    "breaker_min_calls": 5,
    "breaker_open_s": 0.1,
}


def test_a_bad_day_is_as_written(tmp_path):
    """Payments and store fail at random, breakers open and close, time and tickets run out."""
    with server(**BAD_DAY) as thread:
        assert attack(tmp_path, thread, *CUSTOMERS) > 100
        assert thread.books["failure"] > 0
        assert_unharmed(thread)


async def test_promises_are_as_written(tmp_path, database_url):
    """Orders on a real PostgreSQL, of callers who do not wait: promised, and found as such."""
    knobs = {"store": "postgres", "database_url": database_url, "payment_latency_s": 0.0}
    with server(**knobs) as thread:
        paths = ("--include-path", "/orders", "--include-path", "/orders/{id}")
        prefer = ("-H", "Prefer: respond-async")
        assert await asyncio.to_thread(attack, tmp_path, thread, *paths, *prefer) > 50
        await asyncio.to_thread(assert_unharmed, thread)
    async with connected(database_url) as look:
        assert await look.fetchval("SELECT count(*) FROM claims WHERE NOT settled") > 20


def test_a_full_house_is_as_written(tmp_path):
    """Every order is refused, and each refusal tells when to come back."""
    with server(**STUCK) as thread:
        thread.fill()
        assert attack(tmp_path, thread, *CUSTOMERS, *FEW) > 30
        assert thread.books["rejected"] > 10
        assert_balanced(thread.books)


def test_a_closing_house_is_as_written(tmp_path):
    """Once it drains, all that is limited is 503 before anything else, and so is readiness."""
    with server() as thread:
        loop = thread.server._loop
        assert loop is not None
        asyncio.run_coroutine_threadsafe(thread.office.drain(0.0), loop).result(LONG_S)
        paths = ("--include-path-regex", "items|orders|readyz")
        no = ("--exclude-checks", "unsupported_method")  # the door says this before it looks
        assert attack(tmp_path, thread, *paths, *FEW, *no) > 30
        assert thread.ask("GET", "/readyz").status == 503


def test_knobs_take_what_is_written(tmp_path):
    """With the token every value in range is taken, every other refused; without it, none."""
    with server(admin_token=TOKEN, payment_latency_s=0.0) as thread:
        bearer = ("-H", f"Authorization: Bearer {TOKEN}")
        no = ("--exclude-checks", "missing_required_header")  # insists on 401; ours is 403
        assert attack(tmp_path, thread, *KNOBS, *bearer, *no) > 200
        assert_unharmed(thread)


def test_knobs_of_this_machine_take_what_is_written(tmp_path):
    """With no token set, no matter who is here may turn them."""
    with server(payment_latency_s=0.0) as thread:
        assert attack(tmp_path, thread, *KNOBS, "--phases", "fuzzing") > EXAMPLES
        assert_unharmed(thread)
