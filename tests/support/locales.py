"""Locales that most machines of ours do not have: made for a test where `localedef` can."""

import shutil
import subprocess
from pathlib import Path

import pytest

#: What a console of that country had before UTF-8, and Windows has to this day.
CHARMAPS = {"zh_CN": "GBK", "ja_JP": "EUC-JP", "cs_CZ": "CP1250"}


def make_locale(language: str, folder: Path) -> dict[str, str]:
    """The variables that set it. Skips, with the reason, where it cannot be made."""
    name = f"{language}.{CHARMAPS[language]}"
    if shutil.which("localedef") is None:
        pytest.skip("localedef is not installed")
    made = subprocess.run(
        ["localedef", "-i", language, "-f", CHARMAPS[language], str(folder / name)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    # 1: with warnings, and made all the same.
    if made.returncode > 1 or not (folder / name).is_dir():
        pytest.skip(f"localedef cannot make {name} here: {made.stderr.strip()}")
    return {"LOCPATH": str(folder), "LC_ALL": name}
