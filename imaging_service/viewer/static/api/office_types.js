// The shapes of the service's answers that the office pages read; the OpenAPI document has them all.

/**
 * @typedef {object} CalendarTimepoint
 * @property {string} timepoint_id
 * @property {number | null} number
 * @property {string} name
 * @property {string} status
 * @property {string | null} nominal_on
 * @property {string | null} opens_on
 * @property {string | null} closes_on
 * @property {string | null} imaged_on
 * @property {string | null} placement
 * @property {boolean} is_after_end
 * @property {string | null} control
 * @property {number} late_instances
 * @property {number | null} days_overdue
 * @property {string | null} not_done_reason
 */

/** @typedef {{ slot: number, response: string, responded_on: string, earliest_on: string, number: number | null, closes_on: string | null }} Confirmation */

/**
 * @typedef {object} SubjectCalendar
 * @property {string} subject_id
 * @property {string} site_id
 * @property {string | null} anchor_on
 * @property {string | null} closed_on
 * @property {string | null} closed_by
 * @property {string | null} central_progression_on
 * @property {number} open_queries
 * @property {CalendarTimepoint | null} next_due
 * @property {Confirmation[]} confirmations
 * @property {CalendarTimepoint[]} timepoints
 */

/** @typedef {{ subjects: number, timepoints: Record<string, number>, control: Record<string, number>, unmatched_studies: number }} Counts */

/**
 * @typedef {object} Study
 * @property {string} study_instance_uid
 * @property {string} state
 * @property {string} code
 * @property {string} reason
 * @property {string | null} confidence
 * @property {string | null} site_id
 * @property {string | null} subject_id
 * @property {string | null} timepoint_id
 * @property {string[]} patient_ids
 * @property {string | null} study_date
 * @property {string[]} modalities
 * @property {string} protocol_tag
 * @property {string} subject_tag
 * @property {number} series
 * @property {number} instances
 * @property {number} conflicts
 * @property {string} received_at
 * @property {string | null} settled_at
 * @property {number} version
 * @property {string | null} thumbnail
 */

/** @typedef {{ version: number, state: string, code: string, reason: string, subject_id: string | null, decided_by: string, decided_at: string }} StudyDecision */
/** @typedef {{ code: string, rule: string, sentence: string, found: string, wanted: string, severity: string }} ControlFinding */

/**
 * @typedef {object} Control
 * @property {string} timepoint_id
 * @property {string} site_id
 * @property {string} subject_id
 * @property {number | null} number
 * @property {string | null} imaged_on
 * @property {string | null} state
 * @property {number} late_instances
 * @property {number} blocking
 * @property {ControlFinding[]} findings
 * @property {string | null} controlled_at
 * @property {number} version
 */

/** @typedef {{ version: number, before: string | null, after: string | null, cause: string, reason: string | null, changed_by: string, changed_at: string }} ControlStep */
/** @typedef {{ version: number, deed: string, state: string, text: string, due_on: string, said_by_name: string, said_at: string }} QueryEntry */

/**
 * @typedef {object} SiteQuery
 * @property {string} query_id
 * @property {number} number
 * @property {string} site_id
 * @property {string | null} subject_id
 * @property {string | null} timepoint_id
 * @property {string | null} study_instance_uid
 * @property {string} code
 * @property {string} text
 * @property {string} state
 * @property {string} due_on
 * @property {number | null} days_overdue
 * @property {string} asked_at
 * @property {number} version
 */

/** @typedef {SiteQuery & { entries: QueryEntry[] }} WholeQuery */
/** @typedef {{ grant_id: string, trial_id: string, site_id: string | null, reader_slot: number | null }} HeldGrant */
/** @typedef {{ account_id: string, account: string, name: string, roles: string[], grants: HeldGrant[], created_at: string, closed_at: string | null }} Account */
/** @typedef {{ sequence: number, at: string, account_id: string | null, actor: string, action: string, entity: string, entity_id: string, before: Record<string, unknown> | null, after: Record<string, unknown> | null, reason: string | null, hash: string }} AuditEntry */

export {};
