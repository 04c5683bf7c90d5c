/**
 * What stacks of convolutions cost, in the browser: what rflib/cost.py says, for the explorers that must answer at
 * once. One multiply-add is one product of a weight and a value with the addition that takes it into the sum, counted
 * for one example; products with the zeros of the padding count; biases count as parameters only; pooling costs
 * nothing. Numbers are exact below 2^53. Errors carry the sentences of Python's.
 *
 * @typedef {{parameters: number, multiply_adds: number}} Cost
 *
 * @typedef {object} StackOptions
 * @property {number} [axes] Number of axes, where the input size is one number; by default 2.
 * @property {number | number[]} [groups] One number, or one for each layer; by default 1.
 * @property {boolean} [bias] Whether the convolutions have biases; by default true.
 * @property {boolean} [separable] Take each layer as a depthwise separable convolution; by default false.
 * @property {(string | number)[]} [pooling] Which layers pool: their names, or their numbers counted from 1.
 */

import { layerLabel, outputSizes } from "./arithmetic.js";

/**
 * The cost of one convolution over any number of axes: each weight meets each output position once.
 *
 * @param {number | number[]} kernelSize Taps on each axis, or one number for all axes.
 * @param {number} inChannels
 * @param {number} outChannels
 * @param {number[]} outputShape Positions of the output on each axis.
 * @param {number} [groups] Groups of channels that do not mix; `inChannels` for a depthwise convolution.
 * @param {boolean} [bias]
 * @returns {Cost}
 * @throws {RangeError} If a number does not fit, with the sentence of Python's LayerError.
 */
export function convCost(kernelSize, inChannels, outChannels, outputShape, groups = 1, bias = true) {
  const shape = axisCounts("output_shape", outputShape, 0);
  const [into, out] = [channelCount("in_channels", inChannels), channelCount("out_channels", outChannels)];
  const parts = channelCount("groups", groups);
  if (into % parts || out % parts) {
    throw new RangeError(
      "`groups` must divide `in_channels` and `out_channels`; " +
        `got groups ${parts}, in_channels ${into}, out_channels ${out}.`,
    );
  }
  const several = Array.isArray(kernelSize);
  const taps = several
    ? axisCounts("kernel_size", kernelSize, 1)
    : shape.map(() => channelCount("kernel_size", kernelSize));
  if (taps.length !== shape.length) {
    const got = `got [${taps.join(", ")}] for positions [${shape.join(", ")}]`;
    throw new RangeError(`\`kernel_size\` must have one number for each axis; ${got}.`);
  }
  const weights = product(taps) * (into / parts) * out;
  return { parameters: weights + (bias ? out : 0), multiply_adds: weights * product(shape) };
}

/**
 * The cost of a depthwise convolution followed by a 1x1 convolution.
 *
 * @param {number | number[]} kernelSize Taps of the depthwise convolution.
 * @param {number} inChannels
 * @param {number} outChannels
 * @param {number[]} outputShape Positions of the output on each axis.
 * @param {boolean} [bias] Whether both have biases.
 * @returns {Cost}
 * @throws {RangeError} As `convCost`.
 */
export function depthwiseSeparableCost(kernelSize, inChannels, outChannels, outputShape, bias = true) {
  return totalCost([
    convCost(kernelSize, inChannels, inChannels, outputShape, inChannels, bias),
    convCost(1, inChannels, outChannels, outputShape, 1, bias),
  ]);
}

/**
 * The cost of a stack of convolutions whose layers are the same on every axis.
 *
 * @param {import("./arithmetic.js").Layer[]} layers
 * @param {number | number[]} channels One width everywhere, or the widths before the stack and after each layer.
 * @param {number | number[]} inputSize Length of the input: one number for all axes, or one for each.
 * @param {StackOptions} [options]
 * @returns {Cost} Nothing at all for an empty stack.
 * @throws {RangeError} If the input is too small for a layer, or channels and groups do not fit.
 */
export function stackCost(layers, channels, inputSize, options = {}) {
  return totalCost(layerCosts(layers, channels, inputSize, options));
}

