"""A Debian in a folder: what it needs is told, and it works in a place that is its own."""

import sys

import pytest

from scripts import bare_machine, debian, image

PROGRAMS = (bare_machine, image)


@pytest.fixture
def rooted(monkeypatch):
    """As root on Linux, wherever this test runs."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr("os.geteuid", lambda: 0, raising=False)


@pytest.fixture
def workshop(monkeypatch, tmp_path):
    """A workshop's folder that is empty."""
    monkeypatch.setattr(debian, "ROOT", tmp_path)
    return tmp_path


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
@pytest.mark.parametrize("missing", ["debootstrap", "unshare"])
def test_a_program_that_is_missing_is_told_with_its_package(
    program, missing, rooted, monkeypatch, capsys
):
    """In a sentence, with exit code 2; nothing has been begun then."""
    monkeypatch.setattr("shutil.which", lambda name: None if name == missing else f"/bin/{name}")
    assert program.main([]) == 2
    told = capsys.readouterr().err
    assert f"there is no {missing} on this machine" in told
    package = {"debootstrap": "debootstrap", "unshare": "util-linux"}[missing]
    assert told.endswith(f"apt-get install {package}\n")


def test_without_buildah_no_image_is_begun(rooted, monkeypatch, capsys):
    """The same sentence, for the one that it alone needs."""
    monkeypatch.setattr("shutil.which", lambda name: None if name == "buildah" else f"/bin/{name}")
    assert image.main([]) == 2
    assert "there is no buildah on this machine" in capsys.readouterr().err


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_who_is_not_root_is_told_so(program, rooted, monkeypatch, capsys):
    """And not by what fails later."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert program.main([]) == 2
    assert "needs root" in capsys.readouterr().err


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_another_system_is_told_so(program, monkeypatch, capsys):
    """It has neither chroot nor namespaces."""
    monkeypatch.setattr(sys, "platform", "win32")
    assert program.main([]) == 2
    assert "needs Linux, and this is win32" in capsys.readouterr().err


def test_what_a_killed_run_left_is_gone_and_nothing_stays(workshop):
    """A workplace is empty at first, and is removed whatever happens in it."""
    left = workshop / "build" / "place" / "left.txt"
    left.parent.mkdir(parents=True)
    left.touch()
    found = None

    def breaks():
        nonlocal found
        with debian.workplace("place") as folder:
            found = list(folder.iterdir())
            (folder / "new.txt").touch()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        breaks()
    assert found == []
    assert not left.parent.exists()


def test_two_runs_do_not_share_a_workplace(workshop):
    """The second one is refused, and takes nothing from the first."""
    with debian.workplace("place") as folder:
        (folder / "mine.txt").touch()
        with pytest.raises(debian.Cannot, match="another run"), debian.workplace("place"):
            pass
        assert (folder / "mine.txt").exists()
    with debian.workplace("place"):
        pass


def test_what_is_told_about_the_index_goes_along_as_variables():
    """pip's settings under the names of its variables, and proxies; nothing else of a machine."""
    settings = {"index-url": "https://packages.example/simple", "default-timeout": "60"}
    around = {"HTTPS_PROXY": "http://proxy.example:3128", "no_proxy": "localhost", "HOME": "/root"}
    assert debian.as_variables(settings, around) == {
        "PIP_INDEX_URL": "https://packages.example/simple",
        "PIP_DEFAULT_TIMEOUT": "60",
        "HTTPS_PROXY": "http://proxy.example:3128",
        "no_proxy": "localhost",
    }


def test_files_that_the_settings_name_go_along(tmp_path):
    """A certificate, a folder of wheels, an index that is a folder; not what is not there."""
    certificate = tmp_path / "ours.pem"
    certificate.touch()
    wheels, index = tmp_path / "wheels", tmp_path / "index" / "simple"
    wheels.mkdir()
    index.mkdir(parents=True)
    settings = {
        "cert": str(certificate),
        "find-links": f"{wheels} https://packages.example/wheels {tmp_path}/gone",
        "extra-index-url": f"file://{index} https://packages.example/simple",
        "timeout": "60",
    }
    assert debian.places_of(settings) == [certificate, wheels, index.parent]
