// The reading page: images, lesions and what follows from them, of one timepoint.

import { write } from "../api/client.js";
import { fill, h } from "../components/element.js";
import { keepFocus } from "../components/keep_focus.js";
import { announce, note, problem } from "../components/status.js";
import { whoAmI } from "../shell/session.js";
import { drawClosing } from "./closing_part.js";
import { Cross } from "./cross.js";
import { askForLesion, decideConflict, signRead } from "./dialogs.js";
import { DrawingDesk } from "./drawing_desk.js";
import { guideOf } from "./guide.js";
import { Handles } from "./handles.js";
import { ImageControls } from "./image_controls.js";
import { drawLesionCard } from "./lesion_card.js";
import { drawLesionTable } from "./lesion_table.js";
import { commands } from "./reading_keys.js";
import { ReadModel } from "./read_model.js";
import { drawSaving } from "./saving_mark.js";
import { SuggestionDesk } from "./suggestion_desk.js";
import { ImageLibrary } from "./timepoint_images.js";
import { drawVerdict } from "./verdict_panel.js";
import { ViewportGrid } from "./viewport_grid.js";
import { joinWindows } from "./windows.js";
import { dayName, timepointName } from "./words.js";

/** @typedef {import("../api/types.js").ReadAnswer} ReadAnswer */

/** @param {import("../shell/router.js").PageContext} context */
export async function mount(context) {
  const library = new ImageLibrary();
  const opening = openPage(context, library);
  library.store.waitFor(opening.then((opened) => opened.grid.shown()));
  const page = await opening;
  return { title: `${page.readingId}, ${timepointName(page.model.read.number)}`, unmount: () => page.end() };
}

/**
 * Open the read and show its page; what takes long is begun before it is needed.
 *
 * @param {import("../shell/router.js").PageContext} context
 * @param {ImageLibrary} library
 */
async function openPage(context, library) {
  const timepointId = context.parameters["timepoint_id"] ?? "";
  const images = library.of(timepointId);
  library.warm(timepointId);
  const read = /** @type {ReadAnswer} */ (await write("POST", `/timepoints/${timepointId}/reads`));
  const model = await ReadModel.open(read, whoAmI()?.account_id ?? "");
  const prior = model.earlier.at(-1);
  if (prior) library.warm(prior.timepoint_id);
  const page = new ReadingPage(context, model, library, (await images).readingId);
  await page.begin();
  return page;
}

/** Everything on the page; what is drawn and how images are shown is done by its desks. */
export class ReadingPage {
  /**
   * @param {import("../shell/router.js").PageContext} context
   * @param {ReadModel} model
   * @param {ImageLibrary} library
   * @param {string} readingId
   */
  constructor(context, model, library, readingId) {
    this.context = context;
    this.model = model;
    this.library = library;
    this.readingId = readingId;
    this.grid = new ViewportGrid(model, library);
    this.images = new ImageControls(this.grid, library, model.read.timepoint_id);
    this.desk = new DrawingDesk(model, this.grid, library);
    this.cross = new Cross(this.desk);
    this.handles = new Handles(model, this.grid, library);
    this.suggesting = new SuggestionDesk(this.desk);
    this.isDeciding = false;
    /** Whether the page is to be drawn before the next picture. */
    this.isDrawWanted = false;
    this.windows = joinWindows(model.read.read_id, {});
    this.saving = h("span", { class: "saving", role: "status" });
    this.table = h("div", { class: "panel-part" });
    this.card = h("div", { class: "panel-part card" });
    this.suggestion = h("div", { class: "panel-part suggestion" });
    this.verdict = h("div", { class: "panel-part verdict" });
    this.closing = h("div", { class: "panel-end" });
    this.guide = h("div", { class: "guide", role: "status" });
    this.#layOut();
    this.unbind = context.keys.add(commands(this));
  }