/**
 * The cost of each layer of a stack; `stackCost` is their sum.
 *
 * @param {import("./arithmetic.js").Layer[]} layers
 * @param {number | number[]} channels
 * @param {number | number[]} inputSize
 * @param {StackOptions} [options]
 * @returns {Cost[]} One cost a layer.
 * @throws {RangeError} As `stackCost`.
 */
export function layerCosts(layers, channels, inputSize, options = {}) {
  const { axes = 2, groups = 1, bias = true, separable = false, pooling = [] } = options;
  checkPooling(pooling, layers);
  const widths = oneForEach("channels", channels, layers.length + 1, "one before the stack and one after each layer");
  const grouped = oneForEach("groups", groups, layers.length, "one for each layer");
  if (separable && grouped.some((parts) => parts !== 1)) {
    throw new RangeError("A separable convolution sets its own groups; give `groups` or `separable`, not both.");
  }
  const lengths = inputShape(inputSize, axes).map((length) => {
    const { sizes, problem } = outputSizes(layers, length);
    if (problem !== null) throw new RangeError(problem.message);
    return sizes;
  });
  return layers.map((layer, index) => {
    const shape = lengths.map((sizes) => sizes[index]);
    const [before, after, parts] = [widths[index], widths[index + 1], grouped[index]];
    const label = layerLabel(layer, index + 1);
    if (pooling.includes(index + 1) || (layer.name != null && pooling.includes(layer.name))) {
      if (before === after) return { parameters: 0, multiply_adds: 0 };
      throw new RangeError(`${label} pools, so it keeps its ${before} channels; got ${after} after it.`);
    }
    if (separable) return depthwiseSeparableCost(layer.kernel_size, before, after, shape, bias);
    if (before % parts || after % parts) {
      throw new RangeError(`${label} goes from ${before} to ${after} channels; ${parts} groups do not divide both.`);
    }
    return convCost(layer.kernel_size, before, after, shape, parts, bias);
  });
}

/** @param {Cost[]} costs @returns {Cost} Their sum. */
export function totalCost(costs) {
  return costs.reduce(
    (one, other) => ({
      parameters: one.parameters + other.parameters,
      multiply_adds: one.multiply_adds + other.multiply_adds,
    }),
    { parameters: 0, multiply_adds: 0 },
  );
}

function product(numbers) {
  return numbers.reduce((one, other) => one * other, 1);
}

function channelCount(name, given, least = 1) {
  if (Number.isInteger(given) && given >= least) return given;
  throw new RangeError(`\`${name}\` must be an integer >= ${least}; got ${given ?? "None"}.`);
}

function axisCounts(name, given, least) {
  const fits = Array.isArray(given) && given.length > 0 && given.every((n) => Number.isInteger(n) && n >= least);
  if (fits) return given;
  const got = Array.isArray(given) ? `[${given.join(", ")}]` : given;
  throw new RangeError(`\`${name}\` must be a tuple of integers >= ${least}, one for each axis; got ${got}.`);
}

/** One number for each of several places, given as one for all of them or as one for each. */
function oneForEach(name, given, wanted, meaning) {
  if (!Array.isArray(given)) return Array(wanted).fill(channelCount(name, given));
  if (given.length === wanted) return given.map((number) => channelCount(name, number));
  throw new RangeError(`\`${name}\` must be one integer or ${wanted} of them, ${meaning}; got ${given.length}.`);
}

/** The input's length on each axis; `outputSizes` checks the lengths. */
function inputShape(inputSize, axes) {
  if (Array.isArray(inputSize) && inputSize.length > 0) return inputSize;
  if (Number.isInteger(axes) && axes >= 1) return Array(axes).fill(inputSize);
  throw new RangeError(`\`axes\` must be an integer >= 1; got ${axes ?? "None"}.`);
}

function checkPooling(pooling, layers) {
  const known = new Set(layers.flatMap(({ name }, index) => (name == null ? [index + 1] : [index + 1, name])));
  const unknown = pooling.find((entry) => !known.has(entry));
  if (unknown !== undefined) {
    throw new RangeError(`\`pooling\` names layer ${unknown}, which the stack does not have.`);
  }
}
