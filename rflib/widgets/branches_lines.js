/**
 * What a unit sees through each of several branches: windows that repeat, mean lines, and what would align them. What
 * rflib/graph/lines.py and alignment.py say, for layers on one axis without end. Pure, no DOM.
 *
 * @typedef {{kind: "conv" | "pool" | "transposed" | "nearest", kernel_size: number, stride: number,
 *   padding: [number, number], dilation: number}} Spec One layer; the stride of "nearest" is its factor.
 * @typedef {{n: number, d: number}} Ratio A fraction in lowest terms, d at least 1.
 * @typedef {object} Course Windows that repeat: unit u + period sees what unit u sees, step positions further.
 * @property {number} period
 * @property {number} step
 * @property {number[][]} windows One a phase, positions in rising order.
 * @typedef {{stride: Ratio, center: Ratio}} MeanLine Positions a unit on average, and where unit 0 looks.
 */

export const BRANCH_LIMITS = {
  branches: [2, 3],
  layers: 6,
  upsampling: 16,
  span: 400,
  lastUnit: 31,
  padding: [-32, 200],
};
export const BRANCH_RANGES = { kernel_size: [1, 15], stride: [1, 4], dilation: [1, 32] };

/** @returns {Ratio} */
export function ratio(n, d = 1) {
  const divisor = commonDivisor(n, d) * Math.sign(d);
  return { n: n / divisor + 0, d: d / divisor }; // + 0: no minus zero
}

export function minus(one, other) {
  return ratio(one.n * other.d - other.n * one.d, one.d * other.d);
}

export function equal(one, other) {
  return one.n === other.n && one.d === other.d;
}

function over(one, other) {
  return ratio(one.n * other.d, one.d * other.n);
}

function commonDivisor(one, other) {
  let [a, b] = [Math.abs(one), Math.abs(other)];
  while (b) [a, b] = [b, a % b];
  return a;
}

const floorDiv = (number, by) => Math.floor(number / by);

/** The units of its input that unit `unit` of a layer reads. */
export function layerReads(spec, unit) {
  const { kind, kernel_size: kernel, stride, dilation, padding } = spec;
  if (kind === "nearest") return [floorDiv(unit, stride)];
  if (kind !== "transposed")
    return Array.from({ length: kernel }, (_, tap) => unit * stride - padding[0] + tap * dilation);
  const found = [];
  for (let tap = kernel - 1; tap >= 0; tap--) {
    const scaled = unit + padding[0] - tap * dilation;
    if (scaled % stride === 0) found.push(scaled / stride + 0);
  }
  return found;
}

/** The positions that a unit sees. */
export function seenBy(course, unit) {
  const turns = floorDiv(unit, course.period);
  return course.windows[unit - turns * course.period].map((position) => position + turns * course.step);
}

/** A course seen through one more layer. */
function through(course, spec) {
  const upsamples = spec.kind === "transposed" || spec.kind === "nearest";
  const [phases, shift] = upsamples ? [spec.stride, 1] : [1, spec.stride];
  const times = course.period / commonDivisor(course.period, shift);
  const windows = Array.from({ length: phases * times }, (_, unit) =>
    joinedPositions(layerReads(spec, unit).map((read) => seenBy(course, read))),
  );
  return { period: phases * times, step: (course.step * shift * times) / course.period, windows };
}

/** Several lists of positions as one, in rising order. */
export function joinedPositions(lists) {
  return [...new Set(lists.flat())].sort((one, other) => one - other);
}

/** @param {Spec[]} branch @returns {Course[]} What is seen before any layer, after the first, ... after the last. */
export function coursesOf(branch) {
  const courses = [{ period: 1, step: 1, windows: [[0]] }];
  for (const spec of branch) courses.push(through(courses[courses.length - 1], spec));
  return courses;
}

/** @param {Course} course @returns {Ratio} Positions from one unit to the next, on average. */
export function slopeOf(course) {
  return ratio(course.step, course.period);
}

/** @param {Course} course @returns {MeanLine | null} null if some unit reads nothing: such a branch takes no part. */
export function meanLine(course) {
  if (course.windows.some((window) => window.length === 0)) return null;
  const stride = slopeOf(course);
  let center = ratio(0);
  course.windows.forEach((window, phase) => {
    const middle = ratio(window[0] + window[window.length - 1], 2);
    center = minus(center, minus(ratio(stride.n * phase, stride.d), middle));
  });
  return { stride, center: over(center, ratio(course.period)) };
}

/** How many units a branch makes of an input of this length, whatever its layers; null if a layer does not fit. */
export function unitsOf(branch, length) {
  for (const { kind, kernel_size: kernel, stride, dilation, padding } of branch) {
    const extent = dilation * (kernel - 1) + 1;
    const [around, room] = [padding[0] + padding[1], length + padding[0] + padding[1] - extent];
    if (kind === "nearest") length *= stride;
    else if (kind === "transposed") length = (length - 1) * stride + extent - around;
    else if (room < 0) return null;
    else length = Math.floor(room / stride) + 1;
    if (length < 1) return null;
  }
  return length;
}

