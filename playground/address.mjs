// An experiment in an address and back:
// `#times=2&queue_capacity=8&b.queue_capacity=64&b.retry_budget=0.1&change=8:payment_latency_s:0.12`.
// Of the second service `b.` names settings, and what of the load is its own.

/** Text for a value; weights as `greedy:9,anna:1`. */
export const told = (value) => (value !== null && typeof value === "object" ? Object.entries(value).map(([name, weight]) => `${name}:${weight}`).join(",") : String(value));

export function toAddress({ load, arms }, controls) {
  const usual = Object.fromEntries(controls.load.map((control) => [control.name, control.value]));
  const parts = new URLSearchParams();
  const { changes = [], ...rest } = load;
  for (const [name, now] of Object.entries(rest)) if (usual[name] !== now) parts.append(name, told(now));
  arms.forEach(({ load: own = {}, ...settings }, place) => {
    for (const [name, now] of Object.entries({ ...settings, ...own })) parts.append(place ? `b.${name}` : name, told(now));
  });
  if (arms.length > 1) parts.append("compare", "true");
  for (const [at_s, knobs] of changes) for (const [name, now] of Object.entries(knobs)) parts.append("change", `${at_s}:${name}:${now}`);
  return `#${parts}`;
}

export function fromAddress(fragment, controls) {
  const parts = new URLSearchParams(fragment.replace(/^#/, ""));
  const wanted = { load: { changes: [] }, arms: [{}] };
  if (parts.get("compare") === "true") wanted.arms.push({});
  for (const [key, text] of parts) {
    const name = key.replace(/^b\./, "");
    const ofLoad = controls.arguments.includes(name);
    const now = read(text, ofLoad && controls.mixes.includes(name));
    if (key === "change") {
      const [at_s, knob, then] = text.split(":");
      wanted.load.changes.push([Number(at_s), { [knob]: read(then ?? "") }]);
    } else if (key === "compare") continue;
    else if (name !== key) {
      const arm = wanted.arms[1] ?? {};
      if (ofLoad) (arm.load ??= {})[name] = now;
      else arm[name] = now;
    } else if (ofLoad) wanted.load[name] = now;
    else wanted.arms[0][name] = now;
  }
  return wanted;
}

/** Where a service begins: a setting's value in the protected service, or in the naive one. */
export const base = (control, unprotected) => (unprotected && control.naive !== undefined ? control.naive : control.value);

/** One text for all addresses of an experiment, whatever stands first in them, and whether or not they name what is usual. */
export function essence({ load, arms }, controls) {
  const isUsual = (arm, name) => {
    const control = controls.service.find((each) => each.name === name);
    return control ? arm[name] === base(control, arm.unprotected) : name === "unprotected" && !arm.unprotected;
  };
  const plain = arms.map((arm) => Object.fromEntries(Object.entries(arm).filter(([name]) => !isUsual(arm, name))));
  const parts = new URLSearchParams(toAddress({ load, arms: plain }, controls).slice(1));
  parts.sort();
  return parts.toString();
}

function read(text, isMix = false) {
  if (isMix) return Object.fromEntries(text.split(",").map((part) => part.split(":")).map(([name, weight]) => [name, Number(weight)]));
  if (text === "true" || text === "false") return text === "true";
  return text !== "" && !isNaN(text) ? Number(text) : text;
}
