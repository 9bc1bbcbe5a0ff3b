// The keys of the reading page. The mouse can do nothing that is not here.

/** @typedef {import("./reading_page.js").ReadingPage} ReadingPage */
/** @typedef {import("../keyboard/keymap.js").Command} Command */

const ARROWS = /** @type {Record<string, [number, number]>} */ ({
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
});
const NAMES = Object.keys(ARROWS);
const FINE = 0.1;
const COARSE = 10;

/**
 * Return an arrow's step: a pixel, a tenth with Shift, ten with Ctrl.
 *
 * @param {KeyboardEvent} event
 * @returns {[number, number]}
 */
function stepOf(event) {
  const [x, y] = ARROWS[event.key] ?? [0, 0];
  const size = event.shiftKey ? FINE : event.ctrlKey || event.metaKey ? COARSE : 1;
  return [x * size, y * size];
}

/**
 * @param {ReadingPage} page
 * @returns {Command[]}
 */
export function commands(page) {
  const { grid } = page;
  const isDrawing = () => page.desk.session !== null;
  const isOnHandle = () => document.activeElement instanceof SVGElement && document.activeElement.dataset["handle"] !== undefined;
  const isFree = () => !isDrawing() && !isOnHandle();
  const withShift = NAMES.map((name) => `Shift+${name}`);
  const withCtrl = NAMES.map((name) => `Ctrl+${name}`);

  const images = group("Images", [
    { keys: ["ArrowUp", "ArrowDown"], does: "previous, next slice", when: isFree, run: (_event, key) => grid.active.scrollTo(grid.active.index + (key === "ArrowUp" ? -1 : 1)) },
    { keys: ["PageUp", "PageDown"], does: "the same, also while drawing", run: (_event, key) => grid.active.scrollTo(grid.active.index + (key === "PageUp" ? -1 : 1)) },
    { keys: ["Shift+PageUp", "Shift+PageDown"], does: "five slices back, on", run: (_event, key) => grid.active.scrollTo(grid.active.index + (key === "Shift+PageUp" ? -5 : 5)) },
    { keys: ["Home", "End"], does: "first, last slice", run: (_event, key) => grid.active.scrollTo(key === "Home" ? 0 : Infinity) },
    { keys: ["ArrowLeft", "ArrowRight"], does: "previous, next viewport", when: isFree, run: (_event, key) => page.images.nextViewport(key === "ArrowLeft" ? -1 : 1) },
    { keys: ["[", "]"], does: "previous, next series", run: (_event, key) => page.images.nextSeries(key === "[" ? -1 : 1) },
    { keys: [",", "."], does: "previous, next phase", run: (_event, key) => page.images.nextPhase(key === "," ? -1 : 1) },
    { keys: ["l"], does: "scroll together, or alone", run: () => page.images.toggleLink() },
    { keys: ["y"], does: "next layout", run: () => page.images.nextLayout() },
    { keys: ["o"], does: "images in a second window", run: () => page.images.openSecondWindow() },
    { keys: ["c"], does: "cine", run: () => page.images.toggleCine() },
  ]);

  const display = group("Display", [
    { keys: ["w", "p", "z"], does: "left button: window, pan, zoom", run: (_event, key) => page.images.setTool(key === "w" ? "window" : key === "p" ? "pan" : "zoom") },
    { keys: withShift, does: "window: centre and width", when: isFree, run: (event) => changeWindow(page, event) },
    { keys: ["1", "2", "3", "4", "5", "6"], does: "window preset", run: (_event, key) => page.images.usePreset(Number(key) - 1) },
    { keys: ["i"], does: "invert", run: () => page.images.invert() },
    { keys: ["+", "=", "-"], does: "zoom in, out", run: (_event, key) => grid.active.zoomBy(key === "-" ? 1 / 1.25 : 1.25) },
    { keys: withCtrl, does: "move the image", when: isFree, run: (event) => pan(page, event) },
    { keys: ["r"], does: "reset", run: () => grid.active.reset() },
  ]);

  const lesions = group("Lesions", [
    { keys: ["j", "k"], does: "next, previous lesion", run: (_event, key) => page.nextLesion(key === "j" ? 1 : -1) },
    { keys: ["g"], does: "go to the lesion", run: () => grid.goToLesion() },
    { keys: ["n"], does: page.model.isBaseline ? "add a target" : "add a new lesion", run: () => page.add(page.model.isBaseline ? "target" : "new") },
    { keys: ["m"], does: "add a non-target, at baseline", when: () => page.model.isBaseline, run: () => page.add("non_target") },
    { keys: ["x"], does: "go to the lesion's states", run: () => page.focusStates() },
    { keys: ["u", "Ctrl+z"], does: "undo", run: () => page.undo() },
    { keys: ["Ctrl+Shift+z", "Ctrl+y"], does: "redo", run: () => page.redo() },
    { keys: ["Ctrl+Enter"], does: "sign", run: () => page.sign() },
  ]);

  const drawing = group("Drawing", [
    { keys: ["b"], does: "draw the long axis, then the short one", run: () => page.desk.drawBoth() },
    { keys: ["d"], does: "draw the axis that counts alone", run: () => page.desk.drawCounted() },
    { keys: ["a", "Shift+a"], does: "propose an outline: from a point, from a box", run: (_event, key) => page.suggesting.propose(key === "a" ? 1 : 2) },
    { keys: ["Shift+Enter", "Shift+Backspace"], does: "take the proposal over, reject it", when: () => page.suggesting.suggestions.proposal !== null, run: (_event, key) => (key === "Shift+Enter" ? page.suggesting.accept() : page.suggesting.reject()) },
    { keys: ["f"], does: "functional tumour volume of the dynamic series", run: () => page.suggesting.openUptake() },
    { keys: ["e"], does: "show where the lesion is expected", run: () => page.suggesting.goToPlace() },
    { keys: NAMES, does: "move the cross or the handle by a pixel", when: () => !isFree(), run: (event) => move(page, event) },
    { keys: withShift, does: "by a tenth of a pixel", when: () => !isFree(), run: (event) => move(page, event) },
    { keys: withCtrl, does: "by ten pixels", when: () => !isFree(), run: (event) => move(page, event) },
    { keys: ["Enter", "Space"], does: "set a point", when: isDrawing, run: () => page.cross.setPoint() },
    { keys: ["h"], does: "next handle", run: () => page.handles.next() },
    { keys: ["Escape", "Backspace"], does: "take the point back, end the drawing", run: () => page.escape() },
  ]);

  return [...images, ...display, ...lesions, ...drawing];
}

/**
 * @param {string} name
 * @param {Omit<Command, "group">[]} parts
 * @returns {Command[]}
 */
function group(name, parts) {
  return parts.map((each) => ({ ...each, group: name }));
}

/**
 * @param {ReadingPage} page
 * @param {KeyboardEvent} event
 */
function move(page, event) {
  return page.handles.nudge(stepOf(event)) || page.cross.move(stepOf(event));
}

/**
 * @param {ReadingPage} page
 * @param {KeyboardEvent} event
 */
function changeWindow(page, event) {
  const viewport = page.grid.active;
  const [x, y] = ARROWS[event.key] ?? [0, 0];
  const step = viewport.window.shape ? viewport.window.width / 20 : Math.max(1, viewport.window.width / 20);
  viewport.adjustWindow(-y * step, x * step);
}

/**
 * @param {ReadingPage} page
 * @param {KeyboardEvent} event
 */
function pan(page, event) {
  const [x, y] = ARROWS[event.key] ?? [0, 0];
  page.grid.active.panBy(x * 40, y * 40);
}
