// What the stack explorer says: the layers, the sentence of result, and the sums with the numbers put in.

import { backwardSteps, closedFormTerms, extent, forwardSteps, interval, leftPadding } from "./arithmetic.js";
import { receptiveField, rightPadding, sigma } from "./arithmetic.js";
import { count, decimal, grouped } from "./common.js";

const MINUS = "\u2212";

/** @param {{name?: string | null}} layer @param {number} number @returns {string} Its name, or "layer 2". */
export function nameOfLayer(layer, number) {
  return layer.name || `layer ${number}`;
}

/** A layer's numbers in the letters of the course: "k 3, s 2, p 1"; what is ordinary is left out. */
export function numbersOfLayer(layer) {
  const [left, right] = [leftPadding(layer), rightPadding(layer)];
  const said = [`k ${layer.kernel_size}`];
  if (layer.stride !== 1) said.push(`s ${layer.stride}`);
  if (left !== 0 || right !== 0) said.push(`p ${left === right ? signed(left) : `${signed(left)}|${signed(right)}`}`);
  if (layer.dilation !== 1) said.push(`d ${layer.dilation}`);
  return said.join(", ");
}

/** A whole number with a real minus sign. */
export function signed(number) {
  return number < 0 ? `${MINUS}${grouped(-number)}` : grouped(number);
}

/**
 * The sentence of result.
 * @param {{layers: any[], level: number, unit: number, size: number, first: number, last: number, middle: number,
 *   read: number, outside: number, fed: {level: number, count: number}[]}} view
 */
export function resultSentence({ layers, level, unit, size, first, last, middle, read, outside, fed }) {
  const feeding = fed.map((each, index) => {
    const number = index ? grouped(each.count) : count(each.count, "unit");
    return `${number} of ${nameOfLayer(layers[each.level - 1], each.level)}`;
  });
  if (level === 0) {
    return `Input position ${grouped(unit)} feeds ${feeding.join(" and ") || "nothing yet"}.`;
  }
  const window = `a window of ${count(size, "input position")}, ${signed(first)} to ${signed(last)}`;
  const sentence = `Unit ${grouped(unit)} of ${nameOfLayer(layers[level - 1], level)} has ${window}, centered on `;
  const missing = size - outside - read;
  const rest = [];
  if (outside > 0) rest.push(`${grouped(outside)} ${outside === 1 ? "lies" : "lie"} in the padding`);
  if (missing > 0) rest.push(`${grouped(missing)} ${missing === 1 ? "is" : "are"} left out`);
  const reads = rest.length ? `It reads ${grouped(read)}; ${rest.join(", ")}.` : "It reads all of them.";
  const feeds = feeding.length ? ` It feeds ${feeding.join(" and ")}.` : "";
  return `${sentence}${decimal(middle, 1)}. ${reads}${feeds}`;
}

/**
 * The recursions, one row a layer, with the numbers put in: forward from the input on; backward from one level down.
 * @param {any[]} layers
 * @param {number} level Where the way back begins; the layers above it take no part in it.
 * @returns {{kernel: string, size: string, jump: string, back: string}[]}
 */
export function recursionRows(layers, level) {
  const backward = backwardSteps(layers.slice(0, level)).reverse();
  return forwardSteps(layers).map((step, index) => {
    const { kernel_size, stride, dilation } = layers[index];
    const back = backward[index];
    return {
      kernel: dilation === 1 ? `${kernel_size}` : `${dilation}·(${kernel_size}${MINUS}1) + 1 = ${step.extent}`,
      size: `${step.sizeBefore} + (${step.extent}${MINUS}1)·${step.jumpBefore} = ${step.sizeAfter}`,
      jump: `${step.jumpBefore}·${stride} = ${step.jumpAfter}`,
      back: back ? `${stride}·${back.sizeAbove} + (${back.extent}${MINUS}${stride}) = ${back.sizeBelow}` : "",
    };
  });
}

/** The closed form with the numbers put in: "1 + (3−1)·1 + (3−1)·2 = 7"; a dilation stands before its kernel. */
export function closedFormLine(layers) {
  const terms = closedFormTerms(layers).map(({ stridesBefore }, index) => {
    const { kernel_size, dilation } = layers[index];
    return `${dilation === 1 ? "" : `${dilation}·`}(${kernel_size}${MINUS}1)·${stridesBefore}`;
  });
  return ["1", ...terms].join(" + ") + ` = ${receptiveField(layers).size}`;
}

/** The variance of the effective field term by term: "1²·(3²−1)/12 + 2²·(3²−1)/12 = 3.33". */
export function varianceLine(layers) {
  const terms = closedFormTerms(layers).map(({ stridesBefore }, index) => {
    const { kernel_size, dilation } = layers[index];
    return `${stridesBefore * dilation}²·(${kernel_size}²${MINUS}1)/12`;
  });
  return `${terms.join(" + ") || "0"} = ${decimal(sigma(layers) ** 2)}`;
}

/** What the effective field says about one unit. `here`: the spread of its own paths. */
export function effectiveSentence(layers, here) {
  const [whole, size] = [sigma(layers), receptiveField(layers).size];
  const share = `\u00b1\u03c3 covers ${decimal(2 * whole)} of the ${grouped(size)} positions`;
  const cut = Number.isNaN(here) || Math.abs(here - whole) < 5e-3 * Math.max(1, whole);
  const own = cut ? "" : ` At this unit the border cuts paths off, and \u03c3 is ${decimal(here)}.`;
  return `So \u03c3 = ${decimal(whole)}: ${share}.${own}`;
}

/** First and last position, as the bracket says them. */
export function windowWords(layers, unit) {
  const [first, last] = interval(receptiveField(layers), unit);
  return { first: signed(first), last: signed(last) };
}
