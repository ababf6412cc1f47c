"""What is built of the Dockerfile, without building it: that takes minutes, and root."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from scripts import image
from scripts.image import BARE, LAB, SERVICE

DOCKERFILE = (Path(__file__).resolve().parents[2] / "Dockerfile").read_text("utf-8")


@pytest.mark.parametrize(
    ("typed", "built"),
    [
        ([], [SERVICE, LAB]),
        (["--only", "lab"], [LAB]),
        (["--bare"], [SERVICE, LAB, BARE]),
        (["--only", "service", "--bare"], [SERVICE, BARE]),
    ],
)
def test_what_is_asked_for_is_built(typed, built):
    """Both images, or one; the service's without the database where its size is asked for."""
    assert image.wanted(image.parsed(typed)) == built


@pytest.mark.parametrize("each", [SERVICE, LAB, BARE], ids=lambda each: each.name)
def test_each_image_is_a_stage_that_listens_where_it_is_asked(each):
    """Its stage is there, and its port is the one that the stage tells."""
    told = re.search(rf"^FROM \S+ AS {each.target}\n(?:(?!FROM ).*\n)+", DOCKERFILE, re.MULTILINE)
    assert told is not None
    assert f"EXPOSE {urlsplit(each.asked).port}\n" in told[0]
    assert f"USER {image.USER_ID}\n" in told[0]


def test_the_base_image_is_one():
    """A stage that builds on another is none."""
    assert image.base_of(DOCKERFILE).startswith("python:3.")
    with pytest.raises(ValueError, match="unpack"):
        image.base_of("FROM python:3.12 AS a\nFROM python:3.13 AS b\n")


@pytest.mark.parametrize(
    ("told", "megabytes"), [("226 MB", 226), ("1.25 GB", 1250), ("512 KB", 0.512)]
)
def test_a_size_is_read_as_it_is_told(told, megabytes):
    """buildah tells it for people."""
    assert image.megabytes(told) == megabytes
