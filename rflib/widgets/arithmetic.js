/**
 * The receptive field of a stack on one axis, in the browser: what rflib/arithmetic.py, path_counts and
 * effective_sigma say, for the explorers that must answer at once. Pure functions, no DOM.
 *
 * Positions are numbered 0, 1, 2, ... along the axis. Level 0 is the input, level L the feature map of the L-th layer;
 * layers are counted from 1, as in the error messages. Numbers are exact below 2^53.
 *
 * @typedef {object} Layer One convolution or pooling layer, in PyTorch's words.
 * @property {number} kernel_size Number of taps, at least 1.
 * @property {number} stride Step between the windows of neighboring units, at least 1.
 * @property {number | [number, number]} padding Positions added on the left and on the right; below 0: cut off.
 * @property {number} dilation Distance between neighboring taps, at least 1.
 * @property {string | null} [name] A name for messages.
 *
 * @typedef {object} Field What the units of the last layer read, in input positions.
 * @property {number} size Length of a unit's window.
 * @property {number} stride Distance between the windows of neighboring units.
 * @property {number} padding How far the window of unit 0 begins before position 0.
 *
 * @typedef {{first: number, counts: Float64Array}} Run Path counts of a run of positions that begins at `first`.
 */

// A longer window cannot be drawn, and a list of it would only freeze the page.
const LONGEST_WINDOW = 2 ** 22;

// More starts of runs than this are not counted: see distinctSums.
const MOST_STARTS = 2 ** 16;

/** @param {Layer} layer @returns {number} Padding before the first position. */
export function leftPadding({ padding }) {
  return Array.isArray(padding) ? padding[0] : padding;
}

/** @param {Layer} layer @returns {number} Padding after the last position. */
export function rightPadding({ padding }) {
  return Array.isArray(padding) ? padding[1] : padding;
}

/** @param {Layer} layer @returns {number} Positions from the first tap to the last, both included. */
export function extent({ kernel_size, dilation }) {
  return dilation * (kernel_size - 1) + 1;
}

/** @param {Layer} layer @param {number} unit @returns {number[]} Positions that a unit reads, one a tap, in order. */
export function reads(layer, unit) {
  const first = windowStart(layer, unit);
  return Array.from({ length: layer.kernel_size }, (_, tap) => first + tap * layer.dilation);
}

/** @param {Layer[]} layers @returns {number[]} For each layer the product of all strides before it. */
export function jumps(layers) {
  let jump = 1;
  return layers.map(({ stride }) => {
    const before = jump;
    jump *= stride;
    return before;
  });
}

/** @param {Layer[]} layers @returns {Field} The field of a unit of the last layer; an input position's if empty. */
export function receptiveField(layers) {
  let [size, stride, padding] = [1, 1, 0];
  for (const layer of layers) {
    size += (extent(layer) - 1) * stride;
    padding += leftPadding(layer) * stride;
    stride *= layer.stride;
  }
  return { size, stride, padding };
}

/**
 * The recursion from the input on, one record a layer, with every number that a reader substitutes:
 * sizeAfter = sizeBefore + (extent - 1) * jumpBefore, and added is the product.
 *
 * @param {Layer[]} layers
 * @returns {{layer: number, sizeBefore: number, jumpBefore: number, extent: number, added: number, sizeAfter: number,
 *   jumpAfter: number, paddingAfter: number}[]}
 */
export function forwardSteps(layers) {
  let [size, jump, padding] = [1, 1, 0];
  return layers.map((layer, index) => {
    const [sizeBefore, jumpBefore, added] = [size, jump, (extent(layer) - 1) * jump];
    size += added;
    padding += leftPadding(layer) * jump;
    jump *= layer.stride;
    const after = { sizeAfter: size, jumpAfter: jump, paddingAfter: padding };
    return { layer: index + 1, sizeBefore, jumpBefore, extent: extent(layer), added, ...after };
  });
}