/** What cannot be drawn about some branches, in the words of Python's error; null if all of it can. */
export function branchesProblem(branches) {
  for (const [index, branch] of branches.entries()) {
    const [number, most] = [index + 1, BRANCH_LIMITS.layers];
    if (branch.length > most)
      return `Branch ${number} has ${branch.length} layers; the explorer draws at most ${most}.`;
    for (const [place, spec] of branch.entries()) {
      const wrong = numberProblem(spec, `layer ${place + 1} of branch ${number}`);
      if (wrong !== null) return wrong;
    }
    const factor = branch.reduce(
      (all, { kind, stride }) => (kind === "transposed" || kind === "nearest" ? all * stride : all),
      1,
    );
    if (factor > BRANCH_LIMITS.upsampling) {
      const followed = BRANCH_LIMITS.upsampling;
      return `Branch ${number} upsamples by ${factor} in all; the explorer follows at most ${followed}.`;
    }
    const course = coursesOf(branch)[branch.length];
    const spans = course.windows.map((window) => (window.length ? window[window.length - 1] - window[0] + 1 : 0));
    const [span, slope] = [Math.max(...spans), slopeOf(course)];
    if (Math.max(span, slope.n / slope.d) > BRANCH_LIMITS.span) {
      const moves = slope.d === 1 ? slope.n : `${slope.n}/${slope.d}`;
      const far = `spans ${span} positions and moves ${moves} a unit; the explorer draws at most ${BRANCH_LIMITS.span}`;
      return `Branch ${number} ${far}. Use smaller kernels, strides or dilations.`;
    }
  }
  return null;
}

function numberProblem(spec, where) {
  for (const [name, [least, most]] of Object.entries(BRANCH_RANGES)) {
    if (Number.isInteger(spec[name]) && spec[name] >= least && spec[name] <= most) continue;
    return `\`${name}\` of ${where} must be an integer from ${least} to ${most}; got ${spec[name]}.`;
  }
  const [least, most] = BRANCH_LIMITS.padding;
  if (spec.padding.every((side) => Number.isInteger(side) && side >= least && side <= most)) return null;
  const wanted = `an integer from ${least} to ${most}, or two of them, (left, right)`;
  return `\`padding\` of ${where} must be ${wanted}; got [${spec.padding.join(", ")}].`;
}

/**
 * The smallest changes of paddings after which all centers agree.
 *
 * Every branch in turn is taken as the one that stays; each of the others is moved by the padding of one layer. A
 * layer's padding on the left moves the window by the stride before it (a transposed layer's, the other way, by the
 * stride behind it), so that not every gap can be closed. Of equal changes the one is taken after which the branches
 * have equally many units.
 *
 * @param {Spec[][]} branches
 * @returns {{branches: Spec[][], changes: {branch: number, layer: number, from: [number, number],
 *   to: [number, number]}[]} | null} Numbers counted from 1; no changes if nothing is to mend, null if nothing helps.
 */
export function mended(branches) {
  const courses = branches.map(coursesOf);
  const lines = courses.map((all) => meanLine(all[all.length - 1]));
  const known = branches.map((_, index) => index).filter((index) => lines[index] !== null);
  if (known.some((index) => !equal(lines[index].stride, lines[known[0]].stride))) return null;
  let best = null;
  for (const fixed of known) {
    let plan = { branches, changes: [], cost: 0 };
    for (const index of known) {
      if (plan === null || equal(lines[index].center, lines[fixed].center)) continue;
      plan = moved(plan, index, minus(lines[index].center, lines[fixed].center), courses[index], fixed);
    }
    if (plan !== null && (best === null || plan.cost < best.cost)) best = plan;
  }
  return best === null ? null : { branches: best.branches, changes: best.changes };
}

/** A plan with one more branch moved to the left by `gap`; null if no padding of it does that. */
function moved(plan, index, gap, courses, fixed) {
  let best = null;
  plan.branches[index].forEach((spec, place) => {
    if (spec.kind === "nearest") return;
    const back = spec.kind === "transposed";
    const per = slopeOf(courses[back ? place + 1 : place]);
    const change = over(gap, per);
    if (change.d !== 1) return;
    const left = spec.padding[0] + (back ? -change.n : change.n);
    for (const right of new Set([
      spec.padding[1] + left - spec.padding[0],
      spec.padding[1],
      spec.padding[0] + spec.padding[1] - left,
    ])) {
      if ([left, right].some((side) => side < BRANCH_LIMITS.padding[0] || side > BRANCH_LIMITS.padding[1])) continue;
      const changed = { ...spec, padding: [left, right] };
      const branch = plan.branches[index].map((other, at) => (at === place ? changed : other));
      const all = plan.branches.map((other, at) => (at === index ? branch : other));
      // Cutting off is the last resort; unequal lengths and uneven padding count less than a change.
      const cost =
        Math.abs(change.n) +
        100 +
        (Math.min(left, right) < 0 ? 1000 : 0) +
        (unitsOf(branch, 64) === unitsOf(all[fixed], 64) ? 0 : 50) +
        (left === right ? 0 : 5);
      if (best !== null && best.cost <= plan.cost + cost) continue;
      const step = { branch: index + 1, layer: place + 1, from: spec.padding, to: changed.padding };
      best = { branches: all, changes: [...plan.changes, step], cost: plan.cost + cost };
    }
  });
  return best;
}
