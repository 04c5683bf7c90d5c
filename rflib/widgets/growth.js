// The growth explorer in the browser: five curves, a cursor, and a table of how far each way gets for the same price.

import {
  button,
  decimal,
  frame,
  grouped,
  html,
  input,
  onKeys,
  onTraits,
  oncePerFrame,
  pointAt,
  resultLine,
  select,
  send,
  set,
  svg,
} from "./common.js";
import { WAYS, designNumbers, wayRows, wayWords } from "./growth_designs.js";
import {
  apart,
  endLabels,
  engineering,
  growthScales,
  growthSentence,
  growthState,
  nearest,
  placed,
  plotOf,
  thinned,
} from "./growth_chart.js";

const SHAPING = ["depth", "channels", "input_size", "kernels", "axis", "log"];
const TRAITS = [...SHAPING, "way", "step"];
const KERNELS = ["3", "5", "7", "9", "11"];
const AXES = [
  { value: "steps", label: "steps" },
  { value: "parameters", label: "parameters" },
  { value: "multiply_adds", label: "multiply-adds" },
];
const AXIS_NAMES = {
  steps: "steps (each one more layer; of large kernels: a larger kernel)",
  parameters: "parameters",
  multiply_adds: "multiply-adds for one example",
};
const NAMES = ["field", "output stride", "holes", "parameters", "multiply-adds"];
// Each way has its own dashes and its own mark: filled ones, and larger hollow ones that show round them.
const LOOKS = [
  { dash: null, mark: (x, y) => disk(x, y, 4), filled: true },
  { dash: "9 5", mark: (x, y) => polygon(x, y, [[-6, -6], [6, -6], [6, 6], [-6, 6]]), filled: false },
  { dash: "2 4", mark: (x, y) => polygon(x, y, [[0, -6], [6, 5], [-6, 5]]), filled: true },
  { dash: "12 4 2 4", mark: (x, y) => polygon(x, y, [[0, -6], [5, 0], [0, 6], [-5, 0]]), filled: true },
  { dash: "5 4", mark: (x, y) => `M${x - 7} ${y}h14M${x} ${y - 7}v14`, filled: false },
];

function disk(x, y, radius) {
  return `M${x - radius} ${y}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0`;
}

function polygon(x, y, corners) {
  return `M${corners.map(([right, down]) => `${x + right} ${y + down}`).join("L")}z`;
}

