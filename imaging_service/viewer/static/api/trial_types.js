// The shapes of the service's answers about a whole trial; the OpenAPI document has them all.

/** @typedef {{ trial_id: string, title: string, version: string }} Trial */

/**
 * @typedef {object} CoursePoint
 * @property {string} timepoint_id
 * @property {number | null} number
 * @property {number} days Since the start, which is day 0.
 * @property {string | null} change_percent
 * @property {string} overall_response
 * @property {boolean} has_new_lesion
 */

/**
 * @typedef {object} CourseFigure
 * @property {string} subject_id
 * @property {string} site_id
 * @property {number} slot
 * @property {string | null} starts_on
 * @property {string} best_response
 * @property {string} confirmed_best_response
 * @property {string | null} best_change_percent
 * @property {number | null} days
 * @property {boolean | null} is_event
 * @property {string | null} ending
 * @property {CoursePoint[]} points
 */

/** @typedef {{ days: number, at_risk: number, events: number, censored: number, survival: number, lower: number | null, upper: number | null }} Step */

/**
 * @typedef {object} Survival
 * @property {number | null} slot
 * @property {string} endpoint
 * @property {number} subjects
 * @property {number} events
 * @property {number | null} median_days
 * @property {number | null} lower_days
 * @property {number | null} upper_days
 * @property {number} level
 * @property {Step[]} steps
 */

/**
 * @typedef {object} Plots
 * @property {string} trial_id
 * @property {string} protocol_version
 * @property {string} rules_version
 * @property {string | null} as_of
 * @property {Survival[]} survival
 * @property {CourseFigure[]} courses
 * @property {string | null} next_cursor
 */

/** @typedef {{ count: number, of: number, estimate: number | null, lower: number, upper: number, level: number }} Rate */

/**
 * @typedef {object} CohortLine
 * @property {number} slot
 * @property {string | null} standing
 * @property {boolean | null} is_accepted
 * @property {string} subject_id
 * @property {string} site_id
 * @property {string} best_response
 * @property {string} confirmed_best_response
 * @property {boolean} is_responder
 * @property {boolean} has_clinical_benefit
 * @property {number | null} pfs_days
 * @property {boolean | null} pfs_is_event
 * @property {string | null} pfs_ending
 * @property {string | null} doubt
 */

/**
 * @typedef {object} ReaderCohort
 * @property {number | null} slot
 * @property {number | null} accepted
 * @property {number} subjects
 * @property {Rate} objective_response_rate
 * @property {Rate} clinical_benefit_rate
 * @property {Rate} disease_control_rate
 * @property {CohortLine[]} listing
 */

/** @typedef {{ pairs: number, value: number | null, lower: number | null, upper: number | null }} Estimate */
/** @typedef {{ count: number, of: number, estimate: number | null, lower: number | null, upper: number | null }} Share */

/**
 * @typedef {object} SiteDifference
 * @property {string} site_id
 * @property {string} subject_id
 * @property {string} variable
 * @property {number | null} number
 * @property {string | null} imaged_on
 * @property {string} site
 * @property {string} central
 * @property {number} reader
 * @property {boolean} is_accepted
 */

/** @typedef {{ agreement: { variable: string, agreement: Share }[], response_kappa: Estimate, discordances: SiteDifference[], next_cursor: string | null }} Comparison */
/** @typedef {{ statistic: string, about: string | null, count: string, of: string, estimate: string, lower: string, upper: string }} StatisticRow */

export {};
