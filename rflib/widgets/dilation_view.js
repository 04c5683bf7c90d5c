/** How the dilation explorer draws: a strip for each layer, the window in the plane, the marks of the legend. */

import { set, svg } from "./common.js";
import { stepsOf } from "./dilation_sums.js";
import { signed } from "./dilation_words.js";

const SHADES = 5;
const ROW = { height: 60, copies: 6, strip: 16, thick: 20, words: 18 };
/** Pixels: below, a row's fields stand above its strip, for its sentence has no room beside them. */
export const NARROW = { shared: 700, own: 820 };
export const EDGE = 8;
export const SIDE = 260;

/** The step of the axis: about so many labels, at round numbers. */
export function tickStep(span, labels) {
  const rough = Math.max(1, span / labels);
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough);
}

/** How strongly a number of paths is shaded: 1 to SHADES. */
export function shadeOf(paths, most) {
  return Math.max(1, Math.ceil((SHADES * paths) / most));
}

/** Neighboring offsets of equal kind as one piece: [kind, first index, last index]; kind 0 is blind. */
export function runsOf(counts, apart) {
  let most = 0;
  for (const paths of counts) most = Math.max(most, paths);
  const runs = [];
  for (let index = 0; index < counts.length; index++) {
    const kind = counts[index] === 0 ? 0 : shadeOf(counts[index], most);
    const latest = runs[runs.length - 1];
    if (!apart && latest && latest[0] === kind) latest[2] = index;
    else runs.push([kind, index, index]);
  }
  return runs;
}

/** A mark of the legend. */
export function legendMark(kind) {
  const mark = svg("svg", { class: "rflib-key", viewBox: "0 0 22 16", width: 22, height: 16, "aria-hidden": "true" });
  if (kind === "read") {
    mark.append(
      svg("path", { class: "rflib-shade-2", d: "M1 2h9v12h-9z" }),
      svg("path", { class: "rflib-shade-5", d: "M12 2h9v12h-9z" }),
    );
  }
  if (kind === "blind") mark.append(svg("path", { class: "rflib-blind", d: "M6 3l10 10M16 3l-10 10" }));
  if (kind === "copy") mark.append(svg("path", { class: "rflib-copies", d: "M1 5h12M9 10h12" }));
  if (kind === "cursor") mark.append(svg("rect", { class: "rflib-cursor", x: 5, y: 1.5, width: 12, height: 13 }));
  return mark;
}

/** Where everything lies: pixels of the picture, so that its text stands upright at any width. */
export function stripSpace(rows, state) {
  const last = rows[rows.length - 1];
  const [low, high] = [Math.min(...rows.map(({ first }) => first)), last.first + last.span - 1];
  const left = state.narrow ? 0 : state.own ? 316 : 194;
  const width = Math.max(120, state.width - left - 2 * EDGE);
  const above = state.narrow ? 36 : 0;
  const cell = width / (high - low + 1);
  return {
    low,
    high,
    left,
    right: left + width + 2 * EDGE,
    cell,
    pitch: ROW.height + (state.narrow ? above + ROW.words : 0),
    above,
    x: (offset) => left + EDGE + (offset - low) * cell,
  };
}

function crossAt(x, y, size) {
  return `M${x - size} ${y - size}l${2 * size} ${2 * size}m0 ${-2 * size}l${-2 * size} ${2 * size}`;
}

