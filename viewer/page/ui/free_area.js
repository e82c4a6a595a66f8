// What of the canvas nothing covers.

import { find } from "./dom.js";

/** Between the bars and, with `panels`, beside or above the panels that are open: edges in CSS pixels. */
export function free({ panels = true } = {}) {
  const { clientWidth: width, clientHeight: height } = find("cloud");
  const [bar, tools] = [find("bar").getBoundingClientRect(), find("tools").getBoundingClientRect()];
  const chips = find("shown").getBoundingClientRect(); // of no size while hidden
  const above = chips.top < height / 2 ? chips.bottom : 0; // between two panels they may lie below
  const area = {
    left: 0,
    top: Math.max(bar.bottom, above),
    right: width,
    bottom: tools.height ? tools.top : height,
  };
  const caption = find("tour").getBoundingClientRect(); // of no size while there is no tour
  if (caption.height && caption.top > height / 2) area.bottom = Math.min(area.bottom, caption.top);
  else area.top = Math.max(area.top, caption.bottom);
  if (!panels) return area;
  for (const panel of [find("panel"), find("filters")]) {
    if (panel.hidden) continue;
    const box = panel.getBoundingClientRect();
    // On a narrow screen they lie below the cloud, and grow as more is told.
    if (box.width > 0.8 * width)
      area.bottom = Math.min(area.bottom, height - parseFloat(getComputedStyle(panel).maxHeight));
    else if (box.left > width / 2) area.right = Math.min(area.right, box.left);
    else area.left = Math.max(area.left, box.right);
  }
  return area;
}

/** Whether there is room for one panel only. */
export function isNarrow() {
  return matchMedia("(max-width: 720px), (max-height: 520px) and (max-width: 1000px)").matches;
}

/** Tell the stylesheet how high the toolbar stands: it wraps where its tools have no room in one row. */
export function followTools() {
  const tools = find("tools");
  new ResizeObserver(() => {
    const { bottom } = getComputedStyle(tools);
    if (tools.offsetHeight)
      document.documentElement.style.setProperty("--foot", `${tools.offsetHeight + parseFloat(bottom)}px`);
  }).observe(tools);
}

/** Call `act` whenever a panel was opened or closed. */
export function whenCovered(act) {
  const watch = new MutationObserver(act);
  for (const id of ["panel", "filters"]) watch.observe(find(id), { attributeFilter: ["hidden"] });
}

/** Put the names of the panes over these, `[{ x, width }, …]` as parts of the canvas. */
export function namePanes(panes) {
  const { x } = panes[0];
  const last = panes.at(-1);
  const { style } = find("panes");
  style.left = `${100 * x}%`;
  style.right = `${100 * (1 - last.x - last.width)}%`;
}
