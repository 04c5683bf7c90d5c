/** What the branch explorer says, in sentences. Pure, no DOM. */

import { equal, minus } from "./branches_lines.js";

/** A fraction as a reader writes it: 1.5, 4/3. */
export function ratioText({ n, d }) {
  const text = [1, 2, 4, 8, 16].includes(d) ? String(n / d) : `${n}/${d}`;
  return text.replace("-", "\u2212");
}

export function positionsText(value) {
  if (value.n === 1 && value.d === 2) return "half a position";
  return `${ratioText(value)} position${value.n === 1 && value.d === 1 ? "" : "s"}`;
}

/**
 * Whether the branches are aligned, in Python's words.
 * @param {(import("./branches_lines.js").MeanLine | null)[]} lines
 * @returns {{aligned: boolean, sentence: string}}
 */
export function alignmentVerdict(lines) {
  const known = lines.map((line, index) => ({ line, number: index + 1 })).filter(({ line }) => line !== null);
  const silent = lines.flatMap((line, index) => (line === null ? [index + 1] : []));
  const aside = silent.map((number) => ` Branch ${number} has units that read nothing: it takes no part.`).join("");
  if (known.length < 2) {
    const few = `only ${known.length} of ${lines.length} branches reads something at every unit`;
    return { aligned: true, sentence: `Nothing to compare: ${few}.${aside}` };
  }
  const [first, ...others] = known;
  const { stride, center } = first.line;
  for (const { line, number } of others) {
    if (!equal(line.stride, stride)) {
      const [one, other] = [positionsText(stride), positionsText(line.stride)];
      const drift = `branch ${first.number} moves ${one} a unit, branch ${number} moves ${other}`;
      return {
        aligned: false,
        sentence: `Not aligned: ${drift}. They drift apart, whatever the padding: change a stride.${aside}`,
      };
    }
    if (!equal(line.center, center)) {
      const gap = minus(line.center, center);
      const far = `${positionsText({ n: Math.abs(gap.n), d: gap.d })} too far ${gap.n > 0 ? "right" : "left"}`;
      const [here, there] = [ratioText(line.center), ratioText(center)];
      const what = `branch ${number} has center ${here} where branch ${first.number} has ${there}`;
      return { aligned: false, sentence: `Not aligned: ${what}, ${far}.${aside}` };
    }
  }
  const where = `every branch moves ${positionsText(stride)} a unit, and unit 0 looks at position ${ratioText(center)}`;
  return { aligned: true, sentence: `Aligned: ${where}.${aside}` };
}

/** First and last of some positions. */
export function windowText(positions) {
  if (positions.length === 0) return "nothing";
  const [first, last] = [positions[0], positions[positions.length - 1]];
  const text = first === last ? String(first) : `${first} to ${last}`;
  return text.replaceAll("-", "\u2212");
}

/** What one unit reads, through each branch and together. */
export function unitSentence(unit, windows, union) {
  const parts = windows.map((positions, index) => {
    const [first, last] = [positions[0], positions[positions.length - 1]];
    const middle = last > first ? `, centered on ${halfText(first + last)}` : "";
    return `branch ${index + 1} reads ${windowText(positions)}${middle}`;
  });
  const span = union.length ? union[union.length - 1] - union[0] + 1 : 0;
  const holes = span > union.length ? `, but only ${union.length} of these ${span} positions` : "";
  return `Unit ${unit}: ${parts.join("; ")}. Together ${windowText(union)}${holes}.`;
}

function halfText(twice) {
  return String(twice / 2).replace("-", "\u2212");
}

/** What mending has changed. */
export function mendSentence(changes) {
  const side = ([left, right]) => (left === right ? String(left) : `(${left}, ${right})`).replaceAll("-", "\u2212");
  const said = changes.map(({ branch, layer, from, to }) => {
    const cut = Math.min(...to) < 0 ? " (it cuts positions off)" : "";
    return `the padding of layer ${layer} of branch ${branch} changed from ${side(from)} to ${side(to)}${cut}`;
  });
  return `Mended: ${said.join(", and ")}. Now the centers agree.`;
}

/** Why no padding helps. */
export function hopelessSentence(lines) {
  const known = lines.filter((line) => line !== null);
  if (known.some((line) => !equal(line.stride, known[0].stride))) {
    return "No padding mends it: the branches move at different strides. Change a stride.";
  }
  return (
    "No padding mends it: a padding moves a window by whole steps of its own layer, and what is left between the " +
    "centers is no such step. Change a kernel size."
  );
}