/** The two pictures, empty, and what fills them. */
export function dilationPictures() {
  const picture = svg("svg", { class: "rflib-picture" });
  const map = svg("svg", { class: "rflib-plane", viewBox: `0 0 ${SIDE} ${SIDE}`, role: "img" });
  const parts = {
    copies: [svg("path", { class: "rflib-copies" }), svg("path", { class: "rflib-copies rflib-other" })],
  };
  parts.shades = Array.from({ length: SHADES }, (_, at) => svg("path", { class: `rflib-shade-${at + 1}` }));
  parts.blind = svg("path", { class: "rflib-blind" });
  parts.holes = svg("path", { class: "rflib-holes" });
  parts.row = svg("rect", { class: "rflib-row" });
  parts.cursor = svg("rect", { class: "rflib-cursor" });
  parts.own = svg("path", { class: "rflib-own-place" });
  parts.axis = svg("g", { class: "rflib-axis" });
  picture.append(
    parts.row,
    parts.own,
    ...parts.copies,
    ...parts.shades,
    parts.holes,
    parts.blind,
    parts.cursor,
    parts.axis,
  );
  const planeParts = {
    read: svg("rect", { class: "rflib-shade-5" }),
    blind: svg("path", { class: "rflib-plane-paper" }),
    marks: svg("path", { class: "rflib-plane-marks" }),
    own: svg("path", { class: "rflib-plane-own" }),
    cursor: svg("rect", { class: "rflib-cursor" }),
  };
  map.append(...Object.values(planeParts));

  /** All strips at once: one path for each kind of mark. */
  function drawRows(rows, { dilations, kernels, causal }, space) {
    const paths = Array.from({ length: SHADES }, () => []);
    const copies = [[], []];
    const [holes, crosses] = [[], []];
    const { cell, x, pitch, above } = space;
    const apart = cell >= 5;
    const gap = apart ? Math.min(2, cell * 0.12) : 0;
    for (let level = 1; level < rows.length; level++) {
      const top = (level - 1) * pitch + above;
      const { first, counts } = rows[level];
      for (const [kind, from, to] of runsOf(counts, apart)) {
        const [left, width] = [x(first + from), (to - from + 1) * cell];
        if (kind > 0)
          paths[kind - 1].push(`M${left + gap / 2} ${top + ROW.strip}h${width - gap}v${ROW.thick}h${gap - width}z`);
        else if (apart)
          crosses.push(crossAt(left + cell / 2, top + ROW.strip + ROW.thick / 2, Math.min(5, cell * 0.36)));
        else
          holes.push(
            `M${left} ${top + ROW.strip + ROW.thick / 2 - 2}h${Math.max(width, 0.8)}v4h${-Math.max(width, 0.8)}z`,
          );
      }
      const before = rows[level - 1];
      stepsOf(kernels[level - 1], dilations[level - 1], causal).forEach((step, tap) => {
        const [left, width] = [x(before.first + step) + gap / 2, before.span * cell - gap];
        copies[tap % 2].push(`M${left} ${top + ROW.copies + 5 * (tap % 2)}h${Math.max(1, width)}`);
      });
    }
    paths.forEach((path, at) => set(parts.shades[at], { d: path.join("") }));
    copies.forEach((path, at) => set(parts.copies[at], { d: path.join("") }));
    set(parts.holes, { d: holes.join("") });
    set(parts.blind, { d: crosses.join("") });
  }

  function drawAxis(rows, space, isNarrow) {
    const { low, high, x, cell, pitch } = space;
    const bottom = (rows.length - 1) * pitch;
    const step = tickStep(high - low + 1, isNarrow ? 6 : 10);
    const texts = [];
    for (let at = Math.ceil(low / step) * step; at <= high; at += step) {
      const half = 4.2 * signed(at).length;
      const inside = Math.min(Math.max(x(at) + cell / 2, half), space.right - half);
      texts.push(svg("text", { x: inside, y: bottom + 16, "text-anchor": "middle" }, signed(at)));
    }
    parts.axis.replaceChildren(...texts);
    // Beside the strips only: a line through the words below them would be in their way.
    const pieces = rows
      .slice(1)
      .map((_, at) => `M${x(0) + cell / 2} ${at * pitch + space.above + 1}v${ROW.strip + ROW.thick + 3}`);
    set(parts.own, { d: pieces.join("") });
  }

  /** The window in the plane: a column and a row for every offset that is not read, over what is. */
  function drawPlane(row) {
    const cell = SIDE / row.span;
    const strips = runsOf(row.counts, false).filter(([kind]) => kind === 0);
    const down = strips.map(
      ([, from, to]) => `M${from * cell} 0h${(to - from + 1) * cell}v${SIDE}h${-(to - from + 1) * cell}z`,
    );
    const over = strips.map(([, from, to]) => `M0 ${from * cell}h${SIDE}v${(to - from + 1) * cell}h${-SIDE}z`);
    set(planeParts.read, { x: 0, y: 0, width: SIDE, height: SIDE });
    set(planeParts.blind, { d: down.join("") + over.join("") });
    const marks = [];
    if (cell >= 5) {
      const size = Math.min(3, cell * 0.3);
      for (let y = 0; y < row.span; y++) {
        for (let x = 0; x < row.span; x++) {
          if (row.counts[x] && row.counts[y]) continue;
          marks.push(crossAt((x + 0.5) * cell, (y + 0.5) * cell, size));
        }
      }
    }
    set(planeParts.marks, { d: marks.join("") });
    const own = (0.5 - row.first) * cell;
    set(planeParts.own, { d: `M${own} ${own - 6}v12M${own - 6} ${own}h12` });
  }

  /** The layer and the offset looked at, in both pictures. */
  function drawCursor(row, { level, offset }, space, width) {
    const { x, cell, pitch, above, left } = space;
    const top = (level - 1) * pitch;
    const wide = Math.max(cell, 6);
    set(parts.row, { x: left, y: top, width: width - left, height: pitch - 2, rx: 4 });
    const across = { x: x(offset) + cell / 2 - wide / 2, width: wide };
    set(parts.cursor, { ...across, y: top + above + ROW.strip - 2, height: ROW.thick + 4 });
    const small = SIDE / row.span;
    const column = Math.max(small, 4);
    const middle = (offset - row.first + 0.5) * small;
    set(planeParts.cursor, { x: middle - column / 2, y: 1, width: column, height: SIDE - 2 });
  }

  return { picture, map, drawRows, drawAxis, drawPlane, drawCursor };
}