/**
 * The recursion from the output back, one record a layer, the last layer first:
 * sizeBelow = stride * sizeAbove + (extent - stride).
 *
 * @param {Layer[]} layers
 * @returns {{layer: number, sizeAbove: number, sizeBelow: number, stride: number, extent: number}[]}
 */
export function backwardSteps(layers) {
  let size = 1;
  const steps = [];
  for (let index = layers.length - 1; index >= 0; index--) {
    const sizeAbove = size;
    const { stride } = layers[index];
    size = stride * sizeAbove + (extent(layers[index]) - stride);
    steps.push({ layer: index + 1, sizeAbove, sizeBelow: size, stride, extent: extent(layers[index]) });
  }
  return steps;
}

/**
 * The closed form, one record a layer: size = 1 + the sum of the terms, term = extentLessOne * stridesBefore.
 *
 * @param {Layer[]} layers
 * @returns {{layer: number, extentLessOne: number, stridesBefore: number, term: number}[]}
 */
export function closedFormTerms(layers) {
  const before = jumps(layers);
  return layers.map((layer, index) => {
    const [extentLessOne, stridesBefore] = [extent(layer) - 1, before[index]];
    return { layer: index + 1, extentLessOne, stridesBefore, term: extentLessOne * stridesBefore };
  });
}

/** @param {Field} field @param {number} unit @returns {[number, number]} The ideal window, both ends included. */
export function interval({ size, stride, padding }, unit) {
  const first = stride * unit - padding;
  return [first, first + size - 1];
}

/** @param {Field} field @param {number} unit @returns {number} The middle of a unit's window, in half positions. */
export function center(field, unit) {
  const [first, last] = interval(field, unit);
  return (first + last) / 2;
}

/** @param {Layer[]} layers @param {number} unit @returns {number[]} The ideal window without its holes, in order. */
export function idealPositions(layers, unit) {
  const [first] = interval(receptiveField(layers), unit);
  const positions = [];
  coverage(layers).forEach((read, offset) => read && positions.push(first + offset));
  return positions;
}

/**
 * Which offsets of the window a unit reads.
 *
 * @param {Layer[]} layers
 * @returns {boolean[]} One entry an offset; the first and the last are always true.
 * @throws {RangeError} If the window is longer than 4,194,304 positions.
 */
export function coverage(layers) {
  const { size } = receptiveField(layers);
  if (!(size <= LONGEST_WINDOW)) {
    throw new RangeError(`The window has ${size} positions; at most ${LONGEST_WINDOW} can be listed.`);
  }
  const read = new Uint8Array(size);
  read[0] = 1;
  let last = 0;
  for (const { step, taps } of tapSteps(layers)) {
    last += step * (taps - 1);
    // From the end on, so that the entries still to be looked at are those of the layers before.
    for (let offset = last; offset >= step; offset--) {
      for (let tap = 1; tap < taps && tap * step <= offset; tap++) read[offset] |= read[offset - tap * step];
    }
  }
  return Array.from(read, Boolean);
}

/**
 * How many positions inside the window are not read: along the axis, and in the window of two axes, of which a unit
 * reads the product of what it reads along each.
 *
 * @param {Layer[]} layers
 * @param {Layer[]} across The stack along the second axis; by default the same.
 * @returns {{line: number, plane: number}}
 */
export function blindSpots(layers, across = layers) {
  const [size, other] = [receptiveField(layers).size, receptiveField(across).size];
  const [read, otherRead] = [readOffsets(layers), readOffsets(across)];
  return { line: size - read, plane: size * other - read * otherRead };
}

/** @param {Layer[]} layers @returns {number} Share of the window that is read; NaN where it cannot be counted. */
export function density(layers) {
  return readOffsets(layers) / receptiveField(layers).size;
}

