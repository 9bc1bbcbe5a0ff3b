// The reading page: images, lesions and what follows from them, of one timepoint.

import { write } from "../api/client.js";
import { choice, fill, h } from "../components/element.js";
import { keepFocus } from "../components/keep_focus.js";
import { announce, note, problem } from "../components/status.js";
import { gap, press, toggle, toolbar } from "../components/toolbar.js";
import { SeedSession } from "../drawing/seed_session.js";
import { DrawingSession } from "../drawing/session.js";
import { lengthMm, moved } from "../geometry/calipers.js";
import { neighbourPhase } from "../image/source.js";
import { presetsOf } from "../image/window.js";
import { whoAmI } from "../shell/session.js";
import { askForLesion, decideConflict, signRead } from "./dialogs.js";
import { axesFor, emptyBody, hasAxes, withAxes } from "./entry.js";
import { drawLesionCard } from "./lesion_card.js";
import { drawLesionTable } from "./lesion_table.js";
import { commands } from "./reading_keys.js";
import { ReadModel } from "./read_model.js";
import { drawSuggestionCard } from "./suggestion_card.js";
import { Suggestions } from "./suggestions.js";
import { phasesOf, showUptake } from "./uptake_dialog.js";
import { joinWindows } from "./windows.js";
import { ImageLibrary } from "./timepoint_images.js";
import { drawVerdict } from "./verdict_panel.js";
import { LAYOUTS, ViewportGrid } from "./viewport_grid.js";
import { dayName, instantName, timepointName } from "./words.js";

/** @typedef {import("../api/types.js").Pixel} Pixel */
/** @typedef {import("../api/types.js").ReadAnswer} ReadAnswer */
/** @typedef {import("../drawing/session.js").AxisName} AxisName */
/** @typedef {import("./entry.js").AxisBody} AxisBody */

const NUDGE_PAUSE_MS = 400;

/** @param {import("../shell/router.js").PageContext} context */
export async function mount(context) {
  const timepointId = context.parameters["timepoint_id"] ?? "";
  const library = new ImageLibrary();
  const images = library.of(timepointId);
  library.warm(timepointId).catch(() => undefined); // whoever needs it is told
  const read = /** @type {ReadAnswer} */ (await write("POST", `/timepoints/${timepointId}/reads`));
  const [model, { readingId }] = await Promise.all([ReadModel.open(read, whoAmI()?.account_id ?? ""), images]);
  const page = new ReadingPage(context, model, library, readingId);
  await page.begin();
  return { title: `${readingId}, ${timepointName(read.number)}`, unmount: () => page.end() };
}

