// How the page says what the service's codes mean.

/** @param {number | null} number */
export function timepointName(number) {
  if (number === null) return "Unscheduled";
  return number === 0 ? "Baseline" : `Timepoint ${number}`;
}

/** @param {string} iso Such as 2024-03-01. */
export function dayName(iso) {
  const [year, month, day] = iso.split("-").map(Number);
  return new Date(Date.UTC(year ?? 0, (month ?? 1) - 1, day)).toLocaleDateString("en-GB", {
    day: "numeric", month: "short", year: "numeric", timeZone: "UTC",
  });
}

/** @param {string} iso */
export function instantName(iso) {
  return `${new Date(iso).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" })} UTC`;
}

/** @type {Record<string, string>} */
const STATES = {
  measured: "measured",
  too_small: "too small to measure",
  absent: "absent",
  not_evaluable: "not evaluable",
  split: "split",
  merged: "merged",
  present: "present",
  progressed: "progressed",
  equivocal: "equivocal",
  unequivocal: "unequivocal",
  refuted: "refuted",
};

/** @param {string} state */
export function stateName(state) {
  return STATES[state] ?? state;
}

/** @type {Record<string, string>} */
const RESPONSES = {
  CR: "complete response",
  PR: "partial response",
  SD: "stable disease",
  PD: "progressive disease",
  NE: "not evaluable",
  NED: "no evidence of disease",
  NA: "not applicable",
  "NON-CR/NON-PD": "neither complete response nor progression",
};

/** @param {string} code */
export function responseName(code) {
  return RESPONSES[code] ?? code;
}
