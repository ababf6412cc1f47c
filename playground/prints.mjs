// Plays experiments in Pyodide and prints their fingerprints: held against CPython's by a test.
//
//     node prints.mjs BPDEMO.zip < experiments.json
import fs from "node:fs";
import { loadPyodide } from "pyodide";

const python = await loadPyodide();
python.FS.mkdirTree("/app");
python.unpackArchive(new Uint8Array(fs.readFileSync(process.argv[2])), "zip", { extractDir: "/app" });
python.globals.set("asked", fs.readFileSync(0, "utf8"));
console.log(python.runPython(`
import sys
sys.path.insert(0, "/app")
import json
from bpdemo.sim.page import Page
page = Page()
told = []
for experiment in json.loads(asked):
    page.begin(json.dumps(experiment))
    while not (last := json.loads(page.step(5.0)))["done"]:
        pass
    told.append([last["orders"], last["prints"], last["sentences"]])
json.dumps(told)
`));