function render({ model, el }) {
  const name = "Growth explorer: the receptive field against its price, in five ways";
  const root = frame(el, "growth", name, { model, isPythons: false });
  const line = resultLine();
  const problem = html("p", { class: "rflib-growth-problem", role: "alert" });
  let known = null; // curves, scales and places: computed anew only where a cursor's move is not enough
  let isQuiet = false;

  const traits = () => Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
  const change = (values) => {
    isQuiet = true;
    send(model, values);
    isQuiet = false;
    draw();
  };

  const controls = growthControls(traits(), change);
  const chart = growthChart();
  const table = growthTable(traits().kernels, change, (way) => change({ way }));
  root.append(controls.element, chart.element, line.element, problem, table.element, hint());

  function draw() {
    if (isQuiet) return;
    const given = traits();
    const width = chart.element.clientWidth;
    const key = JSON.stringify([width, ...SHAPING.map((name) => given[name])]);
    const isNew = !known || known.key !== key;
    const state = growthState(given, isNew ? null : known);
    if (isNew) {
      const plot = plotOf(width, endLabels(state.curves));
      const scales = growthScales(state, given.axis, given.log, plot);
      known = { ...state, key, width, plot, scales, places: placed(state, scales, given.axis) };
      chart.drawCurves(known, given);
    }
    chart.drawCursor(known, state, given);
    controls.put(given);
    table.put(state, given);
    fit();
    line.say(growthSentence(given, state));
    say(problem, model.get("problem") ?? "");
    const { axis, way, depth, channels, input_size, kernels, log } = given;
    const at = state.cursor ? `step=${state.cursor.step} size=${state.cursor.size}` : "step=0";
    const setting = `depth=${depth} channels=${channels} input=${input_size} kernels=${kernels} log=${log}`;
    chart.picture.setAttribute("data-shows", `axis=${axis} way=${way.replace(" ", "-")} ${at} ${setting}`);
  }

  /** A table too wide for its place loses the column of the stacks, then all columns: names stand at the numbers. */
  function fit() {
    root.classList.remove("rflib-narrow", "rflib-tight");
    for (const look of ["rflib-narrow", "rflib-tight"]) {
      if (table.element.scrollWidth > table.element.clientWidth) root.classList.add(look);
    }
  }

  const moveTo = (step) => {
    const { way } = traits();
    const last = known.curves[WAYS.indexOf(way)].points.length;
    change({ step: Math.max(1, Math.min(step, Math.max(1, last))) });
  };
  const here = () => {
    const { way, step } = traits();
    return Math.min(step, Math.max(1, known.curves[WAYS.indexOf(way)].points.length));
  };
  const turn = (by) => {
    const index = WAYS.indexOf(traits().way) + by;
    change({ way: WAYS[(index + WAYS.length) % WAYS.length] });
  };
  onKeys(chart.picture, "Chart of the curves. Left and right arrow: step; up and down arrow: way; Home, End.", {
    ArrowLeft: () => moveTo(here() - 1),
    ArrowRight: () => moveTo(here() + 1),
    PageUp: () => moveTo(here() + 10),
    PageDown: () => moveTo(here() - 10),
    Home: () => moveTo(1),
    End: () => moveTo(Infinity),
    ArrowUp: () => turn(-1),
    ArrowDown: () => turn(1),
  });
  const follow = oncePerFrame((event) => {
    const { way, step } = traits();
    const found = nearest(known.places, pointAt(chart.picture, event), way, 60);
    if (found && (found.way !== way || found.step !== step)) change(found);
  });
  chart.picture.addEventListener("pointermove", follow);
  chart.picture.addEventListener("pointerdown", follow);
  const watched = new ResizeObserver(() => {
    if (known.width !== chart.element.clientWidth) draw();
  });
  watched.observe(chart.element);
  draw();
  const release = onTraits(model, [...TRAITS, "problem"], draw);
  return () => {
    watched.disconnect();
    release();
  };
}

function hint() {
  const keys = "Keys on the chart: \u2190 \u2192 step, \u2191 \u2193 way, Home, End. With the mouse: point at a curve.";
  const ends = "A curve ends where its price leaves the chart, or where the window is so wide that it holds ";
  return html("p", { class: "rflib-hint" }, `${keys} ${ends}the whole input wherever it stands.`);
}

function growthControls(given, change) {
  const axis = select("horizontal axis", {
    options: AXES,
    value: given.axis,
    onChange: (value) => change({ axis: value }),
  });
  const log = input("logarithmic", { type: "checkbox", value: given.log, onChange: (value) => change({ log: value }) });
  const range = (label, trait, min, max) =>
    input(label, {
      type: "range", value: given[trait], min, max, step: 1, onChange: (value) => change({ [trait]: value }),
    });
  const ranges = {
    depth: range("depth", "depth", 1, 16),
    channels: range("channels", "channels", 1, 512),
    input_size: range("input size", "input_size", 8, 1024),
  };
  const element = html("div", { class: "rflib-controls" }, axis.element, log.element);
  set(ranges.depth.field, { title: "The chart goes as far to the right as so many layers of depth cost." });
  element.append(...Object.values(ranges).map((control) => control.element));
  const put = (now) => {
    axis.put(now.axis);
    log.put(now.log);
    for (const [trait, control] of Object.entries(ranges)) control.put(now[trait]);
  };
  return { element, put };
}

