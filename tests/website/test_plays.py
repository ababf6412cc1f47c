"""An experiment in an address: the page and the site write the same one, and the page reads it."""

import json
import shutil
import subprocess
from typing import Any

import pytest

from bpdemo.sim.controls import controls
from website.lessons import ROOT
from website.plays import address, presets

pytestmark = pytest.mark.process

SCRIPT = """
import fs from "node:fs";
import { fromAddress, toAddress } from "./address.mjs";
const { controls, experiments, addresses } = JSON.parse(fs.readFileSync(0, "utf8"));
console.log(JSON.stringify({
  written: experiments.map((one) => toAddress(one, controls)),
  read: addresses.map((one) => fromAddress(one, controls)),
}));
"""
MORE: list[dict[str, Any]] = [
    {"load": {"times": 1.5, "clients": {"greedy": 9, "anna": 1}}, "arms": [{"workers": 4}]},
    {"load": {"times": 1, "priorities": {"0": 2, "3": 1}}, "arms": [{}, {"queue_capacity": -1}]},
    {"load": {"changes": [[0.5, {"payment_outage": True}]]}, "arms": [{"queue_policy": "block"}]},
]


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node on this machine")
def test_both_write_the_same_address_and_reading_it_gives_the_experiment_back():
    """Every preset, weights of labels, and what is turned on the way."""
    experiments = [{"load": p["load"], "arms": p["arms"]} for p in [*presets(), *MORE]]
    addresses = [address(one) for one in experiments]
    asked = {"controls": controls(), "experiments": experiments, "addresses": addresses}
    ran = subprocess.run(
        ["node", "--input-type=module", "-e", SCRIPT], cwd=ROOT / "playground",
        input=json.dumps(asked), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["written"] == addresses
    usual = {control["name"]: control["value"] for control in controls()["load"]}
    for one, read in zip(experiments, told["read"], strict=True):
        assert read["arms"] == one["arms"]
        assert read["load"].pop("changes") == one["load"].get("changes", [])
        wished = {k: v for k, v in one["load"].items() if k != "changes" and usual.get(k) != v}
        assert read["load"] == wished
