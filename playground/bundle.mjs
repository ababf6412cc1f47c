// Compiles what the page needs of Python by the Python that will run it, into one zip.
//
//     node bundle.mjs WHEELS SOURCES.zip OUT.zip
import fs from "node:fs";
import path from "node:path";
import { loadPyodide } from "pyodide";

const [wheels, sources, out] = process.argv.slice(2);
const python = await loadPyodide();
const unpack = (file) => python.unpackArchive(new Uint8Array(fs.readFileSync(file)), "zip", { extractDir: "/bundle" });
python.FS.mkdirTree("/bundle");
for (const name of fs.readdirSync(wheels).sort()) unpack(path.join(wheels, name));
unpack(sources);
console.log(python.runPython(`
import sys
sys.path.insert(0, "/bundle")
import json
from bpdemo.sim.page import Page

# One of each, so that what is imported late is there as well.
page = Page()
for arms in ([{}], [{"unprotected": True}, {"limit_algorithm": "own"}]):
    page.begin(json.dumps({"arms": arms, "load": {"times": 1.5, "seconds": 2, "retries": 1, "browse_per_s": 5}}))
    while not json.loads(page.step(1.0))["done"]:
        pass
page.end()

import os, py_compile, zipfile
used = sorted(m.__file__ for m in list(sys.modules.values()) if (getattr(m, "__file__", None) or "").startswith("/bundle"))
with zipfile.ZipFile("/out.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
    for file in used:
        name = os.path.relpath(file, "/bundle")
        if file.endswith(".py"):
            unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
            py_compile.compile(file, cfile="/one.pyc", dfile=name, doraise=True, invalidation_mode=unchecked)
            out.write("/one.pyc", name + "c")
        else:
            out.write(file, name)
    # Versions are asked for by pydantic.
    for folder in sorted(os.listdir("/bundle")):
        if folder.endswith(".dist-info"):
            out.write(f"/bundle/{folder}/METADATA", f"{folder}/METADATA")
f"{len(used)} modules, {os.path.getsize('/out.zip') / 1e6:.1f} MB"
`));
fs.writeFileSync(out, python.FS.readFile("/out.zip"));