/** Everything on the page, and what its buttons and keys do. */
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
    /** @type {DrawingSession | SeedSession | null} */
    this.session = null;
    this.suggestions = new Suggestions(model.read.read_id);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.nudging = undefined;
    this.isDeciding = false;
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
    fill(
      this.context.host,
      h(
        "div",
        { class: "reading" },
        h("section", { class: "images", "aria-label": "Images" }, this.#toolbar(), this.guide, this.grid.element),
        h("aside", { class: "panel", "aria-label": "Lesions and response" }, h("div", { class: "panel-scroll", tabindex: "0", role: "region", "aria-label": "Lesions" }, this.table, this.card, this.suggestion, this.verdict), this.closing),
      ),
    );
  }

  #toolbar() {
    const button = (/** @type {string} */ label, /** @type {string} */ hint, /** @type {() => unknown} */ does) =>
      h("button", { type: "button", title: hint, onclick: does }, label);
    this.layoutChoice = choice(LAYOUTS, { "aria-label": "Layout", title: "Layout (Y)" }, this.grid.layout);
    this.layoutChoice.addEventListener("change", () => {
      void this.grid.setLayout(/** @type {import("./viewport_grid.js").Layout} */ (this.layoutChoice?.value));
    });
    this.presetChoice = h("select", { "aria-label": "Window preset", title: "Window preset (1 to 6)" });
    this.presetChoice.addEventListener("change", () => this.usePreset(Number(this.presetChoice?.value)));
    this.linkButton = toggle("Link", "Scroll the viewports together (L)", () => this.toggleLink());
    this.invertButton = toggle("Invert", "Exchange black and white (I)", () => this.invert());
    this.cineButton = toggle("Cine", "Play the slices (C)", () => this.toggleCine());
    this.speed = choice(
      [["6", "6 / s"], ["12", "12 / s"], ["24", "24 / s"]],
      { "aria-label": "Slices a second in cine", title: "Slices a second in cine" },
      "12",
    );
    this.speed.addEventListener("change", () => {
      for (const each of this.grid.viewports) {
        each.framesPerSecond = Number(this.speed?.value);
        if (each.isPlaying) {
          each.stop();
          each.play();
        }
      }
    });
    this.tools = /** @type {const} */ (["window", "pan", "zoom"]).map((tool) => ({
      tool,
      button: toggle(tool === "window" ? "Window" : tool === "pan" ? "Pan" : "Zoom", `The left button ${TOOL_HINTS[tool]}`, () => this.setTool(tool)),
    }));
    return toolbar(
      "Image tools",
      this.layoutChoice,
      this.linkButton,
      gap(),
      this.tools.map((each) => each.button),
      this.presetChoice,
      this.invertButton,
      button("Reset", "As it was at first (R)", () => this.grid.active.reset()),
      gap(),
      this.cineButton,
      this.speed,
      gap(),
      button("Pop out", "Images in a second window (O)", () => this.openSecondWindow()),
      button("Undo", "Undo (Ctrl + Z)", () => this.undo()),
      button("Redo", "Redo (Ctrl + Shift + Z)", () => this.redo()),
    );
  }

  async begin() {
    const { model, grid } = this;
    model.addEventListener("changed", () => this.#drawSoon());
    model.addEventListener("selected", () => {
      grid.goToLesion();
      this.windows.tellSelected(model.selected);
    });
    model.addEventListener("saved", () => this.windows.tellChanged());
    model.addEventListener("conflict", (event) => void this.decide(/** @type {CustomEvent} */ (event).detail));
    model.addEventListener("failed", (event) => problem(/** @type {CustomEvent} */ (event).detail));
    this.suggestions.addEventListener("changed", () => this.#drawSoon());
    grid.suggestedOn = (frame) => this.suggestions.on(frame, model.selected, this.isChosenDrawn);
    if (!model.isBaseline && !model.isSigned) this.suggestions.findPlaces().catch(() => undefined); // marks for the eye: read on without
    grid.addEventListener("active", () => this.#drawTools());
    grid.addEventListener("handle", (event) => this.#moveHandle(/** @type {CustomEvent} */ (event).detail));
    grid.addEventListener("misplaced", () => this.#refuseFrame());
    const first = model.rows().find((row) => row.standing === "empty") ?? model.rows()[0];
    model.selected = first?.id ?? null;
    this.#draw();
    await grid.hang();
    this.#draw();
    this.#drawTools();
    grid.active.element.focus({ preventScroll: true });
  }

  end() {
    this.unbind();
    this.#keepNudge();
    this.grid.close();
    this.suggestions.close();
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
    const planeOf = (/** @type {AxisBody} */ axis) => this.library.frameOf(axis)?.plane ?? null;
    keepFocus(this.table, () =>
      drawLesionTable(this.table, this.model, { planeOf, select: (id) => this.select(id), add: (role) => void this.add(role) }),
    );
    keepFocus(this.card, () =>
      drawLesionCard(this.card, this.model, {
        planeOf,
        draw: (axes, fragment) => this.startDrawing(axes, fragment),
        decideConflict: (id) => void this.decide(id),
      }),
    );
    keepFocus(this.suggestion, () => this.#drawSuggestion());
    keepFocus(this.verdict, () => drawVerdict(this.verdict, this.model));
    keepFocus(this.closing, () => this.#drawEnd());
    this.#drawSaving();
    this.#drawGuide();
    this.grid.drawOverlays();
  }

  #drawSuggestion() {
    const { model, suggestions } = this;
    drawSuggestionCard(
      this.suggestion,
      suggestions,
      { lesionId: model.selected, mayPropose: this.mayPropose, isDrawn: this.isChosenDrawn },
      {
        point: (points) => this.propose(points),
        accept: () => this.acceptProposal(),
        reject: () => void this.rejectProposal(),
        goToPlace: () => this.goToExpectedPlace(),
        uptake: () => void this.openUptake(),
      },
    );
  }

  #drawEnd() {
    const { signature } = this.model.read;
    if (signature) {
      fill(
        this.closing,
        h("p", { class: "note good" }, `Signed by ${signature.printed_name}, ${instantName(signature.signed_at)}: ${signature.meaning}`),
        h("a", { class: "button", href: "#/worklist", "data-focus": "worklist" }, "Back to the worklist"),
      );
      return;
    }
    const count = this.model.read.gaps.length;
    fill(
      this.closing,
      h("strong", { class: "brief" }, briefly(this.model)),
      h("span", { class: "muted" }, count ? `${count} ${count === 1 ? "gap" : "gaps"} before it can be signed` : "nothing is missing"),
      h("button", { type: "button", class: "primary", "data-focus": "sign", title: "Sign (Ctrl + Enter)", onclick: () => void this.sign() }, "Sign …"),
    );
  }

  #drawSaving() {
    const { outbox, unsavedCount, isSigned } = this.model;
    const unfinished = Object.keys(outbox.box.unfinished).length;
    const [text, kind] = isSigned
      ? ["Signed and locked", "good"]
      : outbox.conflicts.size
        ? ["Changed in another window", "bad"]
        : outbox.isUnreachable && outbox.count
          ? [`${unsavedCount} not saved: no connection`, "bad"]
          : outbox.count
            ? ["Saving …", "warn"]
            : Object.keys(outbox.box.refused).length
              ? ["Not accepted", "bad"]
              : unfinished
                ? [`${unfinished} not finished`, "warn"]
                : ["All saved", "good"];
    if (this.saving.textContent !== text) fill(this.saving, text);
    this.saving.className = `saving ${kind}`;
  }

  #drawGuide() {
    const { session } = this;
    const text = session instanceof SeedSession ? session.guide : session?.current ? drawingGuide(session) : restingGuide(this.model);
    if (this.guide.textContent !== text) fill(this.guide, text);
    this.guide.classList.toggle("is-on", session?.current != null);
    for (const each of this.grid.viewports) each.element.classList.toggle("is-drawing", Boolean(session) && each.timepointId === this.model.read.timepoint_id);
  }

  #drawTools() {
    const viewport = this.grid.active;
    const presets = presetsOf(viewport.source?.modality ?? null);
    if (this.presetChoice && this.presetChoice.options.length !== presets.length + 1) {
      fill(this.presetChoice, h("option", { value: "" }, "Preset"), presets.map((each, place) => h("option", { value: String(place) }, `${place + 1} ${each.name}`)));
    }
    for (const { tool, button } of this.tools ?? []) press(button, tool === this.grid.tool);
    if (this.linkButton) press(this.linkButton, this.grid.isLinked);
    if (this.invertButton) press(this.invertButton, viewport.isInverted);
    if (this.cineButton) press(this.cineButton, viewport.isPlaying);
  }

  // ---- the images ----

  /** @param {import("../viewport/viewport.js").Tool} tool */
  setTool(tool) {
    this.grid.tool = tool;
    this.#drawTools();
  }

  toggleLink() {
    this.grid.link(!this.grid.isLinked);
    announce(this.grid.isLinked ? "The viewports scroll together." : "Each viewport scrolls alone.");
    this.#drawTools();
  }

  invert() {
    this.grid.active.invert();
    this.#drawTools();
  }

  toggleCine() {
    this.grid.active.framesPerSecond = Number(this.speed?.value ?? 12);
    this.grid.active.play();
    this.#drawTools();
  }

  /** Open a window with images alone, for a second screen. */
  openSecondWindow() {
    open(`${location.pathname}#/timepoints/${this.model.read.timepoint_id}/images`, "_blank", "popup,width=1600,height=1200");
  }

  /** @param {number} place From 0. */
  usePreset(place) {
    const name = this.grid.active.usePreset(place);
    if (this.presetChoice) this.presetChoice.value = "";
    if (name) announce(`Window: ${name}.`);
  }

  /** Another layout; what is drawn stays. */
  async nextLayout() {
    const names = LAYOUTS.map(([name]) => name);
    const next = names[(names.indexOf(this.grid.layout) + 1) % names.length] ?? "1x1";
    if (this.layoutChoice) this.layoutChoice.value = next;
    await this.grid.setLayout(next);
    this.grid.active.element.focus({ preventScroll: true });
  }

  /** @param {number} step */
  async nextPhase(step) {
    const viewport = this.grid.active;
    if (!viewport.source) return;
    const { sources } = await this.library.of(viewport.timepointId);
    const next = neighbourPhase(sources, viewport.source, step);
    if (next) this.grid.showSource(viewport, next);
    announce(next ? next.title : "There is no other phase.");
  }

  /** @param {number} step */
  async nextSeries(step) {
    const viewport = this.grid.active;
    if (!viewport.source) return;
    const { sources } = await this.library.of(viewport.timepointId);
    const next = sources[sources.findIndex((each) => each.key === viewport.source?.key) + step];
    if (next) this.grid.showSource(viewport, next);
    announce(next ? next.title : "There is no other series.");
  }

  /** @param {number} step */
  nextViewport(step) {
    const { viewports, active } = this.grid;
    viewports.at((viewports.indexOf(active) + step) % viewports.length)?.element.focus({ preventScroll: true });
  }

  // ---- the lesions ----

  /** @param {string} lesionId */
  select(lesionId) {
    if (this.session && this.session.lesionId !== lesionId) this.stopDrawing();
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
    this.stopDrawing();
    const name = await askForLesion(this.model, role);
    if (!name) return;
    this.model.select(name);
    if (role === "target") this.startDrawing(["long", "short"], 0);
  }

  /** Put the focus on the selected lesion's states. */
  focusStates() {
    const pressed = this.card.querySelector('[data-focus^="state "][aria-pressed="true"]') ?? this.card.querySelector('[data-focus^="state "]');
    if (pressed instanceof HTMLElement) pressed.focus();
  }

  // ---- drawing ----

  /** Draw the axis that counts alone. */
  drawCounted() {
    const id = this.model.selected;
    if (id) this.startDrawing([this.model.row(id).isNodal ? "short" : "long"], this.#openFragment(id));
  }

  drawBoth() {
    const id = this.model.selected;
    if (id) this.startDrawing(["long", "short"], this.#openFragment(id));
  }

  /**
   * The first fragment of a split lesion that is not measured; 0 for a whole one.
   *
   * @param {string} lesionId
   */
  #openFragment(lesionId) {
    const body = this.model.body(lesionId);
    if (body?.state !== "split") return 0;
    const place = body.fragments.findIndex((each) => !each.long_axis && !each.short_axis);
    return place < 0 ? 1 : place + 1;
  }

  /**
   * Begin to draw the selected lesion.
   *
   * @param {AxisName[]} axes
   * @param {number} fragment
   */
  startDrawing(axes, fragment) {
    const lesionId = this.model.selected;
    const viewport = this.grid.drawable;
    if (!lesionId || this.model.isSigned) return;
    if (!viewport) {
      note("No viewport shows the timepoint that is read. Choose it in one of them.", "warn");
      return;
    }
    this.stopDrawing();
    const body = this.model.body(lesionId);
    const long = body && axesFor(body, fragment).long_axis;
    const isAfterLong = axes.length === 1 && axes[0] === "short" && long !== null;
    const frame = isAfterLong && long ? this.library.frameOf(long) : null;
    const session = new DrawingSession({ lesionId, fragment, axes, frame });
    session.addEventListener("moved", () => this.#drawGuideAndOverlays());
    session.addEventListener("axis", (event) => this.#enterAxis(session, /** @type {CustomEvent} */ (event).detail));
    session.addEventListener("ended", () => this.stopDrawing());
    this.session = session;
    this.grid.session = session;
    if (frame) {
      const index = viewport.source?.stack.frames.findIndex((each) => each.key === frame.key) ?? -1;
      if (index >= 0) viewport.scrollTo(index);
    }
    viewport.element.focus({ preventScroll: true });
    this.#drawGuideAndOverlays();
    if (viewport.steadyFrame && !viewport.steadyFrame.plane) this.#refuseFrame();
  }

  stopDrawing() {
    this.session = null;
    this.grid.session = null;
    for (const each of this.grid.viewports) each.cross = null;
    this.#drawGuideAndOverlays();
  }

  #drawGuideAndOverlays() {
    this.#drawGuide();
    this.grid.drawOverlays();
  }

  #refuseFrame() {
    const frame = this.grid.drawable?.steadyFrame;
    if (!frame) return;
    note(
      frame.plane
        ? "The other axis lies on another slice; both are wanted on one. G goes there."
        : `Nothing can be measured on this frame. ${frame.refused ?? "Its geometry is not known."}`,
      "warn",
    );
  }

  /**
   * @param {DrawingSession} session
   * @param {AxisName} name
   */
  #enterAxis(session, name) {
    const { frame, drawn, lesionId, fragment, axes } = session;
    const line = drawn[name];
    if (!frame?.plane || !line) return;
    const role = this.model.row(lesionId).role;
    const before = this.model.body(lesionId) ?? emptyBody(role, "");
    const state = hasAxes(role, before.state) ? before.state : ({ target: "measured", non_target: "present", new: "equivocal" })[role];
    /** @type {AxisBody} */
    const axis = {
      sop_instance_uid: frame.instance,
      frame: frame.frame,
      points: line,
      claimed_mm: Number(lengthMm(frame.plane, line).toFixed(2)),
    };
    const old = axesFor(before, fragment);
    const isLater = axes[0] !== name || (axes.length === 1 && name === "short" && old.long_axis?.sop_instance_uid === frame.instance && old.long_axis.frame === frame.frame);
    const kept = isLater ? old : { long_axis: null, short_axis: null };
    const next = { ...kept, [`${name}_axis`]: axis };
    this.model.enter(lesionId, withAxes({ ...before, state }, fragment, next));
    announce(`${lesionId}, ${name} axis ${axis.claimed_mm?.toFixed(1)} millimetres.`);
  }

  /**
   * A point was moved by the hand.
   *
   * @param {{ name: string, pixel: Pixel, isFinal: boolean }} detail
   */
  #moveHandle({ name, pixel, isFinal }) {
    const found = this.#handle(name);
    if (!found) return;
    this.grid.moving = { ...found, line: found.end ? [found.line[0], pixel] : [pixel, found.line[1]] };
    if (isFinal) this.#keepNudge();
    else this.grid.drawOverlays();
  }

  /** @param {string} name As the overlay names its handles. */
  #handle(name) {
    const [lesionId = "", fragment = "0", axis = "long", end = "0"] = name.split(" ");
    const body = this.model.body(lesionId);
    const kind = /** @type {AxisName} */ (axis);
    const drawn = body && axesFor(body, Number(fragment))[`${kind}_axis`];
    if (!drawn || this.model.isSigned) return null;
    const { moving } = this.grid;
    const isMoving = moving?.lesionId === lesionId && moving.fragment === Number(fragment) && moving.axis === kind;
    return { lesionId, fragment: Number(fragment), axis: kind, end: Number(end), drawn, line: isMoving ? moving.line : drawn.points };
  }

  /**
   * Move the focused handle, if there is one, by some pixels.
   *
   * @param {[number, number]} by
   */
  nudge(by) {
    const focused = document.activeElement;
    const name = focused instanceof SVGElement ? focused.dataset["handle"] : undefined;
    const found = name ? this.#handle(name) : null;
    if (!found) return false;
    const frame = this.library.frameOf(found.drawn);
    if (!frame) return false;
    const pixel = moved(/** @type {Pixel} */ (found.line[found.end]), by, frame);
    this.grid.moving = { ...found, line: found.end ? [found.line[0], pixel] : [pixel, found.line[1]] };
    this.grid.drawOverlays();
    clearTimeout(this.nudging);
    this.nudging = setTimeout(() => this.#keepNudge(), NUDGE_PAUSE_MS);
    return true;
  }

  /** Enter the line that was moved. */
  #keepNudge() {
    clearTimeout(this.nudging);
    const { moving } = this.grid;
    this.grid.moving = null;
    if (!moving) return;
    const body = this.model.body(moving.lesionId);
    const axes = body && axesFor(body, moving.fragment);
    const old = axes?.[`${moving.axis}_axis`];
    const plane = old && this.library.frameOf(old)?.plane;
    if (!body || !axes || !old || !plane) return;
    const axis = { ...old, points: moving.line, claimed_mm: Number(lengthMm(plane, moving.line).toFixed(2)) };
    this.model.enter(moving.lesionId, withAxes(body, moving.fragment, { long_axis: axes.long_axis, short_axis: axes.short_axis, [`${moving.axis}_axis`]: axis }));
    this.grid.drawOverlays();
  }

  /** Put the focus on the next handle of the selected lesion. */
  nextHandle() {
    const handles = /** @type {SVGElement[]} */ ([...this.grid.element.querySelectorAll("[data-handle]")]);
    const place = handles.indexOf(/** @type {SVGElement} */ (document.activeElement));
    const next = handles[(place + 1) % handles.length];
    if (next) next.focus({ preventScroll: true });
    else announce("There is nothing to move on this slice.");
  }

  /**
   * Move the cross of the keyboard.
   *
   * @param {[number, number]} by
   */
  moveCross(by) {
    const viewport = this.grid.drawable;
    const frame = viewport?.steadyFrame;
    if (!this.session || !viewport || !frame) return false;
    viewport.cross = moved(viewport.cross ?? this.#crossPlace(viewport), by, frame);
    if (this.session.start) this.session.moveTo(viewport.cross);
    viewport.drawOverlay();
    return true;
  }

  /**
   * Where the cross begins: in the middle of what is seen, on a pixel.
   *
   * @param {import("../viewport/viewport.js").Viewport} viewport
   * @returns {Pixel}
   */
  #crossPlace(viewport) {
    const [column, row] = viewport.view.toPixel(viewport.stage.clientWidth / 2, viewport.stage.clientHeight / 2);
    return [Math.round(column), Math.round(row)];
  }

  /** Set a point where the cross is. */
  setPointAtCross() {
    const viewport = this.grid.drawable;
    if (!this.session || !viewport) return false;
    const frame = viewport.steadyFrame;
    if (!frame || !this.session.takes(frame)) {
      this.#refuseFrame();
      return true;
    }
    const point = viewport.cross ?? this.#crossPlace(viewport);
    viewport.cross = point;
    announce(`Column ${point[0]}, row ${point[1]}.`);
    this.session.setPoint(frame, point);
    return true;
  }

  /** Leave what is being drawn: first the point, then the drawing. */
  escape() {
    if (this.session?.start) this.session.takeBack();
    else if (this.session) this.stopDrawing();
    else if (document.activeElement instanceof SVGElement) this.grid.active.element.focus({ preventScroll: true });
    else return false;
    return true;
  }

  // ---- suggestions ----

  /** Whether the chosen lesion has an axis in this read. */
  get isChosenDrawn() {
    const body = this.model.selected ? this.model.body(this.model.selected) : null;
    return Boolean(body && (body.long_axis || body.short_axis));
  }

  /** Whether the chosen lesion can be measured here. */
  get mayPropose() {
    const { model } = this;
    if (!model.selected || model.isSigned) return false;
    const body = model.body(model.selected);
    const role = model.row(model.selected).role;
    return body?.state ? body.state !== "split" && hasAxes(role, body.state) : true;
  }

  /**
   * Let the reader point at the chosen lesion.
   *
   * @param {1 | 2} points One inside it, or two corners of a box.
   */
  propose(points) {
    const lesionId = this.model.selected;
    const viewport = this.grid.drawable;
    if (!lesionId || !this.mayPropose) return;
    if (!viewport) {
      note("No viewport shows the timepoint that is read. Choose it in one of them.", "warn");
      return;
    }
    this.stopDrawing();
    const session = new SeedSession(lesionId, points);
    session.addEventListener("moved", () => this.#drawGuideAndOverlays());
    session.addEventListener("pointed", () => void this.#askForOutline(session, viewport.source?.minus?.frames[viewport.index] ?? null));
    session.addEventListener("ended", () => this.stopDrawing());
    this.session = session;
    this.grid.session = session;
    viewport.element.focus({ preventScroll: true });
    this.#drawGuideAndOverlays();
  }

  /**
   * @param {SeedSession} session
   * @param {import("../geometry/stack.js").FrameRef | null} minus
   */
  async #askForOutline({ lesionId, frame, points }, minus) {
    if (!frame) return;
    try {
      const { long_mm: long, short_mm: short, confidence } = await this.suggestions.ask(lesionId, frame, points, minus);
      announce(`Proposed: ${long.toFixed(1)} by ${short.toFixed(1)} millimetres, ${confidence === "doubtful" ? "in doubt" : "two methods agree"}.`);
    } catch (error) {
      note(error instanceof Error ? error.message : String(error), "warn");
    }
  }

  /** Enter the proposed axes as the reader's own. */
  acceptProposal() {
    const { proposal } = this.suggestions;
    if (!proposal || !this.mayPropose) return;
    const frame = this.library.frameOf(proposal);
    if (!frame?.plane) return;
    const { plane } = frame;
    const role = this.model.row(proposal.lesion_id).role;
    const before = this.model.body(proposal.lesion_id) ?? emptyBody(role, "");
    const state = hasAxes(role, before.state) ? before.state : ({ target: "measured", non_target: "present", new: "equivocal" })[role];
    const axis = (/** @type {import("../geometry/calipers.js").Line} */ line) => ({
      sop_instance_uid: frame.instance,
      frame: frame.frame,
      points: line,
      claimed_mm: Number(lengthMm(plane, line).toFixed(2)),
    });
    this.model.enter(proposal.lesion_id, withAxes({ ...before, state }, 0, { long_axis: axis(proposal.long_axis), short_axis: axis(proposal.short_axis) }));
    this.suggestions.clear();
    announce(`${proposal.lesion_id}: the proposed axes are taken over.`);
  }

  async rejectProposal() {
    try {
      await this.suggestions.reject();
      announce("The proposal is rejected.");
    } catch (error) {
      problem(error);
    }
  }

  /** Compute functional tumour volume from the dynamic acquisition that is shown. */
  async openUptake() {
    const { model, library } = this;
    try {
      const { sources } = await library.of(model.read.timepoint_id);
      const phases = phasesOf(sources, this.grid.drawable?.source ?? null);
      if (phases.length) await showUptake(model.read.read_id, phases, this.#aroundChosen(), model.isSigned);
      else note("This needs a dynamic acquisition of three phases, each a series of its own; show one of its phases first.", "warn");
    } catch (error) {
      problem(error);
    }
  }

  /**
   * A box around the chosen lesion, half as large again.
   *
   * @returns {[Pixel, Pixel] | null}
   */
  #aroundChosen() {
    const body = this.model.selected ? this.model.body(this.model.selected) : null;
    const points = [body?.long_axis, body?.short_axis].flatMap((axis) => axis?.points ?? []);
    if (points.length < 2) return null;
    const [columns, rows] = [points.map(([column]) => column), points.map(([, row]) => row)];
    const reach = 0.75 * Math.max(Math.max(...columns) - Math.min(...columns), Math.max(...rows) - Math.min(...rows));
    const [column, row] = [(Math.max(...columns) + Math.min(...columns)) / 2, (Math.max(...rows) + Math.min(...rows)) / 2];
    return [[column - reach, row - reach], [column + reach, row + reach]];
  }

  /** Show where the chosen lesion is expected, in a viewport of the timepoint that is read. */
  goToExpectedPlace() {
    const place = this.suggestions.places.get(this.model.selected ?? "");
    const viewport = this.grid.drawable;
    if (!place?.sop_instance_uid || place.frame === null || !viewport) return;
    void this.#showFrame(viewport, { sop_instance_uid: place.sop_instance_uid, frame: place.frame });
  }

  /**
   * @param {import("../viewport/viewport.js").Viewport} viewport
   * @param {{ sop_instance_uid: string, frame: number }} wanted
   */
  async #showFrame(viewport, wanted) {
    const frame = this.library.frameOf(wanted);
    if (!frame) return;
    const { sources } = await this.library.of(viewport.timepointId);
    const holds = (/** @type {import("../image/source.js").ImageSource} */ source) => source.stack.frames.some((each) => each.key === frame.key);
    const source = viewport.source && holds(viewport.source) ? viewport.source : sources.find((each) => !each.minus && holds(each));
    if (!source) return;
    if (source.key !== viewport.source?.key) this.grid.showSource(viewport, source);
    viewport.scrollTo(source.stack.frames.findIndex((each) => each.key === frame.key));
  }

  // ---- the record ----

  undo() {
    this.#keepNudge();
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
    this.#keepNudge();
    this.stopDrawing();
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

  /** Whether the page is to be drawn before the next picture. */
  isDrawWanted = false;
}

