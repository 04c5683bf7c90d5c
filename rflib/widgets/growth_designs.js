/**
 * Stacks as the growth explorer and the design game hold them: what rflib/design.py says of one width, two axes and
 * convolutions padded so that n positions become n / stride, rounded up. Pure functions, no DOM.
 *
 * @typedef {[number, number, number, "conv" | "separable" | "pool"]} Row kernel_size, stride, dilation, kind.
 * @typedef {{channels: number, inputSize: number, axes?: number}} Where What a stack works on.
 * @typedef {{size: number, stride: number, density: number, outputSize: number, parameters: number,
 *   multiply_adds: number, problem: string | null}} Numbers
 * @typedef {{step: number, size: number, stride: number, outputSize: number, parameters: number,
 *   multiply_adds: number}} Point One step of a curve.
 * @typedef {"price" | "whole"} End Why a curve ends: its price, or the window holds the whole input from everywhere;
 *   which of pooling happens before nothing is left of the map.
 */

import { density, outputSizes, receptiveField } from "./arithmetic.js";
import { convCost, depthwiseSeparableCost } from "./costs.js";

export const WAYS = ["depth", "large kernels", "pooling", "dilation", "depthwise"];

/** @param {Row} row @returns {import("./arithmetic.js").Layer} The layer, padded by the rule. */
export function paddedLayer([kernel_size, stride, dilation, kind]) {
  const around = kind === "pool" ? 0 : dilation * (kernel_size - 1);
  return { kernel_size, stride, padding: [Math.floor(around / 2), Math.ceil(around / 2)], dilation };
}

/** @param {Row} row @param {number} length Of the layer's output. @returns {import("./costs.js").Cost} */
export function rowCost([kernel, , , kind], length, { channels, axes = 2 }) {
  if (kind === "pool") return { parameters: 0, multiply_adds: 0 };
  const price = kind === "conv" ? convCost : depthwiseSeparableCost;
  return price(kernel, channels, channels, Array(axes).fill(length));
}

/**
 * Everything that is said of a stack; an empty one is the input itself.
 * @param {Row[]} rows @param {Where} where @returns {Numbers} `problem`: why there is no such stack, or null.
 */
export function designNumbers(rows, where) {
  const layers = rows.map(paddedLayer);
  const { sizes, problem } = outputSizes(layers, where.inputSize);
  const { size, stride } = receptiveField(layers);
  const total = { parameters: 0, multiply_adds: 0 };
  sizes.forEach((length, index) => {
    const cost = rowCost(rows[index], length, where);
    total.parameters += cost.parameters;
    total.multiply_adds += cost.multiply_adds;
  });
  const outputSize = sizes.length ? sizes[sizes.length - 1] : where.inputSize;
  return { size, stride, density: density(layers), outputSize, ...total, problem: problem && problem.message };
}

/** @param {Row} row @returns {string} "conv 3 stride 2 dilation 4" */
export function rowWords([kernel, stride, dilation, kind]) {
  return `${kind} ${kernel}${stride > 1 ? ` stride ${stride}` : ""}${dilation > 1 ? ` dilation ${dilation}` : ""}`;
}

/** @param {Row[]} rows @returns {string} "conv 3, pool 2 stride 2" */
export function stackWords(rows) {
  return rows.map(rowWords).join(", ");
}

/** The stack after so many steps of a way. @returns {Row[]} */
export function wayRows(way, step, kernel) {
  if (way === "large kernels") return [[1 + (kernel - 1) * step, 1, 1, "conv"]];
  return Array.from({ length: step }, (_, index) => nextRow(way, index, kernel));
}

/** The same in few words, however many steps. */
export function wayWords(way, step, kernel) {
  const last = wayRows(way, step, kernel)[step - 1];
  if (way === "large kernels" || step === 1) return rowWords(wayRows(way, step, kernel)[0]);
  if (way === "dilation") return `conv ${kernel}, dilation 1 to ${last[2]}`;
  if (way !== "pooling") return `${step} \u00d7 ${rowWords(last)}`;
  const [pairs, rest] = [Math.floor(step / 2), step % 2 ? `, conv ${kernel}` : ""];
  return `${pairs} \u00d7 (conv ${kernel}, pool 2)${rest}`;
}

function nextRow(way, index, kernel) {
  if (way === "pooling" && index % 2) return [2, 2, 1, "pool"];
  if (way === "dilation") return [kernel, 1, 2 ** index, "conv"];
  return [kernel, 1, 1, way === "depthwise" ? "separable" : "conv"];
}

/**
 * How the field and its price grow in one way, as long as the price is not beyond `most`.
 * @param {string} way @param {number} kernel @param {Where} where
 * @param {"steps" | "parameters" | "multiply_adds"} axis @param {number} most
 * @returns {{points: Point[], end: End}}
 */
export function curve(way, kernel, where, axis, most) {
  const points = [];
  let at = { step: 0, size: 1, stride: 1, outputSize: where.inputSize, parameters: 0, multiply_adds: 0 };
  const start = at;
  for (let step = 1; ; step++) {
    const isOne = way === "large kernels"; // one layer that is replaced; the others add a layer
    at = after(isOne ? start : at, isOne ? wayRows(way, step, kernel)[0] : nextRow(way, step - 1, kernel), where);
    at = { ...at, step };
    if (priceOf(at, axis) > most) return { points, end: "price" };
    points.push(at);
    if (at.size >= 2 * where.inputSize - 1) return { points, end: "whole" };
  }
}

/** @returns {number} What a point costs on the horizontal axis. */
export function priceOf(point, axis) {
  return axis === "steps" ? point.step : point[axis];
}

/** The price of so many steps of ordinary layers: the right end of the chart. */
export function chartEnd(depth, kernel, where, axis) {
  if (axis === "steps") return depth;
  return depth * rowCost([kernel, 1, 1, "conv"], where.inputSize, where)[axis];
}

/** The last point of a curve that costs no more than `most`; null where the first one costs more. */
export function reached(points, axis, most) {
  let found = null;
  for (const point of points) {
    if (priceOf(point, axis) > most) break;
    found = point;
  }
  return found;
}

/** One layer more: the point after it. */
function after({ size, stride, outputSize, parameters, multiply_adds }, row, where) {
  const [kernel, step, dilation, kind] = row;
  const length = kind === "pool" ? Math.floor((outputSize - kernel) / step) + 1 : Math.ceil(outputSize / step);
  const cost = rowCost(row, length, where);
  return {
    size: size + dilation * (kernel - 1) * stride,
    stride: stride * step,
    outputSize: length,
    parameters: parameters + cost.parameters,
    multiply_adds: multiply_adds + cost.multiply_adds,
  };
}
