// Single requests, animated: they arrive, wait in the queue, are served by a worker, and leave as
// served, late, shed or failed. One file for the playground's page and for notebooks.
//
// All of it follows from the data (see `sim/animation.py`) and the moment, so any moment can be
// shown, forwards and backwards. Nothing moves before somebody presses Play, nor out of sight, and
// nothing moves by itself for those who prefer reduced motion: they have the slider and Next step.

const SVG = "http://www.w3.org/2000/svg";
const [ARRIVED, PLACED, BEGAN, LEFT, HEARD, FATE, RETRIED, WORKER] = [0, 1, 2, 3, 4, 5, 6, 7];
const OURS = [" ", "Enter", "Home", "End", "PageUp", "PageDown"];
/** How long a move from place to place is seen, in milliseconds of the run. */
const MOVE_MS = 20;
const AGAIN = "M3.5-3.5A5 5 0 1 0 5 0M4.5-6.5V-3H1";
const MARKS = { "/": "M-3 3L3-3", ".": "M-1 0H1", x: "M-3-3L3 3M-3 3L3-3" };
const STYLE = `
.bp-requests { color: var(--jp-content-font-color0, inherit); max-width: 640px; }
.bp-requests svg { display: block; width: 100%; height: auto; font: 14px "Open Sans", Verdana, Arial, sans-serif; }
.bp-requests text { fill: currentColor; }
.bp-requests .bp-hands { display: flex; flex-wrap: wrap; gap: .4rem .8rem; align-items: center; margin: .4rem 0; }
.bp-requests .bp-hands button { font: inherit; padding: .25rem .7rem; }
.bp-requests .bp-hands button[hidden] { display: none; }
.bp-requests .bp-hands label { display: flex; flex: 1 1 14rem; gap: .5rem; align-items: center; }
.bp-requests .bp-hands input { flex: 1; min-width: 6rem; }
.bp-requests output { min-width: 4em; font-variant-numeric: tabular-nums; }
.bp-requests p { margin: .2rem 0; }`;

/** From when on a request stands where: `[from, place]`, the first at its arrival. */
function stagesOf(row, number, places) {
  const at = (list, index) => list[Math.min(index, list.length - 1)];
  const entry = places.entry[number % places.entry.length];
  const exit = places.exits[row[RETRIED] ? places.exits.length - 1 : row[FATE] ?? 0];
  const stages = [[row[ARRIVED], () => entry]];
  if (row[PLACED] !== null) stages.push([row[PLACED], (standing) => at(places.queue, standing ?? 0)]);
  if (row[BEGAN] !== null) stages.push([row[BEGAN], () => at(places.seats, row[WORKER])]);
  // One without a place goes when its caller hears of it; a job may stay when its caller has gone.
  const gone = row[PLACED] === null ? row[HEARD] : row[LEFT];
  if (gone !== null) stages.push([gone, () => exit, true]);
  return stages;
}

/** What is to be seen at a moment: the figures, and each request that is somewhere; on the way
 *  from place to place unless it `isStill`. */
export function frameAt(data, requests, at, isStill = false) {
  const within = (row, begin, end) => row[begin] !== null && row[begin] <= at && (end === null || at < end);
  const queued = requests.filter(({ row }) => within(row, PLACED, row[BEGAN] ?? row[LEFT]))
    .sort((one, other) => one.row[PLACED] - other.row[PLACED]);
  const standing = new Map(queued.map((one, place) => [one, place]));
  const { places } = data;
  const frame = {
    waiting: queued.length, more: Math.max(0, queued.length - places.queue.length), busy: 0,
    counts: data.fates.map(() => 0), retried: 0, dots: [],
  };
  let atTheDoor = 0;
  for (const one of requests) {
    const { row, stages } = one;
    if (row[ARRIVED] > at) continue;
    const known = row[HEARD] !== null && row[HEARD] <= at;
    if (known && row[RETRIED]) frame.retried += 1;
    else if (known) frame.counts[row[FATE]] += 1;
    if (within(row, BEGAN, row[LEFT])) frame.busy += 1;
    // Stages that begin in the same moment are passed in it: the move is from the first to the last.
    let now = 0;
    while (now + 1 < stages.length && stages[now + 1][0] <= at) now += 1;
    const [since, place, isOver] = stages[now];
    if (isOver && at - since >= MOVE_MS) continue;
    let before = now;
    while (before > 0 && stages[before][0] === since) before -= 1;
    const share = isStill || before === now ? 1 : Math.min(1, (at - since) / MOVE_MS);
    // Those for whom there is no room in the picture are a figure in it.
    if (now === 0 && ++atTheDoor > places.entry.length) continue;
    if (share === 1 && standing.get(one) >= places.queue.length) continue;
    const [x0, y0] = stages[before][1](standing.get(one));
    const [x1, y1] = place(standing.get(one));
    frame.dots.push({ x: x0 + (x1 - x0) * share, y: y0 + (y1 - y0) * share, fate: known ? data.fates[row[FATE]] : null });
  }
  const rooms = data.rooms.filter(([from]) => from <= at);
  [, frame.workers, frame.capacity] = rooms.at(-1) ?? [0, 0, 0];
  return frame;
}

