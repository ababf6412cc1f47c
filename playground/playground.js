// The page: controls to an experiment, an experiment to the address, answers to pictures.
import { base, essence, fromAddress, toAddress, told } from "./address.mjs";
import { mount } from "./requests.js";

const $ = (id) => document.getElementById(id);
const ARMS = ["a", "b"];
const json = async (name) => (await fetch(name)).json();
const [controls, presets, columns, lessons] = await Promise.all(["controls.json", "presets.json", "columns.json", "lessons.json"].map(json));
const worker = new Worker("worker.mjs", { type: "module" });

let asked = 0;
let askedAt = 0;
let askedWidth_px = 0;
let resting = 0;
let changes = [];
/** What a link holds that no control here can show: it is asked for all the same. */
const beyond = { load: {}, a: {}, b: {} };
const fits = (control, now) => Boolean(control) && (typeof now === typeof control.value) && (!control.choices.length || control.choices.includes(now));
const misfits = (wanted, all) => Object.fromEntries(Object.entries(wanted).filter(([key, now]) => !fits(all.find((control) => control.name === key), now)));
let toldAt = 0;
// For whoever measures the page: what came back, and when.
window.told = [];

const FIRST = ["unprotected", "queue_capacity", "workers", "payment_latency_s"];
const UNPROTECTED = { name: "unprotected", label: "Unprotected", value: false, choices: [], help: "The naive service: no bound, no deadlines, no breaker, and it retries at once." };

function build(control, prefix) {
  const id = `${prefix}-${control.name}`;
  const cell = document.createElement("div");
  const help = `<small id="${id}-help">${escaped(control.help)}</small>`;
  const about = `id="${id}" aria-describedby="${id}-help"`;
  const unit = control.unit && control.unit !== "ratio" ? ` ${control.unit}` : "";
  if (typeof control.value === "boolean") {
    cell.innerHTML = `<label class="tick" for="${id}"><input type="checkbox" ${about}> ${escaped(control.label)}</label>${help}`;
  } else if (control.choices.length) {
    const options = control.choices.map((choice) => `<option value="${choice}">${choice.replaceAll("_", " ")}</option>`);
    cell.innerHTML = `<label for="${id}">${escaped(control.label)}</label><select ${about}>${options.join("")}</select>${help}`;
  } else {
    cell.innerHTML = `<label for="${id}">${escaped(control.label)}: <output for="${id}"></output></label>
      <input type="range" ${about} min="${control.low}" max="${control.high}" step="${control.step}">${help}`;
    const range = cell.querySelector("input");
    range.addEventListener("input", () => name(range, unit));
  }
  return cell;
}

const besides = (prefix) => Object.assign(document.createElement("p"), { id: `${prefix}-besides`, className: "besides", hidden: true });

