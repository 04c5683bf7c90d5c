// What the stack explorer holds: checked, and settled when a part of it changes; and its task. As stack_state.py and
// stack_task.py say it, in the same words.

import { center, density, extent, interval, layerLabel, layerProblem, leftPadding } from "./arithmetic.js";
import { outputSizes, receptiveField, rightPadding } from "./arithmetic.js";
import { count, grouped } from "./common.js";

/** What still can be drawn and answered within a frame. */
export const LIMITS = { layers: 64, input: 4096, field: 1000000 };
export const LARGEST = { kernel_size: 512, stride: 64, dilation: 1024, padding: 4096 };

/**
 * @typedef {import("./arithmetic.js").Layer & {kind?: "convolution" | "pooling"}} StackLayer
 * @typedef {{layers: StackLayer[], inputSize: number, level: number, unit: number}} StackState Level 0 is the input.
 */

/** @param {StackLayer[]} layers @param {number} inputSize @returns {number[]} Units of every level that exists. */
export function levelLengths(layers, inputSize) {
  return [inputSize, ...outputSizes(layers, inputSize).sizes];
}

/** @param {StackLayer[]} layers @returns {string | null} Why the explorer cannot hold this stack, in a sentence. */
export function stackProblem(layers) {
  if (layers.length > LIMITS.layers) return `The explorer shows at most ${LIMITS.layers} layers; got ${layers.length}.`;
  for (const [index, layer] of layers.entries()) {
    const wrong = layerProblem(layer);
    if (wrong !== null) return wrong;
    const padding = Math.max(...[layer.padding].flat().map(Math.abs));
    for (const [name, most] of Object.entries(LARGEST)) {
      const value = name === "padding" ? padding : layer[name];
      if (value > most) return `\`${name}\` of ${lowered(layer, index)} must be ${limit(most)}; got ${grouped(value)}.`;
    }
  }
  const { size, stride } = receptiveField(layers);
  if (size <= LIMITS.field && stride <= LIMITS.field) return null;
  const most = `The explorer shows fields and strides of at most ${grouped(LIMITS.field)} positions`;
  return `${most}; this stack has a field of ${grouped(size)} and a stride of ${grouped(stride)}.`;
}

function lowered(layer, index) {
  const label = layerLabel(layer, index + 1);
  return label[0].toLowerCase() + label.slice(1);
}

function limit(most) {
  return `at most ${grouped(most)} in the explorer`;
}

/** @param {StackLayer[]} layers @returns {boolean} Whether each layer reads only what lies at or before its unit. */
export function isCausal(layers) {
  const some = layers.some((layer) => extent(layer) > 1);
  return some && layers.every((layer) => leftPadding(layer) === extent(layer) - 1 && rightPadding(layer) === 0);
}

/**
 * Where a unit of a level stands, in input positions: in the middle of its window; in a causal stack at its end.
 * @param {StackLayer[]} layers
 * @param {number} level
 * @param {number} unit
 */
export function standsAt(layers, level, unit) {
  const field = receptiveField(layers.slice(0, level));
  return isCausal(layers) ? interval(field, unit)[1] : center(field, unit);
}

/** The unit of a level that stands nearest to a place; of two the right one. */
function nearestUnit(layers, level, place, length) {
  const { stride } = receptiveField(layers.slice(0, level));
  const unit = Math.floor((place - standsAt(layers, level, 0)) / stride + 0.5);
  return Math.min(Math.max(unit, 0), length - 1);
}

/**
 * The same stack looked at on another level, at the unit nearest to a place.
 * @param {StackState} state
 * @param {number} level A level beyond the last one is the last one.
 * @param {number} [place] In input positions; by default that of what is looked at.
 * @returns {StackState}
 */
export function atLevel(state, level, place = standsAt(state.layers, state.level, state.unit)) {
  const lengths = levelLengths(state.layers, state.inputSize);
  const to = Math.min(Math.max(level, 0), lengths.length - 1);
  return { ...state, level: to, unit: nearestUnit(state.layers, to, place, lengths[to]) };
}

/**
 * Another stack or input, looked at in the same place: at the top if that was the top, else on the same level.
 * @param {StackState} state
 * @param {{layers?: StackLayer[], inputSize?: number}} change
 * @returns {StackState}
 */
export function changed(state, change) {
  const wasTop = state.level === levelLengths(state.layers, state.inputSize).length - 1;
  const place = standsAt(state.layers, state.level, state.unit);
  return atLevel({ ...state, ...change }, wasTop ? Infinity : state.level, place);
}

/** A state that can be drawn, whatever the traits hold between two messages. */
export function drawable(state) {
  const lengths = levelLengths(state.layers, state.inputSize);
  const level = Math.min(state.level, lengths.length - 1);
  return { ...state, level, unit: Math.min(state.unit, lengths[level] - 1) };
}

/** Padding that keeps the length where the stride is 1; the right side takes the odd one. */
export function samePadding({ kernel_size, dilation }) {
  const whole = dilation * (kernel_size - 1);
  return [Math.floor(whole / 2), Math.ceil(whole / 2)];
}

/** A layer of plain numbers, the left and the right padding apart. */
export function plainLayer(kernel_size, stride = 1, padding = [0, 0], dilation = 1, kind = "convolution", name = null) {
  return { kind, kernel_size, stride, padding, dilation, name };
}

/** The same stack: the numbers and the names, not the kinds. */
export function sameStack(one, other) {
  const key = ({ kernel_size, stride, padding, dilation, name }) => [kernel_size, stride, padding, dilation, name];
  return JSON.stringify(one.map(key)) === JSON.stringify(other.map(key));
}

/**
 * What a stack lacks to solve a task: a phrase for the field and one for each limit that is not kept; none if solved.
 * @param {any} goal A StackTask as plain data.
 * @param {StackLayer[]} layers
 * @returns {string[]}
 */
export function taskMissing(goal, layers) {
  const { size, stride } = receptiveField(layers);
  const kernel = Math.max(1, ...layers.map(({ kernel_size }) => kernel_size));
  const broken = [];
  if (goal.at_most_layers !== null && layers.length > goal.at_most_layers) {
    broken.push(`${layers.length} layers, ${layers.length - goal.at_most_layers} too many`);
  }
  if (goal.largest_kernel !== null && kernel > goal.largest_kernel) {
    broken.push(`a kernel of ${kernel}, at most ${goal.largest_kernel}`);
  }
  if (goal.largest_stride !== null && stride > goal.largest_stride) {
    broken.push(`stride ${stride}, at most ${goal.largest_stride}`);
  }
  if (goal.no_holes && density(layers) < 1) {
    broken.push(`${size - Math.round(density(layers) * size)} of the ${size} positions are holes`);
  }
  const reached = goal.exactly ? size === goal.size : size >= goal.size;
  const beyond = goal.exactly && size > goal.size ? `, ${size - goal.size} too many` : "";
  return reached && broken.length === 0 ? [] : [`field ${size} of ${goal.size}${beyond}`, ...broken];
}

/** One sentence on how far a stack is: "Solved: ..." or "Not yet: ...". */
export function taskStatus(goal, layers) {
  const missing = taskMissing(goal, layers);
  if (missing.length > 0) return `Not yet: ${missing.join("; ")}.`;
  return `Solved: field ${receptiveField(layers).size} with ${count(layers.length, "layer")}.`;
}
