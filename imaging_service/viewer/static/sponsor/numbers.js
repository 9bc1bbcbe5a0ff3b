// How figures are told.

/** @param {import("../api/trial_types.js").Share | import("../api/trial_types.js").Rate} share */
export function shareName(share) {
  if (share.estimate === null) return "none yet";
  return `${percent(share.estimate)} (${share.count} of ${share.of})`;
}

/** @param {{ lower: number | null, upper: number | null }} interval */
export function intervalName({ lower, upper }) {
  return lower === null || upper === null ? "–" : `${percent(lower)} to ${percent(upper)}`;
}

/** @param {number} share */
export function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}
