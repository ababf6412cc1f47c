"""What a request on the command line is made of."""

import codecs

import pytest

from bpdemo.cli.request_options import request_from

TEXT = '{"name": "é"}'
UNUSUAL = {
    "UTF-8 with a byte-order mark": TEXT.encode("utf-8-sig"),
    "UTF-16": codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
    "UTF-32": codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"),
}


@pytest.mark.parametrize("kind", [*UNUSUAL, None])
def test_the_bytes_of_a_body_stay_and_an_unusual_encoding_is_told(kind, tmp_path, capsys):
    """In one line: a service may want just that, but most take UTF-8 alone."""
    file = tmp_path / "body.json"
    data = UNUSUAL[kind] if kind else TEXT.encode()
    file.write_bytes(data)
    sent = request_from("POST /pay", None, file, ())
    assert sent is not None
    assert sent.body == data
    told = capsys.readouterr().err
    assert told == (f"bpdemo: --body-file: {file} is {kind}, and is sent so\n" if kind else "")