function escaped(text) {
  return text.replace(/[&<>"]/g, (mark) => `&#${mark.charCodeAt(0)};`);
}

function name(range, unit) {
  const unbounded = range.id.endsWith("queue_capacity") && range.value === "-1";
  const said = unbounded ? "no bound" : `${Number(range.value)}${unit}`;
  range.previousElementSibling.querySelector("output").textContent = said;
  range.setAttribute("aria-valuetext", said);
}

function set(prefix, control, value) {
  const field = $(`${prefix}-${control.name}`);
  if (!field) return;
  if (field.type === "checkbox") field.checked = Boolean(value);
  else {
    // A link may ask for more than a slider offers: the service says whether it is allowed.
    if (field.type === "range") {
      field.min = Math.min(control.low, value);
      field.max = Math.max(control.high, value);
      field.step = stepThrough(value - field.min, control.step);
    }
    field.value = value;
  }
  if (field.type === "range") field.dispatchEvent(new Event("input"));
}

/** The slider's own step, or a finer one: between its steps a slider would take the next of them. */
function stepThrough(distance, step) {
  const steps = [1, 10, 100, 1000].map((part) => Number((step / part).toPrecision(9)));
  return steps.find((one) => Math.abs(Math.round(distance / one) * one - distance) < 1e-9) ?? "any";
}

function value(prefix, control) {
  const field = $(`${prefix}-${control.name}`);
  if (field.type === "checkbox") return field.checked;
  return field.type === "range" ? Number(field.value) : field.value;
}

/** The settings that differ from where the service begins. */
function arm(prefix) {
  const unprotected = value(prefix, UNPROTECTED);
  const settings = { ...(unprotected ? { unprotected } : {}), ...beyond[prefix] };
  for (const control of controls.service) {
    const now = value(prefix, control);
    if (now !== base(control, unprotected)) settings[control.name] = now;
  }
  return settings;
}

function experiment() {
  const load = Object.fromEntries(controls.load.map((control) => [control.name, value("load", control)]));
  const chosen = ARMS.slice(0, $("compare").checked ? 2 : 1);
  return { load: { ...load, ...beyond.load, changes }, arms: chosen.map(arm) };
}

function show(wanted) {
  const { changes: turned = [], ...load } = wanted.load;
  changes = turned;
  beyond.load = misfits(load, controls.load);
  for (const control of controls.load) set("load", control, fits(control, load[control.name]) ? load[control.name] : control.value);
  $("compare").checked = wanted.arms.length > 1;
  ARMS.forEach((prefix, place) => {
    const settings = wanted.arms[place] ?? wanted.arms[0];
    const all = [...controls.service, UNPROTECTED];
    beyond[prefix] = misfits(settings, all);
    for (const control of all) set(prefix, control, fits(control, settings[control.name]) ? settings[control.name] : base(control, settings.unprotected));
  });
  compared();
}

/** A setting, or an argument of the load, and its value: `attempt timeout: 0.2 s`. */
function inWords(name, now) {
  if (name === "rate") return `${now} requests per s, in place of Load`;
  const control = [...controls.load, ...controls.service].find((each) => each.name === name);
  const unit = control?.unit || { _per_s: "per s", _s: "s", _ms: "ms" }[name.match(/(_per)?_m?s$/)?.[0]] || "";
  const plain = name.replace(/(_per)?_m?s$/, "").replaceAll("_", " ");
  const said = typeof now === "boolean" ? (now ? "yes" : "no") : told(now).replaceAll("_", " ");
  return `${control ? control.label : plain}: ${said}${unit && unit !== "ratio" ? ` ${unit}` : ""}`;
}

/** What a link or a preset asks for that no control here shows: it is played, so it is told. */
function tellBesides() {
  for (const prefix of ["load", ...ARMS]) {
    const { load: own = {}, ...rest } = beyond[prefix];
    const turned = (prefix === "load" ? changes : []).flatMap(([at_s, knobs]) => Object.entries(knobs).map(([name, now]) => `from ${at_s} s on, ${inWords(name, now)}`));
    tell(`${prefix}-besides`, "Also played:", [...Object.entries(rest).map(([name, now]) => inWords(name, now)), ...turned]);
    if (prefix === "b") tell("own-load", "Its callers differ.", Object.entries(own).map(([name, now]) => inWords(name, now)));
  }
}

function tell(id, what, words) {
  $(id).hidden = words.length === 0;
  $(id).textContent = `${what} ${words.join("; ")}.`;
}

function compared() {
  tellBesides();
  $("b").hidden = !$("compare").checked;
  $("a").querySelector("legend").textContent = $("compare").checked ? "Service A" : "The service";
}

// While a slider is dragged ten seconds are played, and the whole run when it comes to rest.
function ask(whole = true) {
  const wanted = experiment();
  history.replaceState(null, "", toAddress(wanted, controls));
  if (!whole) wanted.load = { ...wanted.load, seconds: Math.min(10, wanted.load.seconds), changes: wanted.load.changes.filter(([at_s]) => at_s < Math.min(10, wanted.load.seconds)) };
  asked += 1;
  askedAt = performance.now();
  askedWidth_px = Math.floor($("pictures").clientWidth);
  worker.postMessage({ id: asked, experiment: { ...wanted, width_px: Math.max(300, askedWidth_px) } });
}

// Drawn for another width, as before a zoom, a picture would be cut, or bring a scroll bar.
const RESTS_MS = 200;
new ResizeObserver(() => {
  clearTimeout(resting);
  resting = setTimeout(() => {
    if (window.ready && Math.floor($("pictures").clientWidth) !== askedWidth_px) ask();
  }, RESTS_MS);
}).observe($("pictures"));

function say(text, wrong = false) {
  $("sentence").classList.toggle("wrong", wrong);
  if ($("sentence").textContent !== text) $("sentence").textContent = text;
}

// A screen reader hears the newest result, and not more than one in a second.
const HEARD_MS = 1000;
let heardAt = -HEARD_MS;
let hearing = 0;
function hear(text) {
  clearTimeout(hearing);
  hearing = setTimeout(() => {
    if ($("heard").textContent === text) return;
    heardAt = performance.now();
    $("heard").textContent = text;
  }, Math.max(0, heardAt + HEARD_MS - performance.now()));
}

/** What went wrong: seen and heard. */
function complain(text) {
  say(text, true);
  hear(text);
}

function draw({ figures, sentences }) {
  const homes = $("pictures");
  while (homes.children.length > figures.length) homes.lastElementChild.remove();
  while (homes.children.length < figures.length) homes.append(document.createElement("div"));
  figures.forEach((figure, place) => {
    const home = homes.children[place];
    home.setAttribute("role", "img");
    home.setAttribute("aria-label", figures.length > 1 ? sentences[place] : sentences.join(" "));
    window.Plotly.react(home, figure.data, figure.layout, { staticPlot: true });
  });
}

function tabulate({ tables, done }) {
  if ($("tables").hidden || !done) return;
  $("tables").replaceChildren(...tables.map((rows, place) => {
    const table = document.createElement("table");
    table.createCaption().textContent = tables.length > 1 ? `Service ${"AB"[place]}` : "The run, by half seconds";
    const head = table.createTHead().insertRow();
    for (const heading of columns) head.append(Object.assign(document.createElement("th"), { scope: "col", textContent: heading }));
    const body = table.createTBody();
    for (const row of rows) {
      const line = body.insertRow();
      for (const figure of row) line.insertCell().textContent = figure === null ? "–" : Number(figure.toFixed(1));
    }
    return table;
  }));
}

/** What ends the animations that are shown. */
let animated = [];

function animate(animations) {
  for (const end of animated) end();
  animated = animations.map((data, place) => mount($("requests"), data, animations.length > 1 ? `Service ${"AB"[place]}` : ""));
}

/** The same experiment, request by request, where somebody wants to see them. */
function askForRequests() {
  if (!$("requests").hidden) worker.postMessage({ id: asked, single: true, experiment: experiment() });
}

let last = null;
worker.onmessage = ({ data }) => {
  if (data.broken) return complain(`The playground could not start: ${data.broken}. A reload may help.`);
  if (data.ready) {
    window.ready = data;
    return ask();
  }
  if (data.id !== asked) return undefined;
  if (data.refused) return complain(data.refused);
  if (data.requests) return $("requests").hidden ? undefined : animate(data.requests);
  const ms = performance.now() - askedAt;
  draw(data);
  last = data;
  tabulate(data);
  const now = performance.now();
  const named = data.sentences.map((sentence, place) => (data.sentences.length > 1 ? `${"AB"[place]}: ${sentence}` : sentence)).join("\n");
  if (data.done || now - toldAt > 1000) {
    toldAt = now;
    say(named);
  }
  if (data.done) {
    hear(named); // the result, and not each of its pieces
    askForRequests();
    $("about").textContent = `${data.orders.map((n) => n.toLocaleString("en-GB")).join(" + ")} requests in ${(ms / 1000).toFixed(1)} s. `
      + `Fingerprint ${data.prints.join(", ")}: the same link gives the same orders, to the last one. Pyodide ${window.ready.python} in your browser.`;
  }
  window.told.push({ id: data.id, done: data.done, ms, worker_ms: data.ms, orders: data.orders, prints: data.prints, sentences: data.sentences });
  return undefined;
};
worker.onerror = (event) => complain(`The playground could not start: ${event.message || "its worker did not load"}. It must be served over http; a file on disk will not do.`);

for (const control of controls.load) $("load").append(build(control, "load"));
$("load").append(besides("load"));
for (const prefix of ARMS) {
  const more = document.createElement("details");
  more.innerHTML = "<summary>More settings</summary>";
  const rest = more.appendChild(document.createElement("div"));
  for (const control of [UNPROTECTED, ...controls.service]) (FIRST.includes(control.name) ? $(prefix) : rest).append(build(control, prefix));
  $(prefix).append(more, besides(prefix));
}
presets.forEach((preset, place) => $("preset").append(new Option(preset.name, place)));

/** The question of a preset, and the lesson that goes into it where the site has lessons. */
function askAbout(preset) {
  $("question").hidden = !preset;
  if (!preset) return;
  $("question").textContent = preset.question;
  const lesson = lessons[preset.lesson];
  if (!lesson) return;
  const link = Object.assign(document.createElement("a"), { textContent: lesson.title });
  link.href = lesson.address + (preset.claim ? `#play-${preset.claim}` : "");
  $("question").append(" The lesson: ", link, ".");
}

$("preset").addEventListener("change", () => {
  const preset = presets[$("preset").value];
  askAbout(preset);
  if (!preset) return;
  show(preset);
  ask();
});
$("experiment").addEventListener("submit", (event) => event.preventDefault());
/** What stands in a control now goes before what a link held in its place. */
function take({ id }) {
  const [prefix, name] = id.split(/-(.*)/);
  if (!beyond[prefix]) return;
  delete beyond[prefix][name];
  if (id === "load-times") delete beyond.load.rate;
  tellBesides();
}

$("experiment").addEventListener("input", (event) => {
  take(event.target);
  if (event.target.type !== "range") return;
  ask(false);
});
$("experiment").addEventListener("change", (event) => {
  if (["preset", "explain"].includes(event.target.id)) return;
  for (const prefix of ARMS) {
    if (event.target.id !== `${prefix}-unprotected`) continue;
    for (const control of controls.service) set(prefix, control, base(control, event.target.checked));
  }
  compared();
  ask();
});
$("again").addEventListener("click", () => {
  $("preset").value = "";
  $("question").hidden = true;
  show({ load: {}, arms: [{}] });
  ask();
});
$("explain").addEventListener("change", () => document.body.classList.toggle("explained", $("explain").checked));
$("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(location.href);
    $("copy").textContent = "Copied";
  } catch { // A page that is not served over https may not write there.
    $("copy").textContent = "The link is the address of this page";
  }
  setTimeout(() => { $("copy").textContent = "Copy a link to this experiment"; }, 3000);
});
$("show-table").addEventListener("click", () => {
  const hidden = !$("tables").hidden;
  $("tables").hidden = hidden;
  $("show-table").setAttribute("aria-expanded", String(!hidden));
  $("show-table").textContent = hidden ? "Show as table" : "Hide the table";
  if (last) tabulate(last);
});
$("show-requests").addEventListener("click", () => {
  const hidden = !$("requests").hidden;
  $("requests").hidden = hidden;
  $("show-requests").setAttribute("aria-expanded", String(!hidden));
  $("show-requests").textContent = hidden ? "Show single requests" : "Hide single requests";
  animate([]);
  if (last?.done && last.id === asked) askForRequests();
});
/** What the address holds; where that is a preset, with its question and the way to its lesson. */
function follow() {
  const wanted = fromAddress(location.hash, controls);
  const preset = presets.findIndex((each) => essence(each, controls) === essence(wanted, controls));
  $("preset").value = preset < 0 ? "" : preset;
  askAbout(presets[preset]);
  show(wanted);
}

window.addEventListener("hashchange", () => {
  follow();
  ask();
});

// On a telephone the picture comes before the settings, for the keyboard and for readers too.
const narrow = window.matchMedia("(max-width: 40rem)");
const place = () => {
  const focused = document.activeElement; // what is moved loses it
  if (narrow.matches) $("load").before($("result"));
  else $("experiment").after($("result"));
  focused?.focus();
};
narrow.addEventListener("change", () => {
  place();
  ask();
});
place();

$("home").hidden = Object.keys(lessons).length === 0; // it stands alone, without the site
follow();
say("Loading Python (about 10 MB, once)…");
