// The shapes of the service's answers that the pages read; the OpenAPI document has them all.

/** @typedef {{ account_id: string, account: string, name: string, roles: string[], everywhere: boolean }} Me */

/**
 * @typedef {object} WorklistItem
 * @property {string} trial_id
 * @property {string} reading_id
 * @property {string} timepoint_id
 * @property {number | null} number
 * @property {string} imaged_on
 * @property {number} slot
 * @property {string | null} read_id
 * @property {number} revision
 * @property {string | null} opened_at
 */

/** @typedef {[column: number, row: number]} Pixel Fractional; (0, 0) is the centre of the first pixel. */
/** @typedef {"target" | "non_target" | "new"} Role */
/** @typedef {{ code: string, sentence: string }} Finding */
/** @typedef {{ code: string, lesion_id: string, sentence: string }} Gap */

/**
 * @typedef {object} AxisAnswer
 * @property {"long" | "short"} axis
 * @property {number} fragment 0 for the whole lesion.
 * @property {string} series_instance_uid
 * @property {string} sop_instance_uid
 * @property {number} frame From 1.
 * @property {[Pixel, Pixel]} points
 * @property {number} length_mm
 * @property {number | null} claimed_mm
 * @property {string | null} reported_mm
 */

/**
 * @typedef {object} LesionAnswer
 * @property {string} lesion_id
 * @property {Role} role
 * @property {string} location
 * @property {string} organ
 * @property {boolean} is_nodal
 * @property {string} nature
 * @property {boolean} is_irradiated
 * @property {boolean} progressed_since_irradiation
 * @property {string} state
 * @property {string | null} reason
 * @property {string | null} merged_into
 * @property {string | null} diameter_mm
 * @property {AxisAnswer[]} axes
 * @property {Finding[]} findings
 * @property {number} version
 */

/**
 * @typedef {object} PriorAnswer
 * @property {string} lesion_id
 * @property {Role} role
 * @property {string} location
 * @property {string} organ
 * @property {boolean} is_nodal
 * @property {string | null} baseline_mm
 * @property {string | null} last_mm
 * @property {string} last_state
 */

/** @typedef {{ printed_name: string, role: string, meaning: string, signed_at: string, record_hash: string }} Signature */

/**
 * @typedef {object} ReadAnswer
 * @property {string} read_id
 * @property {string} trial_id
 * @property {string} timepoint_id
 * @property {number | null} number
 * @property {string} imaged_on
 * @property {number} slot
 * @property {number} revision
 * @property {"draft" | "signed"} status
 * @property {number} version
 * @property {LesionAnswer[]} lesions
 * @property {PriorAnswer[]} followed
 * @property {Gap[]} gaps
 * @property {Finding[]} findings
 * @property {Signature | null} signature
 */

/** @typedef {{ code: string, sentence: string, source: string }} Reason */
/** @typedef {{ mm: string | null, at_least_mm: string, missing: string[] }} Sum */
/** @typedef {{ code: string, sentence: string, timepoint_id: string, lesion_ids: string[] }} Query */

/**
 * @typedef {object} TimepointVerdict
 * @property {Sum | null} sum_of_diameters
 * @property {string | null} baseline_mm
 * @property {string | null} nadir_mm
 * @property {string | null} change_from_baseline_percent
 * @property {string | null} change_from_nadir_percent
 * @property {string | null} change_from_nadir_mm
 * @property {string} target_response
 * @property {string} non_target_response
 * @property {string} new_lesion
 * @property {string} overall_response
 * @property {Reason[]} reasons
 * @property {Query[]} queries
 */

/**
 * @typedef {object} Verdict
 * @property {string} rules_version
 * @property {{ sum_of_diameters: Sum | null, target_ids: string[], non_target_ids: string[], queries: Query[] } | null} baseline
 * @property {TimepointVerdict | null} timepoint
 * @property {{ response: string, reasons: Reason[] }} best_overall
 * @property {{ response: string, reasons: Reason[] }} confirmed_best_overall
 * @property {{ progressed_on: string } | null} progression
 * @property {Query[]} queries
 */

/**
 * @typedef {object} FrameAnswer
 * @property {number} frame
 * @property {boolean} is_measurable
 * @property {string | null} refused
 * @property {[number, number, number] | null} position
 * @property {[number, number, number] | null} row_direction
 * @property {[number, number, number] | null} column_direction
 * @property {number | null} row_spacing
 * @property {number | null} column_spacing
 * @property {number | null} slice_thickness
 * @property {number | null} spacing_between_slices
 * @property {number | null} offset
 */

/**
 * @typedef {object} InstanceAnswer
 * @property {string} sop_instance_uid
 * @property {string} sop_class_uid
 * @property {number | null} instance_number
 * @property {number | null} rows
 * @property {number | null} columns
 * @property {number} number_of_frames
 * @property {boolean} is_late
 * @property {FrameAnswer[]} frames
 */

/**
 * @typedef {object} SeriesAnswer
 * @property {string} study_instance_uid
 * @property {string} series_instance_uid
 * @property {string | null} modality
 * @property {number | null} series_number
 * @property {string | null} description
 * @property {string | null} frame_of_reference_uid
 * @property {Record<string, any>} facts
 * @property {InstanceAnswer[]} instances
 */

/** @typedef {{ timepoint_id: string, reading_id: string, number: number | null, series: SeriesAnswer[] }} ImagesAnswer */

export {};