/**
 * The length of the feature map after each layer, up to the first layer that does not fit. Never throws.
 *
 * @param {Layer[]} layers
 * @param {number} inputSize
 * @returns {{sizes: number[], problem: null | {layer: number, message: string}}} `layer` is the layer's number, counted
 *   from 1; 0 stands for the input. The message is the sentence of Python's error.
 */
export function outputSizes(layers, inputSize) {
  const sizes = [];
  if (!isWhole(inputSize, 1)) {
    const wanted = "`input_size` must be an integer >= 1, the input's length on one axis";
    return { sizes, problem: { layer: 0, message: `${wanted}; got ${shown(inputSize)}.` } };
  }
  let length = inputSize;
  for (const [index, layer] of layers.entries()) {
    const message = layerProblem(layer) ?? lengthProblem(layer, index + 1, length);
    if (message !== null) return { sizes, problem: { layer: index + 1, message } };
    const room = length + leftPadding(layer) + rightPadding(layer) - extent(layer);
    length = Math.floor(room / layer.stride) + 1;
    sizes.push(length);
  }
  return { sizes, problem: null };
}

/** @param {Layer} layer @param {number} number @returns {string} How a message about one layer of a stack begins. */
export function layerLabel(layer, number) {
  return layer.name == null ? `Layer ${number}` : `Layer ${quoted(layer.name)}`;
}

/** @param {Layer} layer @returns {string | null} What is wrong with a layer's own numbers, in the words of Python. */
export function layerProblem(layer) {
  const where = layer.name == null ? "a layer" : `layer ${quoted(layer.name)}`;
  for (const argument of ["kernel_size", "stride", "dilation"]) {
    if (!isWhole(layer[argument], 1)) {
      return `\`${argument}\` of ${where} must be an integer >= 1; got ${shown(layer[argument])}.`;
    }
  }
  const { padding } = layer;
  const sides = Array.isArray(padding) ? padding : [padding, padding];
  if (sides.length === 2 && sides.every((side) => isWhole(side))) return null;
  return `\`padding\` of ${where} must be an integer or two of them, (left, right); got ${shown(padding)}.`;
}

/**
 * What a unit reads: for each level down to the input the positions that exist and are really read, and the ideal
 * window, as if every map went on beyond its border.
 *
 * @param {Layer[]} layers
 * @param {number} inputSize
 * @param {number} level The unit's level; 0 is the input.
 * @param {number} unit
 * @returns {{level: number, positions: number[], interval: [number, number]}[]} Entry L is level L, up to `level`.
 * @throws {RangeError} If there is no such unit.
 */
export function cone(layers, inputSize, level, unit) {
  const runs = pathRuns(layers, checkedLengths(layers, inputSize, level, unit), level, unit, (counts) => counts);
  let [first, last] = [unit, unit];
  const levels = [];
  for (let at = level; at >= 0; at--) {
    if (at < level) {
      first = windowStart(layers[at], first);
      last = windowStart(layers[at], last) + extent(layers[at]) - 1;
    }
    // A unit reads exactly the positions to which a path leads; adding up never turns a count into 0.
    levels.push({ level: at, positions: support(runs[at].first, runs[at].counts), interval: [first, last] });
  }
  return levels.reverse();
}

/**
 * What a unit (or an input position) feeds: for each level from its own on the units that read it, directly or through
 * others. Units that do not exist pass nothing on, so that this is the inverse of `cone`.
 *
 * @param {Layer[]} layers
 * @param {number} inputSize
 * @param {number} level The level of the unit; 0 is the input.
 * @param {number} unit
 * @returns {{level: number, units: number[]}[]} Entry 0 is `level`; the last one is the last level that exists.
 * @throws {RangeError} If there is no such unit.
 */
export function feeds(layers, inputSize, level, unit) {
  const lengths = checkedLengths(layers, inputSize, level, unit);
  let run = { first: unit, fed: Uint8Array.of(1) };
  const levels = [{ level, units: [unit] }];
  for (let at = level + 1; at < lengths.length; at++) {
    run = readersOf(layers[at - 1], run, lengths[at]);
    levels.push({ level: at, units: support(run.first, run.fed) });
  }
  return levels;
}