/** A moment in words. */
export function described(data, frame, at) {
  const fates = data.fates.map(({ word }, place) => `${frame.counts[place]} ${word}`).join(", ");
  return `At ${(at / 1000).toFixed(2)} s: ${frame.waiting} waiting, ${frame.busy} of ${frame.workers} in service; ${fates}`;
}

function made(parent, name, attributes = {}, text = "") {
  const node = parent.namespaceURI === SVG || name === "svg" ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  parent.append(node);
  return node;
}

/** Draws a request of that fate, or of none yet, around the origin of a group. */
function paint(group, fate, radius) {
  const name = fate ? fate.word : "";
  if (group.dataset.fate === name) return;
  group.dataset.fate = name;
  group.replaceChildren();
  made(group, "circle", { r: radius, fill: fate ? fate.colour : "none", stroke: fate ? fate.colour : "currentColor" });
  if (fate?.mark) made(group, "path", { d: MARKS[fate.mark], fill: "none", stroke: "#000", "stroke-width": 2, "stroke-linecap": "round" });
}

/** The picture in an `<svg>`: `draw(frame, name)` shows a moment. */
function pictureIn(svg, data) {
  const { places } = data;
  const { radius } = places;
  svg.setAttribute("viewBox", `0 0 ${places.width} ${places.height}`);
  svg.setAttribute("role", "img");
  ["door", "queue", "workers", "outcome"].forEach((head, place) => {
    const [x, y] = places.heads[place];
    made(svg, "text", { x, y, "font-weight": "bold" }, head);
  });
  const [waiting, busy] = places.figures.map(([x, y]) => made(svg, "text", { x, y }));
  const frames = made(svg, "g", { opacity: 0.3, fill: "none", stroke: "currentColor" });
  const exits = data.fates.map((fate, place) => {
    const [x, y] = places.exits[place];
    paint(made(svg, "g", { transform: `translate(${x} ${y})` }), fate, radius);
    return made(svg, "text", { x: x + 12, y: y + 5 });
  });
  const [last, under] = places.exits.at(-1);
  const again = made(svg, "g", { transform: `translate(${last} ${under})` });
  made(again, "path", { d: AGAIN, fill: "none", stroke: "currentColor", "stroke-width": 1.5 });
  const retried = made(svg, "text", { x: last + 12, y: under + 5 });
  const [leftmost, lowest] = places.notes;
  const more = made(svg, "text", { x: leftmost, y: lowest });
  const [left, foot] = places.legend;
  paint(made(svg, "g", { transform: `translate(${left} ${foot})` }), null, radius);
  made(svg, "text", { x: left + 12, y: foot + 5 }, "no answer yet");
  made(svg, "text", { x: places.width - 8, y: foot + 5, "text-anchor": "end" }, "simulated");
  const dots = made(svg, "g");
  let framed = "";
  return (frame, name) => {
    svg.setAttribute("aria-label", name);
    waiting.textContent = `${frame.waiting} ${frame.capacity < 0 ? "(no bound)" : `of ${frame.capacity}`}`;
    busy.textContent = `${frame.busy} of ${frame.workers}`;
    exits.forEach((text, place) => { text.textContent = `${frame.counts[place]} ${data.fates[place].word}`; });
    retried.textContent = frame.retried ? `${frame.retried} try again` : "";
    again.setAttribute("visibility", frame.retried ? "visible" : "hidden");
    more.textContent = frame.more ? `and ${frame.more} more` : "";
    if (framed !== `${frame.workers} ${frame.capacity}`) {
      framed = `${frame.workers} ${frame.capacity}`;
      frames.replaceChildren();
      for (const [cx, cy] of places.queue.slice(0, Math.max(0, frame.capacity))) made(frames, "circle", { cx, cy, r: radius });
      for (const [cx, cy] of places.seats.slice(0, frame.workers)) made(frames, "circle", { cx, cy, r: radius + 4 });
    }
    while (dots.children.length > frame.dots.length) dots.lastElementChild.remove();
    while (dots.children.length < frame.dots.length) made(dots, "g");
    frame.dots.forEach((dot, place) => {
      const group = dots.children[place];
      group.setAttribute("transform", `translate(${dot.x.toFixed(1)} ${dot.y.toFixed(1)})`);
      paint(group, dot.fate, radius);
    });
  };
}

