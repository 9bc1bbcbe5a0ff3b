// The words over an image: which slice, how it is shown, where the cross stands, and what is to be said.

import { fill, h } from "../components/element.js";

/** @typedef {import("../api/types.js").Pixel} Pixel */

export class Captions {
  constructor() {
    this.slice = h("span");
    this.look = h("span");
    this.cross = h("span");
    this.note = h("div", { class: "stage-note" });
    this.elements = [
      h("div", { class: "corner lower-left" }, this.slice),
      h("div", { class: "corner lower-right" }, this.look),
      h("div", { class: "corner upper-left" }, this.cross),
      this.note,
    ];
  }

  /** @param {string} sentence An empty one takes the note away. */
  say(sentence) {
    fill(this.note, sentence && h("p", {}, sentence));
  }

  /**
   * @param {import("../geometry/stack.js").FrameRef} ref
   * @param {number} index
   * @param {number} count
   */
  tellSlice(ref, index, count) {
    const place = ref.plane ? ` · ${ref.plane.offset.toFixed(1)} mm` : "";
    const thick = ref.thickness ? ` · ${ref.thickness} mm thick` : "";
    fill(this.slice, `${index + 1} / ${count}${place}${thick}`);
  }

  /**
   * @param {string} window
   * @param {number} zoom
   * @param {boolean} isInverted
   */
  tellLook(window, zoom, isInverted) {
    fill(this.look, `${window} · ${Math.round(zoom * 100)} %${isInverted ? " · inverted" : ""}`);
  }

  /** @param {Pixel | null} cross */
  tellCross(cross) {
    fill(this.cross, cross && `column ${cross[0].toFixed(1)}, row ${cross[1].toFixed(1)}`);
  }
}