/**
 * How many paths lead to a unit, for every position of every level down to the input. No path leads through padding.
 *
 * @param {Layer[]} layers
 * @param {number} inputSize
 * @param {number} level The unit's level; 0 is the input.
 * @param {number} unit
 * @returns {Float64Array[]} Entry L holds one count a position of level L. Exact below 2^53; Infinity where a count
 *   exceeds 1.8e308, for which `pathShares` is made.
 * @throws {RangeError} If there is no such unit.
 */
export function pathCounts(layers, inputSize, level, unit) {
  const lengths = checkedLengths(layers, inputSize, level, unit);
  return pathRuns(layers, lengths, level, unit, (counts) => counts).map((run, at) => spreadOut(run, lengths[at]));
}

/**
 * The path counts of every level divided by their sum: the gradient of a network of averages, normalized. Rescaled at
 * each level, so that no depth overflows.
 *
 * @param {Layer[]} layers
 * @param {number} inputSize
 * @param {number} level The unit's level; 0 is the input.
 * @param {number} unit
 * @returns {Float64Array[]} Entry L holds one share a position of level L; all 0 where no path arrives.
 * @throws {RangeError} If there is no such unit.
 */
export function pathShares(layers, inputSize, level, unit) {
  const lengths = checkedLengths(layers, inputSize, level, unit);
  return pathRuns(layers, lengths, level, unit, shares).map((run, at) => spreadOut(run, lengths[at]));
}

/**
 * Numbers divided by their sum.
 *
 * @param {ArrayLike<number>} counts Finite numbers that are not negative, such as the path counts of one level.
 * @returns {Float64Array} Shares that add up to 1; all 0 where every count is 0.
 */
export function shares(counts) {
  let largest = 0;
  for (let i = 0; i < counts.length; i++) largest = Math.max(largest, counts[i]);
  const scaled = Float64Array.from(counts);
  if (largest === 0) return scaled;
  // By the largest first: the sum of counts near the end of the number range would be Infinity.
  for (let i = 0; i < scaled.length; i++) scaled[i] /= largest;
  const total = sum(scaled, () => 1);
  for (let i = 0; i < scaled.length; i++) scaled[i] /= total;
  return scaled;
}

/**
 * The standard deviation of the effective receptive field of an inner unit, with equal weights, in input positions:
 * the square root of the sum of (jump * dilation)^2 * (kernel_size^2 - 1) / 12. A path takes one step a layer, uniform
 * among equally spaced taps, and the variances of independent steps add up (Luo et al., 2016, arXiv 1701.04128).
 *
 * @param {Layer[]} layers
 * @returns {number} 0 for an empty stack.
 */
export function sigma(layers) {
  const before = jumps(layers);
  let twelfths = 0;
  layers.forEach(({ kernel_size, dilation }, index) => {
    twelfths += (before[index] * dilation) ** 2 * (kernel_size ** 2 - 1);
  });
  return Math.sqrt(twelfths / 12);
}

/** @param {ArrayLike<number>} values Shares. @returns {number} Their mean position; NaN where all are 0. */
export function mean(values) {
  return sum(values, (position) => position) / sum(values, () => 1);
}

/** @param {ArrayLike<number>} values Shares. @returns {number} Their standard deviation; NaN where all are 0. */
export function spread(values) {
  const middle = mean(values); // taken off first: a difference of two large squares would lose its digits
  return Math.sqrt(sum(values, (position) => (position - middle) ** 2) / sum(values, () => 1));
}

/** @param {Layer} layer @param {number} unit @returns {number} Where a unit's window begins. */
function windowStart(layer, unit) {
  return unit * layer.stride - leftPadding(layer);
}

/** The sum of value * weight(index) over all values. */
function sum(values, weight) {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i] * weight(i);
  return total;
}