/** Shows an animation in an element of a page; gives what ends it. `name` stands before its sentence. */
export function mount(home, data, name = "") {
  const root = made(home, "section", { class: "bp-requests", "aria-label": `Single requests, ${1 / data.speed} times slower${name ? `: ${name}` : ""}` });
  // JupyterLab would take these keys for its own; with Shift or Ctrl it may, to run the cell.
  root.addEventListener("keydown", (event) => {
    const isOurs = OURS.includes(event.key) || event.key.startsWith("Arrow");
    if (isOurs && !(event.shiftKey || event.ctrlKey || event.altKey || event.metaKey)) event.stopPropagation();
  });
  made(root, "style", {}, STYLE);
  const draw = pictureIn(made(root, "svg"), data);
  const hands = made(root, "div", { class: "bp-hands" });
  const play = made(hands, "button", { type: "button" }, "Play");
  const step = made(hands, "button", { type: "button" }, "Next step");
  const label = made(hands, "label", {}, "Time ");
  const slider = made(label, "input", { type: "range", min: 0, max: 10 * Math.ceil(data.end / 10), step: 10 });
  const output = made(label, "output");
  made(root, "p", {}, `${name ? `${name}: ` : ""}${data.told} Played ${1 / data.speed} times slower.`);

  const requests = data.requests.map((row, number) => ({ row, stages: stagesOf(row, number, data.places) }));
  const events = [...new Set(data.requests.flatMap((row) => row.slice(ARRIVED, FATE)).filter((at) => at !== null))].sort((a, b) => a - b);
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  let at = data.still;
  let touched = false;
  let isPlaying = false;
  let isInSight = true;
  let waiting = 0; // for the next frame; 0 while nothing moves
  let last = 0;

  function show(moment) {
    at = Math.min(data.end, Math.max(0, moment));
    const frame = frameAt(data, requests, at, !isPlaying);
    const words = described(data, frame, at);
    draw(frame, words);
    slider.value = at;
    slider.setAttribute("aria-valuetext", words);
    output.textContent = `${(at / 1000).toFixed(2)} s`;
  }

  /** Moves on if it plays and can be seen; else no frame is asked for. */
  function move() {
    cancelAnimationFrame(waiting);
    last = performance.now();
    waiting = isPlaying && isInSight ? requestAnimationFrame(onFrame) : 0;
  }

  function onFrame(now) {
    // A tab that was away for a while goes on where it was.
    const passed = Math.min(100, Math.max(0, now - last)) * data.speed;
    if (at + passed >= data.end) pause();
    show(at + passed);
    last = now;
    waiting = isPlaying ? requestAnimationFrame(onFrame) : 0;
  }

  function pause() {
    isPlaying = false;
    play.textContent = "Play";
    move();
  }

  function onPlay() {
    if (isPlaying) return pause();
    isPlaying = true;
    play.textContent = "Pause";
    if (!touched || at >= data.end) show(0);
    touched = true;
    return move();
  }

  /** To a moment of somebody's choice: there it rests. */
  function rest(moment) {
    touched = true;
    pause();
    show(moment);
  }

  function onMotion() {
    play.hidden = still.matches;
    if (still.matches) pause();
  }

  play.addEventListener("click", onPlay);
  step.addEventListener("click", () => rest(events.find((event) => event > at) ?? data.end));
  slider.addEventListener("input", () => rest(Number(slider.value)));
  still.addEventListener("change", onMotion);
  const sight = new IntersectionObserver((seen) => {
    isInSight = seen.at(-1).isIntersecting;
    move();
  });
  sight.observe(root);
  onMotion();
  show(at);
  return () => {
    pause();
    sight.disconnect();
    still.removeEventListener("change", onMotion);
    root.remove();
  };
}

function render({ model, el }) {
  return mount(el, JSON.parse(model.get("data")), model.get("name"));
}

export default { render };
