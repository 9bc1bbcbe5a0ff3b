// The shapes of the service's answers to an adjudicator; the OpenAPI document has them all.

/** @typedef {import("./types.js").LesionAnswer} LesionAnswer */
/** @typedef {import("./types.js").AxisAnswer} AxisAnswer */
/** @typedef {{ variable: string, reader_1: string | null, reader_2: string | null }} Difference */
/** @typedef {{ trial_id: string, reading_id: string, edition: number, differences: Difference[] }} CaseItem */

/**
 * @typedef {object} CaseRead
 * @property {string} read_id
 * @property {string} timepoint_id
 * @property {number | null} number
 * @property {string} imaged_on
 * @property {string | null} sum_mm
 * @property {string | null} target_response
 * @property {string | null} non_target_response
 * @property {string | null} new_lesion
 * @property {string | null} overall_response
 * @property {LesionAnswer[]} lesions
 */

/** @typedef {{ response: string, responded_on: string | null }} Best */
/** @typedef {{ reader: number, verdict: { best_overall: Best, confirmed_best_overall: Best, progression: { progressed_on: string } | null }, reads: CaseRead[] }} CaseReader */
/** @typedef {{ edition: number, chosen_reader: number, reason: string, printed_name: string, signed_at: string }} OwnDecision */
/** @typedef {CaseItem & { standing: string, evidence_sha256: string, readers: CaseReader[], decisions: OwnDecision[] }} Case */

export {};
