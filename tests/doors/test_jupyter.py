"""JupyterLab runs any code: so it opens for whoever has its token, and for nobody else."""

from urllib.parse import parse_qs, urlsplit

import httpx
import psutil
import pytest

from tests.support.jupyter import Workshop

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    workshop = Workshop(tmp_path_factory.mktemp("workshop")).lay_out()
    workshop.start()
    yield workshop
    workshop.stop()


@pytest.fixture
def lab(workshop):
    """A caller with nothing in his hands."""
    parts = urlsplit(workshop.address)
    with httpx.Client(base_url=f"http://{parts.netloc}", trust_env=False, timeout=30) as client:
        yield client


def token_of(workshop):
    return parse_qs(urlsplit(workshop.address).query)["token"][0]


CLOSED = [
    *(("GET", path) for path in ("/api/contents", "/api/kernels", "/api/terminals", "/api/me")),
    *(("POST", path) for path in ("/api/kernels", "/api/terminals", "/api/sessions")),
    *(("PUT", "/api/contents/x.txt"), ("GET", "/files/lab.py"), ("GET", "/metrics")),
]


@pytest.mark.parametrize(("method", "path"), CLOSED)
@pytest.mark.parametrize("token", [None, "", "wrong", "in another case"])
def test_without_the_token_nothing_opens(workshop, lab, method, path, token):
    """403, or the page that asks for it: no file, no kernel, no terminal."""
    given = token_of(workshop).upper() if token == "in another case" else token
    answer = lab.request(method, path, params={} if given is None else {"token": given})
    assert answer.status_code in (302, 403)
    if answer.status_code == 302:
        assert answer.headers["location"].startswith("/login?")


def test_with_the_token_it_opens(workshop, lab):
    """The same request, and the token."""
    answer = lab.get("/api/contents", headers={"Authorization": f"token {token_of(workshop)}"})
    assert answer.status_code == 200


def test_another_name_for_this_machine_does_not_open_it(workshop, lab):
    """A page of another site cannot reach it by a name of its own, token or not."""
    headers = {"Authorization": f"token {token_of(workshop)}", "Host": "evil.example"}
    assert lab.get("/api/contents", headers=headers).status_code == 403


def test_the_token_is_long_and_not_to_be_seen(workshop):
    """192 bits, and no word of it in what other users of the machine see of our processes."""
    token = token_of(workshop)
    assert len(token) == 48
    lines = [process.info["cmdline"] for process in psutil.process_iter(["cmdline"])]
    assert not any(token in word for line in lines for word in line or ())