function growthChart() {
  const picture = svg("svg", { class: "rflib-picture" });
  const grid = svg("path", { class: "rflib-growth-grid" });
  const texts = svg("g", {});
  const cursorLine = svg("path", { class: "rflib-growth-cursor" });
  const leaders = svg("path", { class: "rflib-growth-leaders" });
  const rings = svg("path", { class: "rflib-growth-rings" });
  const ring = svg("path", { class: "rflib-growth-ring" });
  const lines = WAYS.map((_, index) => {
    const look = { class: `rflib-way rflib-way-${index}`, "stroke-dasharray": LOOKS[index].dash };
    return svg("path", look);
  });
  const marks = WAYS.map((_, index) => {
    return svg("path", { class: `rflib-mark rflib-way-${index} ${LOOKS[index].filled ? "rflib-filled" : ""}` });
  });
  const labels = WAYS.map(() => svg("text", { class: "rflib-growth-label" }));
  const heading = svg("text", { x: 6, y: 18, class: "rflib-growth-heading" });
  heading.textContent = "receptive field (input positions)";
  const below = svg("text", {});
  picture.append(grid, texts, heading, below, cursorLine, leaders, ...lines, ...marks, rings, ring, ...labels);

  /** The grid, the numbers at it, the curves and their names. */
  function drawCurves({ curves, scales, places, plot }, { axis }) {
    const { x, y } = scales;
    const isWide = plot.sample > 0;
    set(picture, { viewBox: `0 0 ${plot.width} ${plot.height}` });
    set(below, { x: isWide ? (plot.left + plot.right) / 2 : 6, y: plot.height - 6, "text-anchor": isWide && "middle" });
    let path = "";
    for (const tick of y.ticks) path += `M${plot.left} ${y.place(tick)}H${plot.right}`;
    for (const tick of x.ticks) path += `M${x.place(tick)} ${plot.bottom}v5`;
    set(grid, { d: `${path}M${plot.left} ${plot.bottom}H${plot.right}` });
    const left = y.ticks.map((tick) => [plot.left - 8, y.place(tick) + 5, "end", engineering(tick)]);
    const room = Math.ceil(x.ticks.length / Math.max(1, (plot.right - plot.left) / 44));
    const numbered = x.ticks.filter((_, index) => index % room === 0);
    const under = numbered.map((tick) => [x.place(tick), plot.bottom + 21, "middle", engineering(tick)]);
    texts.replaceChildren(
      ...[...left, ...under].map(([at, height, anchor, text]) => {
        return svg("text", { x: at, y: height, "text-anchor": anchor }, text);
      }),
    );
    below.textContent = isWide ? AXIS_NAMES[axis] : AXES.find(({ value }) => value === axis).label;
    const words = endLabels(curves);
    const ends = places.map((curvePlaces) => curvePlaces.at(-1) ?? { x: plot.right, y: plot.bottom });
    const heights = apart(ends.map((end) => end.y), 25, plot.top + 4, plot.bottom - 4);
    let lead = "";
    WAYS.forEach((way, index) => {
      const [end, height] = [ends[index], heights[index]];
      const { mark } = LOOKS[index];
      const sample = `M${plot.right + 22} ${height}h${plot.sample}`;
      const route = places[index].map((place, i) => `${i ? "L" : "M"}${place.x} ${place.y}`).join("");
      set(lines[index], { d: route + sample });
      const drawn = thinned(places[index], 15);
      const own = mark(plot.right + 22 + plot.sample / 2, height);
      set(marks[index], { d: drawn.map((place) => mark(place.x, place.y)).join("") + own });
      if (places[index].length) lead += `M${end.x} ${end.y}L${plot.right + (isWide ? 18 : 12)} ${height}`;
      set(labels[index], { x: plot.right + 34 + plot.sample, y: height + 5 });
      labels[index].textContent = words[index];
    });
    set(leaders, { d: lead });
  }

  function drawCursor({ scales, places, plot }, { most, compared }, { way }) {
    const at = scales.x.place(most);
    set(cursorLine, { d: `M${at} ${plot.top}V${plot.bottom}` });
    let [others, own] = ["", ""];
    compared.forEach((point, index) => {
      if (!point) return;
      const { x, y } = places[index][point.step - 1];
      if (WAYS[index] === way) own = disk(x, y, 11);
      else others += disk(x, y, 8);
    });
    set(rings, { d: others });
    set(ring, { d: own });
    WAYS.forEach((name, index) => {
      for (const part of [lines[index], marks[index], labels[index]]) {
        part.classList.toggle("rflib-chosen", name === way);
      }
    });
  }
  const element = html("div", { class: "rflib-growth-chart" }, picture);
  return { element, picture, drawCurves, drawCursor };
}

