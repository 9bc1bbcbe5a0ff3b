// The toolbar over the images, and what its buttons and keys do to the viewports.

import { choice, fill, h } from "../components/element.js";
import { announce } from "../components/status.js";
import { gap, press, toggle, toolbar } from "../components/toolbar.js";
import { neighbourPhase } from "../image/source.js";
import { presetsOf } from "../image/window.js";
import { LAYOUTS } from "./viewport_grid.js";

/** @typedef {import("../image/source.js").ImageSource} ImageSource */
/** @typedef {import("../viewport/viewport.js").Tool} Tool */

const TOOLS = /** @type {[Tool, string, string][]} */ ([
  ["window", "Window", "The left button sets the window (W)"],
  ["pan", "Pan", "The left button moves the image (P)"],
  ["zoom", "Zoom", "The left button zooms (Z)"],
]);
const SPEEDS = /** @type {[string, string][]} */ ([["6", "6 / s"], ["12", "12 / s"], ["24", "24 / s"]]);

export class ImageControls {
  /**
   * @param {import("./viewport_grid.js").ViewportGrid} grid
   * @param {import("./timepoint_images.js").ImageLibrary} library
   * @param {string} timepointId The one that is read.
   */
  constructor(grid, library, timepointId) {
    this.grid = grid;
    this.library = library;
    this.timepointId = timepointId;
    this.layout = choice(LAYOUTS, { "aria-label": "Layout", title: "Layout (Y)" }, grid.layout);
    this.layout.addEventListener("change", () => void grid.setLayout(/** @type {import("./viewport_grid.js").Layout} */ (this.layout.value)));
    this.preset = h("select", { "aria-label": "Window preset", title: "Window preset (1 to 6)" });
    this.preset.addEventListener("change", () => this.usePreset(Number(this.preset.value)));
    this.linked = toggle("Link", "Scroll the viewports together (L)", () => this.toggleLink());
    this.inverted = toggle("Invert", "Exchange black and white (I)", () => this.invert());
    this.cine = toggle("Cine", "Play the slices (C)", () => this.toggleCine());
    this.speed = choice(SPEEDS, { "aria-label": "Slices a second in cine", title: "Slices a second in cine" }, "12");
    this.speed.addEventListener("change", () => {
      for (const each of grid.viewports) each.cine.setSpeed(Number(this.speed.value));
    });
    this.tools = TOOLS.map(([tool, title, hint]) => ({ tool, button: toggle(title, hint, () => this.setTool(tool)) }));
    grid.addEventListener("active", () => this.draw());
  }

  /**
   * Return the toolbar.
   *
   * @param {{ undo: () => void, redo: () => void }} record
   */
  bar({ undo, redo }) {
    const button = (/** @type {string} */ label, /** @type {string} */ hint, /** @type {() => unknown} */ does) =>
      h("button", { type: "button", title: hint, onclick: does }, label);
    return toolbar(
      "Image tools",
      this.layout,
      this.linked,
      gap(),
      this.tools.map((each) => each.button),
      this.preset,
      this.inverted,
      button("Reset", "As it was at first (R)", () => this.grid.active.reset()),
      gap(),
      this.cine,
      this.speed,
      gap(),
      button("Pop out", "Images in a second window (O)", () => this.openSecondWindow()),
      button("Undo", "Undo (Ctrl + Z)", undo),
      button("Redo", "Redo (Ctrl + Shift + Z)", redo),
    );
  }

  /** Show how the active viewport stands. */
  draw() {
    const viewport = this.grid.active;
    const presets = presetsOf(viewport.source?.modality ?? null);
    if (this.preset.options.length !== presets.length + 1) {
      fill(this.preset, h("option", { value: "" }, "Preset"), presets.map((each, place) => h("option", { value: String(place) }, `${place + 1} ${each.name}`)));
    }
    for (const { tool, button } of this.tools) press(button, tool === this.grid.tool);
    press(this.linked, this.grid.isLinked);
    press(this.inverted, viewport.isInverted);
    press(this.cine, viewport.cine.isPlaying);
  }

  /** @param {Tool} tool */
  setTool(tool) {
    this.grid.tool = tool;
    this.draw();
  }

  toggleLink() {
    this.grid.link(!this.grid.isLinked);
    announce(this.grid.isLinked ? "The viewports scroll together." : "Each viewport scrolls alone.");
    this.draw();
  }

  invert() {
    this.grid.active.invert();
    this.draw();
  }

  toggleCine() {
    const { cine } = this.grid.active;
    cine.setSpeed(Number(this.speed.value));
    cine.toggle();
    this.draw();
  }

  /** Open a window with images alone, for a second screen. */
  openSecondWindow() {
    open(`${location.pathname}#/timepoints/${this.timepointId}/images`, "_blank", "popup,width=1600,height=1200");
  }

  /** @param {number} place From 0. */
  usePreset(place) {
    const name = this.grid.active.usePreset(place);
    this.preset.value = "";
    if (name) announce(`Window: ${name}.`);
  }

  /** Another layout; what is drawn stays. */
  async nextLayout() {
    const names = LAYOUTS.map(([name]) => name);
    const next = names[(names.indexOf(this.grid.layout) + 1) % names.length] ?? "1x1";
    this.layout.value = next;
    await this.grid.setLayout(next);
    this.grid.active.element.focus({ preventScroll: true });
  }

  /** @param {number} step */
  nextPhase(step) {
    return this.#showNext("There is no other phase.", (sources, shown) => neighbourPhase(sources, shown, step));
  }

  /** @param {number} step */
  nextSeries(step) {
    return this.#showNext("There is no other series.", (sources, shown) => sources[sources.findIndex((each) => each.key === shown.key) + step]);
  }

  /**
   * @param {string} otherwise
   * @param {(sources: ImageSource[], shown: ImageSource) => ImageSource | null | undefined} choose
   */
  async #showNext(otherwise, choose) {
    const viewport = this.grid.active;
    if (!viewport.source) return;
    const { sources } = await this.library.of(viewport.timepointId);
    const next = choose(sources, viewport.source);
    if (next) this.grid.showSource(viewport, next);
    announce(next ? next.title : otherwise);
  }

  /** @param {number} step */
  nextViewport(step) {
    const { viewports, active } = this.grid;
    viewports.at((viewports.indexOf(active) + step) % viewports.length)?.element.focus({ preventScroll: true });
  }
}
