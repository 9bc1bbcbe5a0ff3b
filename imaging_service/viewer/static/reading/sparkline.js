// The course of a diameter as a small line: from baseline to now.

import { s } from "../components/element.js";

const WIDTH = 52;
const HEIGHT = 20;
const EDGE = 3;

/**
 * @param {(number | null)[]} values Null where nothing was measured.
 * @param {string} label
 */
export function sparkline(values, label) {
  const known = values.flatMap((value, index) => (value === null ? [] : [{ value, index }]));
  const most = Math.max(...known.map((each) => each.value), 1e-9);
  const step = (WIDTH - 2 * EDGE) / Math.max(1, values.length - 1);
  const places = known.map(({ value, index }) => ({
    x: EDGE + index * step,
    y: HEIGHT - EDGE - (value / most) * (HEIGHT - 2 * EDGE),
  }));
  const last = places.at(-1);
  return s(
    "svg",
    { class: "sparkline", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: "img", "aria-label": label },
    s("polyline", { points: places.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ") }),
    last && s("circle", { cx: last.x, cy: last.y, r: 2.5 }),
  );
}
