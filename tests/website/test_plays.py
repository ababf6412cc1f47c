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
import { essence, fromAddress, toAddress } from "./address.mjs";
const { controls, experiments, addresses, same } = JSON.parse(fs.readFileSync(0, "utf8"));
console.log(JSON.stringify({
  written: experiments.map((one) => toAddress(one, controls)),
  read: addresses.map((one) => fromAddress(one, controls)),
  same: same.map((pair) => pair.map((one) => essence(fromAddress(one, controls), controls))),
}));
"""
MORE: list[dict[str, Any]] = [
    {"load": {"times": 1.5, "clients": {"greedy": 9, "anna": 1}}, "arms": [{"workers": 4}]},
    {"load": {"times": 1, "priorities": {"0": 2, "3": 1}}, "arms": [{}, {"queue_capacity": -1}]},
    {"load": {"changes": [[0.5, {"payment_outage": True}]]}, "arms": [{"queue_policy": "block"}]},
]


def told_by_page(**asked: list[Any]) -> dict[str, Any]:
    """What the page's own code makes of experiments, of addresses, and of pairs of them."""
    nothing: dict[str, list[Any]] = {"experiments": [], "addresses": [], "same": []}
    ran = subprocess.run(
        ["node", "--input-type=module", "-e", SCRIPT], cwd=ROOT / "playground",
        input=json.dumps(nothing | asked | {"controls": controls()}),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


needs_node = pytest.mark.skipif(
    shutil.which("node") is None, reason="there is no node on this machine"
)


@needs_node
def test_both_write_the_same_address_and_reading_it_gives_the_experiment_back():
    """Every preset, weights of labels, and what is turned on the way."""
    experiments = [{"load": p["load"], "arms": p["arms"]} for p in [*presets(), *MORE]]
    addresses = [address(one) for one in experiments]
    told = told_by_page(experiments=experiments, addresses=addresses)
    assert told["written"] == addresses
    usual = {control["name"]: control["value"] for control in controls()["load"]}
    for one, read in zip(experiments, told["read"], strict=True):
        assert read["arms"] == one["arms"]
        assert read["load"].pop("changes") == one["load"].get("changes", [])
        wished = {k: v for k, v in one["load"].items() if k != "changes" and usual.get(k) != v}
        assert read["load"] == wished


@needs_node
def test_an_experiment_is_known_again_however_its_address_is_written():
    """In another order, and with what is usual named besides; and no two presets are taken for one
    another."""
    usual = ["client_timeout_s=0.5", "payment_failure_rate=0", "b.payment_failure_rate=0"]
    pairs = []
    for preset in presets():
        parts = address(preset).removeprefix("#").split("&")
        # Of several turns the order is kept, as in all addresses that are ours.
        turns = [part for part in parts if part.startswith("change=")]
        others = [part for part in reversed(parts) if part not in turns]
        # What is named twice counts as it is named last.
        pairs.append([f"#{'&'.join(parts)}", f"#{'&'.join([*usual, *others, *turns])}"])
    told = told_by_page(same=pairs)["same"]
    assert [one for one, _ in told] == [other for _, other in told]
    assert len({one for one, _ in told}) == len(pairs)