/** The lengths of all levels that exist, or an error that says why there is no such unit. */
function checkedLengths(layers, inputSize, level, unit) {
  const { sizes, problem } = outputSizes(layers, inputSize);
  const lengths = [inputSize, ...sizes];
  if (!isWhole(level, 0) || level > layers.length) {
    throw new RangeError(`There is no level ${shown(level)}: the stack has levels 0 (the input) to ${layers.length}.`);
  }
  if (problem !== null && level >= problem.layer) throw new RangeError(problem.message);
  if (!isWhole(unit, 0) || unit >= lengths[level]) {
    const known = `an input of ${inputSize} positions gives units 0 to ${lengths[level] - 1}`;
    throw new RangeError(`There is no unit ${shown(unit)}: ${known}.`);
  }
  return lengths;
}

/**
 * The path counts of each level, each only over the run of positions that the unit's window can reach.
 *
 * @param {(counts: Float64Array) => Float64Array} rescale What to do with each level's counts before the next one.
 * @returns {Run[]} Entry L is level L.
 */
function pathRuns(layers, lengths, level, unit, rescale) {
  const runs = [{ first: unit, counts: Float64Array.of(1) }];
  for (let at = level - 1; at >= 0; at--) {
    const { first, counts } = pullBack(layers[at], runs[runs.length - 1], lengths[at]);
    runs.push({ first, counts: rescale(counts) });
  }
  return runs.reverse();
}

/** Carries counts through one layer to its input of `length` positions: what is read inherits the reader's paths. */
function pullBack(layer, { first, counts }, length) {
  const [low, high] = [windowStart(layer, first), windowStart(layer, first + counts.length - 1) + extent(layer) - 1];
  const [start, end] = [Math.max(0, low), Math.min(length - 1, high)];
  if (counts.length === 0 || end < start) return { first: 0, counts: new Float64Array(0) };
  const below = new Float64Array(end - start + 1);
  const { kernel_size, dilation } = layer;
  for (let i = 0; i < counts.length; i++) {
    if (counts[i] === 0) continue;
    const begin = windowStart(layer, first + i);
    // Only the taps inside: a kernel may be far longer than the input.
    const firstTap = Math.max(0, Math.ceil(-begin / dilation));
    const lastTap = Math.min(kernel_size - 1, Math.floor((length - 1 - begin) / dilation));
    for (let tap = firstTap; tap <= lastTap; tap++) below[begin + tap * dilation - start] += counts[i];
  }
  return { first: start, counts: below };
}

/** Carries marks through one layer to its output of `length` units: unit u reads p if u * stride = p + left - tap. */
function readersOf(layer, { first, fed }, length) {
  const { kernel_size, stride, dilation } = layer;
  const shift = first + leftPadding(layer);
  const start = Math.max(0, Math.ceil((shift - extent(layer) + 1) / stride));
  const end = Math.min(length - 1, Math.floor((shift + fed.length - 1) / stride));
  if (fed.length === 0 || end < start) return { first: 0, fed: new Uint8Array(0) };
  const above = new Uint8Array(end - start + 1);
  for (let i = 0; i < fed.length; i++) {
    if (!fed[i]) continue;
    const firstTap = Math.max(0, Math.ceil((shift + i - end * stride) / dilation));
    const lastTap = Math.min(kernel_size - 1, Math.floor((shift + i - start * stride) / dilation));
    for (let tap = firstTap; tap <= lastTap; tap++) {
      const scaled = shift + i - tap * dilation;
      if (scaled % stride === 0) above[scaled / stride - start] = 1;
    }
  }
  return { first: start, fed: above };
}

/** A run of counts as an array over a whole level. */
function spreadOut({ first, counts }, length) {
  const whole = new Float64Array(length);
  whole.set(counts, first);
  return whole;
}

/** The positions of a run whose entry is not 0, in order. */
function support(first, values) {
  const positions = [];
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) positions.push(first + i);
  return positions;
}

