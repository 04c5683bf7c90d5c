/**
 * What a stack of dilated layers of stride 1 reads, layer by layer: the sums of one step a layer. Pure, no DOM.
 *
 * An offset is a distance from the unit's own place, in input positions. Without `causal` a layer's padding keeps the
 * length and lies evenly, the odd one on the right, as PyTorch's padding="same"; with it all lies on the left.
 *
 * @typedef {object} Row What a unit reads after some layers.
 * @property {number} first The first offset of its window.
 * @property {Float64Array} counts For each offset of the window the number of paths that lead there.
 * @property {number} span Length of the window.
 * @property {number} read How many offsets are read.
 */

export const LIMITS = { layers: 24, dilation: 1024, kernel: 32, span: 4096 };

/** @param {number | number[]} kernelSize One for all layers, or one for each. @returns {number[]} One for each. */
export function kernelsOf(kernelSize, layers) {
  return Array.isArray(kernelSize) ? kernelSize : new Array(layers).fill(kernelSize);
}

/** Several equal kernel sizes said as one number: the one form in which Python and the browser hold them. */
export function plainKernel(kernels) {
  return kernels.every((kernel) => kernel === kernels[0]) ? kernels[0] : kernels;
}

/** @returns {number[]} How far from its own place a unit of one layer reads, in rising order. */
export function stepsOf(kernel, dilation, causal) {
  const reach = dilation * (kernel - 1);
  const left = causal ? reach : Math.floor(reach / 2);
  return Array.from({ length: kernel }, (_, tap) => tap * dilation - left);
}

/** What is wrong with a schedule, in the words of Python's error; null if it can be drawn. */
export function scheduleProblem(dilations, kernelSize) {
  if (!Array.isArray(dilations) || dilations.length === 0) {
    const got = JSON.stringify(dilations);
    return `\`dilations\` must be a list of integers, one a layer, such as (1, 2, 4); got ${got}.`;
  }
  if (dilations.length > LIMITS.layers) {
    return `\`dilations\` has ${dilations.length} entries; the explorer draws at most ${LIMITS.layers} layers.`;
  }
  const whole = (number, most) => Number.isInteger(number) && number >= 1 && number <= most;
  let bad = dilations.findIndex((dilation) => !whole(dilation, LIMITS.dilation));
  if (bad >= 0) {
    return `The dilation of layer ${bad + 1} must be an integer from 1 to ${LIMITS.dilation}; got ${dilations[bad]}.`;
  }
  if (Array.isArray(kernelSize) && kernelSize.length !== dilations.length) {
    const counts = `${kernelSize.length} entries for ${dilations.length} dilations`;
    return `\`kernel_size\` has ${counts}. Give one number for all layers, or one for each.`;
  }
  const kernels = kernelsOf(kernelSize, dilations.length);
  bad = kernels.findIndex((kernel) => !whole(kernel, LIMITS.kernel));
  if (bad >= 0) {
    return `The kernel size of layer ${bad + 1} must be an integer from 1 to ${LIMITS.kernel}; got ${kernels[bad]}.`;
  }
  const span = dilations.reduce((size, dilation, index) => size + dilation * (kernels[index] - 1), 1);
  if (span <= LIMITS.span) return null;
  const most = `the explorer draws at most ${LIMITS.span}`;
  return `A unit of this stack spans ${span} positions; ${most}. Use smaller dilations or fewer layers.`;
}

/**
 * A schedule as somebody types it.
 * @param {string} text Such as "1, 2, 5".
 * @returns {{dilations?: number[], problem?: string}}
 */
export function parseSchedule(text) {
  const words = text.split(/[\s,;]+/).filter((word) => word !== "");
  const wrong = words.find((word) => !/^\d+$/.test(word));
  if (words.length === 0 || wrong !== undefined) {
    const got = wrong === undefined ? "nothing" : `\u201c${wrong}\u201d`;
    return { problem: `Write the dilations as whole numbers with commas, such as 1, 2, 5; got ${got}.` };
  }
  return { dilations: words.map(Number) };
}