  #layOut() {
    const { read } = this.model;
    fill(
      this.context.place,
      h("h1", { class: "subject" }, `${this.readingId} · ${timepointName(read.number)}`),
      h("span", { class: "muted" }, dayName(read.imaged_on)),
      read.revision > 1 ? h("span", { class: "tag" }, `revision ${read.revision}`) : null,
      this.saving,
    );
    const bar = this.images.bar({ undo: () => this.undo(), redo: () => this.redo() });
    const parts = h("div", { class: "panel-scroll", tabindex: "0", role: "region", "aria-label": "Lesions" }, this.table, this.card, this.suggestion, this.verdict);
    fill(
      this.context.host,
      h(
        "div",
        { class: "reading" },
        h("section", { class: "images", "aria-label": "Images" }, bar, this.guide, this.grid.element),
        h("aside", { class: "panel", "aria-label": "Lesions and response" }, parts, this.closing),
      ),
    );
  }

  async begin() {
    const { model, grid } = this;
    this.#listen();
    const first = model.rows().find((row) => row.standing === "empty") ?? model.rows()[0];
    model.selected = first?.id ?? null;
    this.#draw();
    await grid.hang();
    this.#draw();
    this.images.draw();
    grid.active.element.focus({ preventScroll: true });
    void grid.shown().then(() => this.#goOn());
  }

  /** Ask for what can wait for the first images. */
  #goOn() {
    if (!this.grid.element.isConnected) return;
    this.suggesting.begin();
    void this.model.askForVerdict();
  }

  #listen() {
    const { model, grid } = this;
    model.addEventListener("changed", () => this.#drawSoon());
    model.addEventListener("selected", () => {
      grid.goToLesion();
      this.windows.tellSelected(model.selected);
    });
    model.addEventListener("saved", () => this.windows.tellChanged());
    model.addEventListener("conflict", (event) => void this.decide(/** @type {CustomEvent} */ (event).detail));
    model.addEventListener("failed", (event) => problem(/** @type {CustomEvent} */ (event).detail));
    this.suggesting.suggestions.addEventListener("changed", () => this.#drawSoon());
    this.desk.addEventListener("moved", () => {
      this.#drawGuide();
      grid.drawOverlays();
    });
  }

  end() {
    this.unbind();
    this.handles.keep();
    this.grid.close();
    this.suggesting.suggestions.close();
    this.windows.leave();
    void this.model.close();
  }

  // ---- drawing the page ----

  #drawSoon() {
    if (this.isDrawWanted) return;
    this.isDrawWanted = true;
    requestAnimationFrame(() => {
      this.isDrawWanted = false;
      this.#draw();
    });
  }

  #draw() {
    const { model } = this;
    const planeOf = (/** @type {import("./entry.js").AxisBody} */ axis) => this.library.frameOf(axis)?.plane ?? null;
    const table = { planeOf, select: (/** @type {string} */ id) => this.select(id), add: (/** @type {import("../api/types.js").Role} */ role) => void this.add(role) };
    /** @type {import("./lesion_card.js").Doings} */
    const card = { planeOf, draw: (axes, fragment) => this.desk.start(axes, fragment), decideConflict: (id) => void this.decide(id) };
    keepFocus(this.table, () => drawLesionTable(this.table, model, table));
    keepFocus(this.card, () => drawLesionCard(this.card, model, card));
    keepFocus(this.suggestion, () => this.suggesting.draw(this.suggestion));
    keepFocus(this.verdict, () => drawVerdict(this.verdict, model));
    keepFocus(this.closing, () => drawClosing(this.closing, model, () => void this.sign()));
    drawSaving(this.saving, model);
    this.#drawGuide();
    this.grid.drawOverlays();
  }

  #drawGuide() {
    const { session } = this.desk;
    const text = guideOf(session, this.model);
    if (this.guide.textContent !== text) fill(this.guide, text);
    this.guide.classList.toggle("is-on", session?.current != null);
    for (const each of this.grid.viewports) each.element.classList.toggle("is-drawing", Boolean(session) && each.timepointId === this.model.read.timepoint_id);
  }

  // ---- the lesions ----

  /** @param {string} lesionId */
  select(lesionId) {
    const { session } = this.desk;
    if (session && session.lesionId !== lesionId) this.desk.stop();
    this.model.select(lesionId);
  }

  /** @param {number} step */
  nextLesion(step) {
    const ids = this.model.rows().map((row) => row.id);
    if (!ids.length) return;
    const place = ids.indexOf(this.model.selected ?? "");
    const next = ids.at((Math.max(place, step < 0 ? 0 : -1) + step) % ids.length) ?? "";
    this.select(next);
    const row = this.model.row(next);
    announce(`${next}, ${row.location}`);
  }

  /** @param {import("../api/types.js").Role} role */
  async add(role) {
    if (this.model.isSigned) return;
    this.desk.stop();
    const name = await askForLesion(this.model, role);
    if (!name) return;
    this.model.select(name);
    if (role === "target") this.desk.start(["long", "short"], 0);
  }

  /** Put the focus on the selected lesion's states. */
  focusStates() {
    const pressed = this.card.querySelector('[data-focus^="state "][aria-pressed="true"]') ?? this.card.querySelector('[data-focus^="state "]');
    if (pressed instanceof HTMLElement) pressed.focus();
  }

  /** Leave what is being drawn: first the point, then the drawing; then the handle. */
  escape() {
    if (this.desk.leave()) return true;
    if (!(document.activeElement instanceof SVGElement)) return false;
    this.grid.active.element.focus({ preventScroll: true });
    return true;
  }

  // ---- the record ----

  undo() {
    this.handles.keep();
    const id = this.model.undo();
    announce(id ? `Undone: ${id}.` : "There is nothing to undo.");
  }

  redo() {
    const id = this.model.redo();
    announce(id ? `Done again: ${id}.` : "There is nothing to redo.");
  }

  /** @param {string} lesionId */
  async decide(lesionId) {
    if (this.isDeciding) return;
    this.isDeciding = true;
    try {
      await decideConflict(this.model, lesionId);
    } catch (error) {
      problem(error);
    } finally {
      this.isDeciding = false;
    }
  }

  async sign() {
    this.handles.keep();
    this.desk.stop();
    if (this.model.isSigned) return;
    try {
      if (await signRead(this.model, this.readingId)) note("The read is signed and locked.", "good");
    } catch (error) {
      problem(error);
    }
    this.#draw();
    const next = this.closing.querySelector('[data-focus="worklist"]');
    if (next instanceof HTMLElement) next.focus();
  }
}
