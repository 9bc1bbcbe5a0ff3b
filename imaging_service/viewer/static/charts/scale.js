// From values to places on a drawing, and where the ticks stand.

/**
 * @typedef {object} Scale
 * @property {(value: number) => number} at
 * @property {number[]} ticks
 */

const STEPS = [1, 2, 2.5, 5, 10];

/**
 * A linear scale.
 *
 * @param {[number, number]} values Smallest and greatest.
 * @param {[number, number]} places Where those two stand, in units of the drawing.
 * @param {number} [wanted] About how many ticks.
 * @returns {Scale}
 */
export function linear(values, places, wanted = 6) {
  const [low, high] = values;
  const span = high - low || 1;
  return {
    at: (value) => places[0] + ((value - low) / span) * (places[1] - places[0]),
    ticks: ticksBetween(low, low + span, wanted),
  };
}

/**
 * Round values between two, both included where they are round themselves.
 *
 * @param {number} low
 * @param {number} high
 * @param {number} wanted
 * @returns {number[]}
 */
export function ticksBetween(low, high, wanted) {
  const rough = (high - low) / Math.max(wanted, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = (STEPS.find((each) => each * power >= rough) ?? 10) * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/**
 * Ticks at whole multiples, such as every six weeks of imaging.
 *
 * @param {number} high
 * @param {number} step
 * @param {number} most
 * @returns {number[]}
 */
export function multiples(high, step, most) {
  const stride = step * Math.max(1, Math.ceil(high / step / most));
  return Array.from({ length: Math.floor(high / stride) + 1 }, (_, index) => index * stride);
}