/** How far apart, in input positions, each layer's taps lie, the finest layer first; layers of one tap left out. */
function tapSteps(layers) {
  const before = jumps(layers);
  const steps = layers.map((layer, index) => ({ step: layer.dilation * before[index], taps: layer.kernel_size }));
  return steps.filter(({ taps }) => taps > 1).sort((one, other) => one.step - other.step);
}

/**
 * How many offsets of the window are read, without listing the window. Where all further steps are multiples of a
 * number beyond the span so far, the copies of what was found lie apart, and the two counts multiply.
 */
function readOffsets(layers) {
  const steps = tapSteps(layers);
  const common = steps.map(({ step }) => step);
  for (let i = steps.length - 2; i >= 0; i--) common[i] = greatestDivisor(common[i], common[i + 1]);
  let [count, span, group] = [1, 0, []];
  steps.forEach((entry, index) => {
    if (span < common[index]) {
      count *= distinctSums(group);
      [span, group] = [0, []];
    }
    span += entry.step * (entry.taps - 1);
    group.push(entry);
  });
  return count * distinctSums(group);
}

/**
 * How many different sums one tap's offset per layer can give, the finest layer first: a run without holes grows as
 * long as no step is longer than it; later steps copy it. NaN where the copies are too many to be counted at once.
 */
function distinctSums(steps) {
  const grid = steps.reduce((divisor, { step }) => greatestDivisor(divisor, step), 0) || 1;
  let [run, starts] = [1, new Set([0])];
  for (const { step, taps } of steps) {
    if (step <= run * grid) {
      run += ((taps - 1) * step) / grid;
      continue;
    }
    const copies = new Set();
    for (const start of starts) {
      for (let tap = 0; tap < taps; tap++) copies.add(start + tap * step);
      if (copies.size > MOST_STARTS) return NaN;
    }
    starts = copies;
  }
  const sorted = Float64Array.from(starts).sort();
  let count = run;
  for (let i = 1; i < sorted.length; i++) count += Math.min(run, (sorted[i] - sorted[i - 1]) / grid);
  return count;
}

function greatestDivisor(one, other) {
  while (other) [one, other] = [other, one % other];
  return one;
}

function isWhole(value, least = -Infinity) {
  return Number.isInteger(value) && value >= least;
}

/** Why an input of this length is too short for a layer, or null. */
function lengthProblem(layer, number, length) {
  const [left, right] = [leftPadding(layer), rightPadding(layer)];
  const label = layerLabel(layer, number);
  const cut = Math.min(left, 0) + Math.min(right, 0);
  if (length + cut < 0) {
    const what = `${label} cuts ${-cut} positions off its input, which has ${length}.`;
    return `${what} Use a longer input, or a padding that is less negative.`;
  }
  const padded = length + left + right;
  if (padded >= extent(layer)) return null;
  const what = `${label} needs ${extent(layer)} positions; its input has ${length}, and ${padded} with padding.`;
  return `${what} Use a longer input, a smaller kernel or more padding.`;
}

/** A string as Python's repr writes it, so that both sides say the same sentence. */
function quoted(text) {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const short = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", [mark]: `\\${mark}` };
  const escaped = text.replace(/[\\'"\x00-\x1f\x7f]/g, (character) => {
    if (character in short) return short[character];
    return character < " " || character === "\x7f" ? `\\x${hexadecimal(character)}` : character;
  });
  return mark + escaped + mark;
}

function hexadecimal(character) {
  return character.charCodeAt(0).toString(16).padStart(2, "0");
}

/** A value as an error message quotes it, in Python's writing. */
function shown(value) {
  if (value == null) return "None";
  if (typeof value === "string") return quoted(value);
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Math.abs(value) === Infinity) return value > 0 ? "inf" : "-inf";
  if (Number.isNaN(value)) return "nan";
  return Array.isArray(value) ? `[${value.map(shown).join(", ")}]` : String(value);
}
