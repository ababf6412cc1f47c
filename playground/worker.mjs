// Python in a thread of its own, so that the page answers while the service is played.
import { loadPyodide } from "./pyodide/pyodide.mjs";

// A rejected top-level await would otherwise die without a word.
self.addEventListener("unhandledrejection", (event) => postMessage({ broken: String(event.reason?.message ?? event.reason) }));

const STEP_S = 2.5;
const began = performance.now();
const fetched = fetch("bpdemo.zip").then((answer) => {
  if (!answer.ok) throw new Error(`bpdemo.zip: ${answer.status}`);
  return answer.arrayBuffer();
});
const [python, code] = await Promise.all([loadPyodide(), fetched]);
python.FS.mkdirTree("/app");
python.unpackArchive(new Uint8Array(code), "zip", { extractDir: "/app" });
python.runPython(`
import sys
sys.path.insert(0, "/app")
from bpdemo.sim.page import Page
page = Page()
`);
const page = python.globals.get("page");

// The newest request wins: one that came meanwhile ends what is being played.
let next = null;
let playing = false;

async function play() {
  playing = true;
  while (next) {
    const asked = next;
    next = null;
    const started = performance.now();
    try {
      if (asked.single) {
        postMessage({ id: asked.id, requests: JSON.parse(page.requests(JSON.stringify(asked.experiment))) });
        continue;
      }
      page.begin(JSON.stringify(asked.experiment));
      for (let done = false; !done && !next; ) {
        const told = JSON.parse(page.step(asked.step_s ?? STEP_S));
        done = told.done;
        postMessage({ id: asked.id, ms: performance.now() - started, ...told });
        await new Promise((resume) => setTimeout(resume, 0));
      }
    } catch (error) {
      postMessage({ id: asked.id, refused: lastLine(error) });
    }
  }
  playing = false;
}

/** Of a traceback of Python, what it comes down to, without the exception's own name. */
function lastLine(error) {
  return String(error.message).trim().split("\n").pop().replace(/^[\w.]+: /, "");
}

self.onmessage = ({ data }) => {
  next = data;
  if (!playing) play();
};
postMessage({ ready: true, ms: performance.now() - began, python: python.version });
