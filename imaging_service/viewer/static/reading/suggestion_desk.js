// What the reader does with suggestions: asks for an outline, takes it over or not, looks where a lesion is expected.

import { announce, note, problem } from "../components/status.js";
import { SeedSession } from "../drawing/seed_session.js";
import { axisOn, bodyToDraw, hasAxes, withAxes } from "./entry.js";
import { drawSuggestionCard } from "./suggestion_card.js";
import { Suggestions } from "./suggestions.js";
import { phasesOf, showUptake } from "./uptake_dialog.js";

/** @typedef {import("../api/types.js").Pixel} Pixel */
/** @typedef {import("../viewport/viewport.js").Viewport} Viewport */

export class SuggestionDesk {
  /** @param {import("./drawing_desk.js").DrawingDesk} desk */
  constructor(desk) {
    this.desk = desk;
    this.model = desk.model;
    this.grid = desk.grid;
    this.library = desk.library;
    this.suggestions = new Suggestions(this.model.read.read_id);
    this.grid.suggestedOn = (frame) => this.suggestions.on(frame, this.model.selected, this.isChosenDrawn);
  }

  /** Have the places computed where known lesions are expected; they are marks for the eye, one reads on without. */
  begin() {
    if (!this.model.isBaseline && !this.model.isSigned) this.suggestions.findPlaces().catch(() => undefined);
  }

  /** @param {HTMLElement} host */
  draw(host) {
    drawSuggestionCard(
      host,
      this.suggestions,
      { lesionId: this.model.selected, mayPropose: this.mayPropose, isDrawn: this.isChosenDrawn },
      {
        point: (points) => this.propose(points),
        accept: () => this.accept(),
        reject: () => void this.reject(),
        goToPlace: () => this.goToPlace(),
        uptake: () => void this.openUptake(),
      },
    );
  }

  get #chosenBody() {
    return this.model.selected ? this.model.body(this.model.selected) : null;
  }

  /** Whether the chosen lesion has an axis in this read. */
  get isChosenDrawn() {
    const body = this.#chosenBody;
    return Boolean(body && (body.long_axis || body.short_axis));
  }

  /** Whether the chosen lesion can be measured here. */
  get mayPropose() {
    const { model } = this;
    if (!model.selected || model.isSigned) return false;
    const body = this.#chosenBody;
    return body?.state ? body.state !== "split" && hasAxes(model.row(model.selected).role, body.state) : true;
  }

  /**
   * Let the reader point at the chosen lesion.
   *
   * @param {1 | 2} points One inside it, or two corners of a box.
   */
  propose(points) {
    const lesionId = this.model.selected;
    if (!lesionId || !this.mayPropose) return;
    const viewport = this.desk.findViewport();
    if (!viewport) return;
    this.desk.stop();
    const session = new SeedSession(lesionId, points);
    session.addEventListener("pointed", () => void this.#ask(session, viewport.source?.minus?.frames[viewport.index] ?? null));
    this.desk.take(session, viewport);
  }

  /**
   * @param {SeedSession} session
   * @param {import("../geometry/stack.js").FrameRef | null} minus
   */
  async #ask({ lesionId, frame, points }, minus) {
    if (!frame) return;
    try {
      const { long_mm: long, short_mm: short, confidence } = await this.suggestions.ask(lesionId, frame, points, minus);
      announce(`Proposed: ${long.toFixed(1)} by ${short.toFixed(1)} millimetres, ${confidence === "doubtful" ? "in doubt" : "two methods agree"}.`);
    } catch (error) {
      note(error instanceof Error ? error.message : String(error), "warn");
    }
  }

  /** Enter the proposed axes as the reader's own. */
  accept() {
    const { proposal } = this.suggestions;
    if (!proposal || !this.mayPropose) return;
    const frame = this.library.frameOf(proposal);
    if (!frame?.plane) return;
    const before = bodyToDraw(this.model.row(proposal.lesion_id).role, this.model.body(proposal.lesion_id));
    const axes = { long_axis: axisOn(frame, frame.plane, proposal.long_axis), short_axis: axisOn(frame, frame.plane, proposal.short_axis) };
    this.model.enter(proposal.lesion_id, withAxes(before, 0, axes));
    this.suggestions.clear();
    announce(`${proposal.lesion_id}: the proposed axes are taken over.`);
  }

  async reject() {
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
    const body = this.#chosenBody;
    const points = [body?.long_axis, body?.short_axis].flatMap((axis) => axis?.points ?? []);
    if (points.length < 2) return null;
    const [columns, rows] = [points.map(([column]) => column), points.map(([, row]) => row)];
    const reach = 0.75 * Math.max(Math.max(...columns) - Math.min(...columns), Math.max(...rows) - Math.min(...rows));
    const [column, row] = [(Math.max(...columns) + Math.min(...columns)) / 2, (Math.max(...rows) + Math.min(...rows)) / 2];
    return [[column - reach, row - reach], [column + reach, row + reach]];
  }

  /** Show where the chosen lesion is expected, in a viewport of the timepoint that is read. */
  goToPlace() {
    const place = this.suggestions.places.get(this.model.selected ?? "");
    const viewport = this.grid.drawable;
    if (!place?.sop_instance_uid || place.frame === null || !viewport) return;
    void this.#showFrame(viewport, { sop_instance_uid: place.sop_instance_uid, frame: place.frame });
  }

  /**
   * @param {Viewport} viewport
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
}
