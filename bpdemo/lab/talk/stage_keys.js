// Keys of the stage, and the stage over the whole page.
//
// The stage is a popover, hence in the browser's top layer: no notebook around it can clip it.
// While it fills the page, or has the focus, its keys are its own; JupyterLab sees none of them.

const MINE = new Set([
  "1", "2", "3", "4", "5", "0", "r", "R", "f", "F",
  "PageDown", "PageUp", "ArrowRight", "ArrowLeft",
]);
const WIDTH = 1280, HEIGHT = 720;

function isTyping(target) {
  return target instanceof Element &&
    (target.closest("input, textarea, select, [contenteditable='true']") !== null);
}

function render({ model, el }) {
  const stage = () => el.closest(".bp-stage");
  const isOpen = () => stage()?.matches(":popover-open") ?? false;
  let count = 0;

  function fit() {
    const node = stage();
    if (!node) return;
    const box = isOpen() ? [window.innerWidth, window.innerHeight]
      : [node.parentElement.clientWidth, Infinity];
    if (box[0] === 0) return; // a notebook has taken it off the page until it is scrolled to
    node.style.zoom = Math.min(box[0] / WIDTH, box[1] / HEIGHT);
  }

  function open(wanted) {
    const node = stage();
    if (!node || wanted === isOpen()) return;
    node.popover = wanted ? "manual" : null;
    if (wanted) {
      node.showPopover();
      node.tabIndex = -1;
      node.focus();
    }
    fit();
  }

  function onKey(event) {
    if (!stage()?.isConnected) return;
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const isMine = isOpen() || stage().contains(event.target);
    if (!isMine) return;
    if (event.key === "Escape" && isOpen()) open(false);
    else if (event.key === "f" || event.key === "F") open(!isOpen());
    else if (MINE.has(event.key)) {
      if (!event.repeat) {
        model.set("pressed", `${++count} ${event.key}`);
        model.save_changes();
        el.dispatchEvent(new CustomEvent("bp-pressed", { bubbles: true }));
      }
    } else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  // A notebook gives its cells their width some time after the window has changed its own, and a
  // cell out of sight only when it comes into sight.
  const place = new ResizeObserver(fit);

  // The widget is drawn before it is put on the page.
  function arrive(tries) {
    if (stage()?.isConnected) {
      place.observe(stage().parentElement);
      open(model.get("full_page"));
    } else if (tries > 0) setTimeout(() => arrive(tries - 1), 50);
  }

  window.addEventListener("keydown", onKey, true);
  window.addEventListener("resize", fit);
  arrive(200);
  return () => {
    place.disconnect();
    window.removeEventListener("keydown", onKey, true);
    window.removeEventListener("resize", fit);
  };
}

export default { render };
