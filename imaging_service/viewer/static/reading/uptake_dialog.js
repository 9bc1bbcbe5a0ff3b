// Functional tumour volume of a dynamic acquisition: which series are its phases, and what was computed.

import { get, write } from "../api/client.js";
import { openDialog } from "../components/dialog.js";
import { choice, field, fill, h } from "../components/element.js";
import { instantName } from "./words.js";

/** @typedef {import("../api/types.js").Pixel} Pixel */
/** @typedef {import("../image/source.js").ImageSource} ImageSource */
/** @typedef {{ volume_ml: number, median_signal_enhancement_ratio: number | null, thresholds: Record<string, string>, computed_at: string }} Uptake */

/**
 * Return the phases of a dynamic acquisition, each a series of its own; fewer than three are none.
 *
 * @param {ImageSource[]} sources
 * @param {ImageSource | null} shown
 */
export function phasesOf(sources, shown) {
  if (!shown || shown.dynamic === null) return [];
  const phases = sources.filter((each) => each.dynamic === shown.dynamic && !each.minus);
  const series = new Set(phases.map(seriesOf));
  return phases.length >= 3 && series.size === phases.length ? phases : [];
}

/**
 * @param {string} readId
 * @param {ImageSource[]} phases
 * @param {[Pixel, Pixel] | null} region Around the chosen lesion.
 * @param {boolean} isSigned
 */
export async function showUptake(readId, phases, region, isSigned) {
  const path = `/reads/${readId}/uptakes`;
  /** @type {Uptake[]} */
  const known = await get(path);
  const found = h("div", { role: "status" }, known.map(told));
  const options = phases.map((each) => /** @type {[string, string]} */ ([seriesOf(each), each.title]));
  const [before, early, late] = [0, 1, phases.length - 1].map((place) => choice(options, {}, options[place]?.[0]));
  const area = choice(region ? [["lesion", "around the chosen lesion"], ["all", "the whole images"]] : [["all", "the whole images"]]);
  if (!before || !early || !late) return;
  openDialog({
    title: "Functional tumour volume",
    isWide: true,
    body: [
      h("p", { class: "muted" }, "An exploratory value: no response follows from it."),
      ...(isSigned ? [] : [field("Before contrast", before), field("Early phase", early), field("Late phase", late), field("Where", area)]),
      found,
    ],
    ...(isSigned ? {} : { submit: "Compute" }),
    cancel: "Close",
    onSubmit: async () => {
      const answer = /** @type {Uptake} */ (
        await write("POST", path, {
          body: { before: before.value, early: early.value, late: late.value, ...(area.value === "lesion" && region ? { region } : {}) },
        })
      );
      known.push(answer);
      fill(found, ...known.map(told));
      return false;
    },
  });
}

/** @param {ImageSource} source */
function seriesOf(source) {
  return source.stack.frames[0]?.series ?? "";
}

/** @param {Uptake} each */
function told(each) {
  const ratio = each.median_signal_enhancement_ratio;
  const { min_percentage_enhancement: rise, background_fraction: tissue, min_neighbours: neighbours } = each.thresholds;
  return h(
    "p",
    { class: "note" },
    h("strong", {}, `${each.volume_ml.toFixed(2)} ml`),
    ratio === null ? "" : `, signal enhancement ratio ${ratio.toFixed(2)}`,
    h("span", { class: "muted" }, ` · rise of ${rise} %, tissue from ${tissue} of the background, ${neighbours} neighbours · ${instantName(each.computed_at)}`),
  );
}
