/**
 * The rules of the design game: what rflib/design.py's `assess` says of a stack of allowed layers. Pure functions.
 *
 * @typedef {import("./growth_designs.js").Row} Row
 * @typedef {object} Wanted `Requirements` of rflib/design.py, word for word, and `least`, the cheapest stack's cost.
 * @typedef {{name: string, met: boolean, said: string}} Judgment
 */

import { jumps } from "./arithmetic.js";
import { grouped } from "./common.js";
import { designNumbers, paddedLayer } from "./growth_designs.js";

/** @param {Wanted} wanted @returns {import("./growth_designs.js").Where} */
export function placeOf({ channels, input_size, axes }) {
  return { channels, inputSize: input_size, axes };
}

/**
 * The numbers of a stack, each requirement with its sentence, and the score.
 * @param {Row[]} rows At least one. @param {Wanted} wanted
 * @returns {{numbers: import("./growth_designs.js").Numbers, run: number, judged: Judgment[], score: number}}
 */
export function assessed(rows, wanted) {
  const numbers = designNumbers(rows, placeOf(wanted));
  const run = Math.min(firstRun(rows), numbers.size);
  const judged = judgments(rows, numbers, run, wanted);
  return { numbers, run, judged, score: scoreOf(judged, numbers[wanted.by], wanted.least) };
}

/** 100 for the cheapest, 50 for twice its cost, 0 where anything is missed. */
export function scoreOf(judged, own, least) {
  if (judged.some(({ met }) => !met)) return 0;
  return own === least ? 100 : Math.max(1, Math.floor((100 * least) / own));
}

/** How many positions a unit reads from the first one of its window on, before the first hole. */
export function firstRun(rows) {
  const before = jumps(rows.map(paddedLayer));
  const steps = rows.map(([kernel, , dilation], index) => {
    return { step: dilation * before[index], reach: (kernel - 1) * dilation * before[index] };
  });
  steps.sort((one, other) => one.step - other.step);
  let run = 1;
  for (const { step, reach } of steps) {
    if (reach > 0 && step > run) return run;
    run += reach;
  }
  return run;
}

function judgments(rows, { size, stride, parameters, multiply_adds }, run, wanted) {
  const goal = wanted.exactly ? `exactly ${wanted.field} is wanted` : `at least ${wanted.field} are wanted`;
  const isReached = size === wanted.field || (size > wanted.field && !wanted.exactly);
  const judged = [{ name: "field", met: isReached, said: `The field is ${size} input positions; ${goal}.` }];
  if (wanted.no_holes) {
    const hole = run === size ? "has no holes" : `has a hole behind position ${run} of ${size}`;
    judged.push({ name: "holes", met: run === size, said: `The window ${hole}; holes are not allowed.` });
  }
  const limits = [
    ["stride", "product of all strides is", stride, wanted.largest_stride, ""],
    ["layers", "depth is", rows.length, wanted.most_layers, " layers"],
    ["parameters", "parameters are", parameters, wanted.most_parameters, ""],
    ["multiply_adds", "multiply-adds are", multiply_adds, wanted.most_multiply_adds, ""],
  ];
  for (const [name, words, number, most, unit] of limits) {
    if (most === null) continue;
    const over = number > most ? `: ${grouped(number - most)} too many` : "";
    const said = `The ${words} ${grouped(number)}${unit}; at most ${grouped(most)} are allowed${over}.`;
    judged.push({ name, met: number <= most, said });
  }
  // The game offers no others.
  judged.push({ name: "allowed", met: true, said: "Every layer is one of the allowed ones." });
  return judged;
}

/** The layers that may be added, each with its words; dilated ones and strided ones are made by changing these. */
export function offered({ kernels, strides, dilations, pools, convolutions }) {
  const made = [];
  for (const kind of convolutions) {
    for (const kernel of kernels) made.push([kernel, strides[0], dilations[0], kind]);
  }
  const wider = dilations.find((dilation) => dilation > 1);
  if (wider !== undefined && wider !== dilations[0] && kernels.length) {
    const kernel = kernels.find((size) => size > 1) ?? kernels[0];
    for (const kind of convolutions) made.push([kernel, strides[0], wider, kind]);
  }
  return [...made, ...pools.map((size) => [size, size, 1, "pool"])];
}

/** The neighbor of a value in a list of allowed ones; the ends stay where they are, or go round. */
export function neighbor(allowed, value, by, round = false) {
  const index = allowed.indexOf(value) + by;
  if (round) return allowed[(index + allowed.length) % allowed.length];
  return allowed[Math.max(0, Math.min(allowed.length - 1, index))];
}

/** Why rows are no stack of this round, in words, or null. */
export function refusal(rows, wanted) {
  if (rows.length > wanted.most_layers) {
    return `The round allows ${wanted.most_layers} layers: remove one first.`;
  }
  return designNumbers(rows, placeOf(wanted)).problem;
}

/** The result in one sentence. */
export function gameSentence(rows, found) {
  if (rows.length === 0) return "An empty stack sees 1 input position: add a layer.";
  const missed = found.judged.filter(({ met }) => !met);
  if (missed.length) return `Not yet: ${missed.map(({ said }) => said).join(" ")}`;
  const rest = found.score === 100 ? "No allowed stack is cheaper." : "It can be done for less.";
  return `Solved, score ${found.score} of 100. ${rest}`;
}
