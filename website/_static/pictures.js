// Draws each picture from its own data when it comes near the screen; plotly.js is loaded once, and
// by those pages alone that have pictures. Besides, what the theme leaves undone for keyboards.
(() => {
  const here = document.currentScript.src;
  const loaded = () => new Promise((resolve, reject) => {
    if (window.Plotly) return resolve(window.Plotly);
    const script = document.createElement("script");
    script.src = new URL("plotly.min.js", here);
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error("plotly.min.js did not load"));
    document.head.append(script);
    return undefined;
  });
  let plotly = null;
  async function draw(home) {
    plotly ??= loaded();
    const { data, layout } = JSON.parse(home.querySelector("script").textContent);
    // Beside a table of contents there is less room than a picture takes: a little smaller will do.
    const room = home.clientWidth / (layout.width ?? home.clientWidth);
    if (room < 1) home.style.zoom = Math.max(0.7, room);
    await (await plotly).newPlot(home, data, layout, { displayModeBar: false });
    if (home.scrollWidth > home.clientWidth) home.tabIndex = 0; // so that the arrow keys scroll it
    home.dataset.drawn = "true";
  }
  window.addEventListener("DOMContentLoaded", () => {
    // The theme names this button otherwise than it reads, and it must be called by what it reads.
    for (const button of document.querySelectorAll(".search-button-field")) button.removeAttribute("aria-label");
    const near = new IntersectionObserver((seen) => {
      for (const one of seen.filter((each) => each.isIntersecting)) {
        near.unobserve(one.target);
        draw(one.target);
      }
    }, { rootMargin: "800px" });
    for (const home of document.querySelectorAll(".picture")) near.observe(home);
  });
})();