/** How far each way gets for the price at the cursor; a way's name chooses it, its kernel stands beside it. */
function growthTable(kernels, change, choose) {
  let current = kernels;
  const rows = WAYS.map((way, index) => {
    const name = button(way, () => choose(way), { pressed: false, name: `${way}: put the cursor here` });
    const kernel = select("", {
      options: KERNELS,
      value: String(kernels[index]),
      name: `kernel size of ${way}`,
      onChange: (value) => change({ kernels: current.map((size, at) => (at === index ? Number(value) : size)) }),
    });
    // Roles in so many words: a table without columns would no longer be one for a screen reader.
    const numbers = NAMES.map((title) => html("td", { role: "cell", "data-name": title }));
    const cells = [html("td", { class: "rflib-growth-stack", role: "cell" }), ...numbers];
    const under = html("div", { class: "rflib-growth-under" }); // the stack again, where its column has no room
    const head = html("th", { scope: "row", role: "rowheader" }, name, under);
    const kernelCell = html("td", { role: "cell", "data-name": "kernel" }, kernel.element);
    const row = html("tr", { role: "row" }, head, kernelCell, ...cells);
    const stack = (text) => {
      say(cells[0], text);
      say(under, text);
    };
    return { row, name, kernel, cells, stack };
  });
  const heads = ["way", "kernel", "stack", ...NAMES].map((text) => html("th", { scope: "col", role: "columnheader" }, text));
  const caption = html("caption", {});
  const body = html("tbody", { role: "rowgroup" }, ...rows.map(({ row }) => row));
  const top = html("thead", { role: "rowgroup" }, html("tr", { role: "row" }, ...heads));
  const element = html(
    "div",
    { class: "rflib-scroll", tabindex: 0, role: "region", "aria-label": "Table of the five ways at the cursor" },
    html("table", { role: "table" }, caption, top, body),
  );
  const put = ({ most, compared, curves }, { axis, way, kernels: now, channels, input_size }) => {
    current = now;
    const price = axis === "steps" ? `${grouped(most)} steps` : `${grouped(most)} ${axis.replace("_", "-")}`;
    say(caption, `How far each way gets for ${price === "1 steps" ? "1 step" : price}`);
    rows.forEach(({ row, name, kernel, cells, stack: tellStack }, index) => {
      const isChosen = WAYS[index] === way;
      row.classList.toggle("rflib-chosen", isChosen);
      set(name, { "aria-pressed": String(isChosen) });
      kernel.put(String(now[index]));
      const point = compared[index];
      if (!point) {
        tellStack("its first step costs more");
        cells.slice(1).forEach((cell) => say(cell, "\u2013"));
        return;
      }
      const stack = designNumbers(wayRows(WAYS[index], point.step, now[index]), { channels, inputSize: input_size });
      const { points, end } = curves[index];
      const isWhole = end === "whole" && point.step === points.length;
      const why = isWhole ? "; sees the whole input" : "";
      tellStack(wayWords(WAYS[index], point.step, now[index]) + why);
      const holes = stack.density === 1 ? "none" : `${decimal(100 * (1 - stack.density), 1)}%`;
      const numbers = [grouped(stack.size), grouped(stack.stride), holes];
      numbers.push(grouped(stack.parameters), grouped(stack.multiply_adds));
      numbers.forEach((text, at) => say(cells[at + 1], text));
    });
  };
  return { element, put };
}

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export default { render };
