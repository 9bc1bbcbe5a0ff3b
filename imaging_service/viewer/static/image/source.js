// What can be shown of a timepoint: its series, the phases of its dynamic acquisitions, and their subtractions.

import { isSamePlace, stacksOf } from "../geometry/stack.js";

/** @typedef {import("../api/types.js").ImagesAnswer} ImagesAnswer */
/** @typedef {import("../api/types.js").SeriesAnswer} SeriesAnswer */
/** @typedef {import("../geometry/stack.js").Stack} Stack */

/**
 * @typedef {object} ImageSource
 * @property {string} key
 * @property {string} title
 * @property {string} likeness The same for the like series of another timepoint.
 * @property {string | null} modality
 * @property {boolean} hasContrast
 * @property {Stack} stack
 * @property {Stack | null} minus What is subtracted.
 * @property {string | null} dynamic Names the dynamic acquisition that it is a phase of.
 */

/**
 * Return everything that can be shown, in the order of the series' numbers.
 *
 * @param {ImagesAnswer} images
 * @returns {ImageSource[]}
 */
export function sourcesOf(images) {
  const series = [...images.series].sort((one, other) => (one.series_number ?? 0) - (other.series_number ?? 0));
  const plain = series.flatMap(sourcesOfSeries).filter((source) => source.stack.frames.length);
  const groups = dynamicGroups(plain, series);
  for (const [index, group] of groups.entries()) namePhases(group, String(index));
  return [...plain, ...groups.flatMap(subtractionsOf)];
}

/**
 * @param {SeriesAnswer} series
 * @returns {ImageSource[]}
 */
function sourcesOfSeries(series) {
  const stacks = stacksOf(series);
  return stacks.map((stack, phase) => {
    const part = stacks.length > 1 ? `, phase ${phase + 1}` : "";
    return {
      key: `${series.series_instance_uid}/${phase}`,
      title: titleOf(series) + part,
      likeness: likenessOf(series) + part,
      modality: series.modality,
      hasContrast: series.facts["has_contrast"] === true,
      stack,
      minus: null,
      dynamic: null,
    };
  });
}

/** @param {SeriesAnswer} series */
function titleOf(series) {
  const number = series.series_number === null ? "" : `${series.series_number}. `;
  return number + (series.description ?? likenessOf(series));
}

/**
 * Describe a series by coded facts alone, which are the same from timepoint to timepoint.
 *
 * @param {SeriesAnswer} series
 */
function likenessOf(series) {
  if (series.description) return series.description;
  const { facts } = series;
  const parts = [
    series.modality ?? "Series",
    (facts["scanning_sequence"] ?? []).join(" "),
    facts["mr_acquisition_type"]?.join?.(" ") ?? "",
    facts["echo_time_ms"] === undefined ? "" : `TE ${facts["echo_time_ms"]} ms`,
    facts["has_contrast"] ? "contrast" : "",
  ];
  return parts.filter(Boolean).join(" ");
}

/**
 * Find acquisitions of several phases: stacks in the same place, made in the same way.
 *
 * @param {ImageSource[]} sources
 * @param {SeriesAnswer[]} series
 */
function dynamicGroups(sources, series) {
  /** @type {ImageSource[][]} */
  const groups = [];
  const wayOf = (/** @type {ImageSource} */ source) => {
    const { facts } = /** @type {SeriesAnswer} */ (
      series.find((each) => source.key.startsWith(`${each.series_instance_uid}/`))
    );
    return facts;
  };
  for (const source of sources) {
    const group = groups.find(([first]) => {
      return first && isSamePlace(first.stack, source.stack) && isAlike(wayOf(first), wayOf(source));
    });
    if (group) group.push(source);
    else groups.push([source]);
  }
  return groups.filter((group) => group.length > 1);
}

/**
 * @param {ImageSource[]} group
 * @param {string} name
 */
function namePhases(group, name) {
  group.forEach((each, index) => {
    each.dynamic = name;
    each.title += ` · phase ${index + 1}`;
    each.likeness += ` · phase ${index + 1}`;
  });
}

const WAYS = ["scanning_sequence", "mr_acquisition_type", "repetition_time_ms", "echo_time_ms"];

/**
 * Whether two acquisitions agree in all that both tell.
 *
 * @param {Record<string, any>} one
 * @param {Record<string, any>} other
 */
function isAlike(one, other) {
  return WAYS.every((name) => {
    const [a, b] = [one[name], other[name]];
    return a === undefined || b === undefined || JSON.stringify(a) === JSON.stringify(b);
  });
}

/**
 * @param {ImageSource[]} group
 * @returns {ImageSource[]}
 */
function subtractionsOf(group) {
  const [first, ...later] = group;
  if (!first) return [];
  return later.map((source, index) => ({
    ...source,
    key: `${source.key}-${first.key}`,
    title: `Phase ${index + 2} − phase 1`,
    likeness: `${source.likeness} − ${first.likeness}`,
    minus: first.stack,
  }));
}

/**
 * Return what to show first: the like of what is shown of another timepoint, or the first phase after contrast.
 *
 * @param {ImageSource[]} sources
 * @param {string | null} likeness
 */
export function firstChoice(sources, likeness) {
  const plain = sources.filter((source) => !source.minus);
  return (
    sources.find((source) => source.likeness === likeness) ??
    plain.find((source) => source.hasContrast) ??
    plain[0] ??
    null
  );
}

/**
 * Return the neighbour of a phase in its dynamic acquisition.
 *
 * @param {ImageSource[]} sources
 * @param {ImageSource} source
 * @param {number} step
 */
export function neighbourPhase(sources, source, step) {
  if (source.dynamic === null) return null;
  const group = sources.filter((each) => each.dynamic === source.dynamic && Boolean(each.minus) === Boolean(source.minus));
  return group[group.findIndex((each) => each.key === source.key) + step] ?? null;
}