/** @returns {Row[]} Row 0 is the unit itself, row L what a unit of layer L reads. */
export function scheduleRows(dilations, kernelSize, causal) {
  const kernels = kernelsOf(kernelSize, dilations.length);
  const rows = [{ first: 0, counts: Float64Array.of(1), span: 1, read: 1 }];
  dilations.forEach((dilation, index) => {
    const before = rows[index];
    const counts = new Float64Array(before.span + dilation * (kernels[index] - 1));
    for (let tap = 0; tap < kernels[index]; tap++) {
      const from = tap * dilation;
      for (let i = 0; i < before.span; i++) counts[from + i] += before.counts[i];
    }
    let read = 0;
    for (const count of counts) read += count > 0 ? 1 : 0;
    const first = before.first + stepsOf(kernels[index], dilation, causal)[0];
    rows.push({ first, counts, span: counts.length, read });
  });
  return rows;
}

/** How many paths lead to an offset; 0 outside the window. */
export function pathsAt(row, offset) {
  return row.counts[offset - row.first] ?? 0;
}

/**
 * The rule, layer by layer: no dilation larger than the span so far. Then the copies of what was read before touch or
 * overlap, and a run without holes stays one. A layer of one tap makes no copies.
 * @returns {{dilation: number, span: number, excess: number}[]} `excess`: by how much it is broken, or 0.
 */
export function ruleSteps(dilations, kernelSize, rows) {
  const kernels = kernelsOf(kernelSize, dilations.length);
  return dilations.map((dilation, index) => {
    const { span } = rows[index];
    return { dilation, span, excess: kernels[index] > 1 ? Math.max(0, dilation - span) : 0 };
  });
}

/**
 * Some of the paths to an offset, each as one step a layer, the first layer first.
 * @param {number[][]} steps Of each layer, as `stepsOf` gives them.
 * @param {number} most How many to find at most.
 */
export function pathsTo(rows, steps, level, offset, most) {
  if (level === 0) return offset === 0 ? [[]] : [];
  const found = [];
  for (const step of steps[level - 1]) {
    if (found.length >= most) break;
    if (pathsAt(rows[level - 1], offset - step) === 0) continue;
    for (const path of pathsTo(rows, steps, level - 1, offset - step, most - found.length)) found.push([...path, step]);
  }
  return found;
}

/** The nearest offset that is not read, in one direction; null if there is none. */
export function nextBlind(row, offset, direction) {
  for (let at = offset + direction; at >= row.first && at < row.first + row.span; at += direction) {
    if (pathsAt(row, at) === 0) return at;
  }
  return null;
}

/**
 * Whether a schedule does what a task asks.
 * @param {{size: number, kernel_size?: number, layers?: number}} task At least this size, without blind spots.
 * @returns {{wanted: string, missing: string[]}} `missing` is empty if it is solved.
 */
export function taskState(task, dilations, kernelSize, rows) {
  const kernels = kernelsOf(kernelSize, dilations.length);
  const last = rows[rows.length - 1];
  const parts = [`reach at least ${task.size} positions`];
  const missing = [];
  if (last.span < task.size) missing.push(`it spans ${last.span}`);
  if (task.kernel_size !== undefined) {
    parts.push(`with kernel size ${task.kernel_size}`);
    if (kernels.some((kernel) => kernel !== task.kernel_size)) missing.push("another kernel size is used");
  }
  if (task.layers !== undefined) {
    parts.push(`in at most ${task.layers} ${task.layers === 1 ? "layer" : "layers"}`);
    if (dilations.length > task.layers) missing.push(`it has ${dilations.length} layers`);
  }
  const blind = last.span - last.read;
  if (blind > 0) missing.push(`${blind} of its offsets ${blind === 1 ? "is" : "are"} blind`);
  return { wanted: `${parts.join(" ")}, without blind spots`, missing };
}