/**
 * Say what the next act of a drawing is.
 *
 * @param {DrawingSession} session
 */
function drawingGuide({ lesionId, fragment, start, current, drawn }) {
  const part = fragment ? `, fragment ${fragment}` : "";
  const leave = drawn.long ? "leaves it with the long axis" : "ends";
  return `${lesionId}${part}: set the ${start ? "end" : "start"} of the ${current} axis, by the mouse or by arrows and Enter. Esc ${leave}.`;
}

/**
 * Say what can be done with the lesion that is chosen.
 *
 * @param {ReadModel} model
 */
function restingGuide(model) {
  if (model.isSigned) return "The read is signed; nothing in it changes.";
  const add = model.isBaseline ? "N adds a target, M a non-target" : "N adds a new lesion";
  return model.selected
    ? `${model.selected}: B draws both axes, D the one that counts, X goes to its states, J to the next lesion. ${add}. ? shows every key.`
    : `${add}. ? shows every key.`;
}

/**
 * The response and the sum in a few letters, which stay in sight while the panel scrolls.
 *
 * @param {ReadModel} model
 */
function briefly({ verdict }) {
  const timepoint = verdict?.timepoint;
  const sum = (timepoint ?? verdict?.baseline)?.sum_of_diameters?.mm;
  return [timepoint?.overall_response, sum && `${sum} mm`].filter(Boolean).join(" · ");
}

const TOOL_HINTS = { window: "sets the window (W)", pan: "moves the image (P)", zoom: "zooms (Z)" };
