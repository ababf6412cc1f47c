// Says so when nobody hears what is pressed here: a kernel that has ended, was restarted, or is busy.
//
// Each press is counted and sent; the kernel sends the count back. Watches whatever stands in the
// nearest `.bp-heard` around it. What takes a key for itself tells by an event, `bp-pressed`.

const HANDS = "button, input, select, [role='slider'], .noUi-target";
const PRESSES = ["pointerdown", "keydown", "bp-pressed"];
const PATIENCE_MS = 2000;

function render({ model, el }) {
  let pressed = 0, timer = null;
  const line = document.createElement("div");
  line.className = "bp-unheard";
  line.setAttribute("role", "alert");
  line.hidden = true;
  line.textContent = model.get("words");
  el.append(line);

  function onPress(event) {
    const hand = event.type === "bp-pressed" ? event.target : event.target.closest?.(HANDS);
    if (!hand || !el.closest(".bp-heard")?.contains(hand)) return;
    if (event.type === "keydown" && ["Tab", "Shift"].includes(event.key)) return;
    timer ??= setTimeout(look, PATIENCE_MS);
    try {
      model.set("asked", ++pressed);
      model.save_changes();
    } catch { /* nothing is left to send it to: the timer will say so */ }
  }

  function look() {
    timer = null;
    line.hidden = model.get("answered") >= pressed;
  }

  function onAnswer() {
    if (model.get("answered") >= pressed) line.hidden = true;
  }

  pressed = model.get("asked");
  for (const kind of PRESSES) window.addEventListener(kind, onPress, true);
  model.on("change:answered", onAnswer);
  return () => {
    clearTimeout(timer);
    for (const kind of PRESSES) window.removeEventListener(kind, onPress, true);
    model.off("change:answered", onAnswer);
  };
}

export default { render };
