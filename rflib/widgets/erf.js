// The effective-field explorer: the map of a unit, its profile and the law of the square root, measured by Python.

import {
  count, decimal, frame, html, input, onKeys, onTraits, resultLine, select, send, set, svg,
} from "./common.js";
import { playErf } from "./erf_recorded.js";
import { cellPaths, viridis } from "./heat.js";
import { answered } from "./recorded.js";

const WIDE = 360;
const TALL = 260;
const LEFT = 48;
const BOTTOM = 48;
const LETTER = 17;
const DECADES = 4; // of the logarithmic color scale

/**
 * Shares of the largest value as numbers from 0 to 1 for the colors.
 * @param {ArrayLike<number>} heights
 * @param {string} scale "linear", "square root" or "logarithm" (four powers of ten).
 */
export function scaled(heights, scale) {
  const values = Array.from(heights);
  const top = values.reduce((best, value) => Math.max(best, value), 0) || 1;
  if (scale === "square root") return values.map((value) => Math.sqrt(value / top));
  if (scale === "logarithm") {
    return values.map((value) => (value > 0 ? Math.max(0, 1 + Math.log10(value / top) / DECADES) : 0));
  }
  return values.map((value) => value / top);
}

/** Mean and standard deviation of positions, each with its weight. */
export function momentsOf(weights) {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = weights.reduce((sum, weight, at) => sum + at * weight, 0) / total;
  const variance = weights.reduce((sum, weight, at) => sum + (at - mean) ** 2 * weight, 0) / total;
  return { mean, sigma: Math.sqrt(variance) };
}

/** The heights as Python packed them. */
function unpacked(view) {
  const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  return new Float32Array(bytes);
}

/** A line through points, as a path. */
function through(points) {
  return points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join("");
}

/** A picture under a heading. */
function figure(title, picture, legend) {
  return html("figure", {}, html("h4", {}, title), picture, legend);
}

/** Marks and what they mean: classes of the marks, words. */
function legendOf(entries) {
  const samples = entries.map(([mark, text]) => {
    const drawn = svg("svg", { class: "rflib-erf-sample", viewBox: "0 0 24 12", "aria-hidden": "true" }, mark());
    return html("span", {}, drawn, text);
  });
  return html("p", { class: "rflib-erf-legend" }, ...samples);
}

/** The entry of a legend with these words. */
function legendItem(legend, words) {
  return [...legend.children].find((item) => item.textContent === words);
}

/** Which lines the law has: rows are depth, field, closed form, square root, null where there is none. */
export function lawsOf(law) {
  return { closed: law.some((row) => row[2] !== null), root: law.some((row) => row[3] !== null) };
}

const line = (kind) => () => svg("path", { class: kind, d: "M0 6h24" });
const KEYS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 5, PageDown: -5, Home: -99, End: 99 };

/** The map: cells by color, the window as a frame. */
class HeatMap {
  constructor() {
    this.cells = svg("g", { "shape-rendering": "crispEdges" });
    this.window = svg("rect", { class: "rflib-erf-window" });
    this.picture = svg("svg", { class: "rflib-picture rflib-erf-map" }, this.cells, this.window);
  }

  draw(heights, shape, window, scale) {
    const [rows, columns] = shape.length === 2 ? shape : [1, shape[0]];
    const tall = shape.length === 2 ? rows : Math.max(1, columns / 8);
    const pad = Math.max(columns, tall) * 0.02;
    set(this.picture, { viewBox: `${-pad} ${-pad} ${columns + 2 * pad} ${tall + 2 * pad}` });
    const paths = cellPaths(scaled(heights, scale), columns, viridis);
    this.cells.replaceChildren(...paths.map(({ color, path }) => svg("path", { fill: color, d: path })));
    set(this.cells, { transform: `scale(1 ${tall / rows})` });
    const [ys, xs] = window.length === 2 ? window : [[0, tall - 1], window[0]];
    const isRead = xs.length && ys.length;
    set(this.window, isRead
      ? { x: xs[0], y: ys[0], width: xs[1] - xs[0] + 1, height: ys[1] - ys[0] + 1, "stroke-width": 0.6 * pad }
      : { width: 0, height: 0 });
  }
}

/** The profile: shares as an area, the fitted Gaussian, sigma measured and by formula, the window at the foot. */
class Profile {
  constructor() {
    const path = (kind) => svg("path", { class: kind });
    this.area = path("rflib-erf-area");
    this.bell = path("rflib-erf-bell");
    this.sigma = path("rflib-erf-sigma");
    this.formula = path("rflib-erf-formula");
    this.window = path("rflib-erf-foot");
    this.axis = path("rflib-erf-axis");
    this.texts = svg("g");
    const drawn = [this.area, this.axis, this.bell, this.formula, this.sigma, this.window, this.texts];
    this.picture = svg("svg", { class: "rflib-erf-plot", viewBox: `0 0 ${WIDE} ${TALL}`, role: "img" }, ...drawn);
  }

  draw({ profile, gaussian, window, formula }) {
    const foot = TALL - BOTTOM;
    const place = (x) => 8 + ((x + 0.5) / profile.length) * (WIDE - 16);
    const top = Math.max(...profile, gaussian.height);
    const height = (value) => foot - (value / top) * (foot - 14);
    const steps = profile.flatMap((value, i) => [[place(i - 0.5), height(value)], [place(i + 0.5), height(value)]]);
    this.area.setAttribute("d", `${through([[place(-0.5), foot], ...steps, [place(profile.length - 0.5), foot]])}z`);
    const { mean, sigma } = momentsOf(profile);
    const grid = [...Array(161).keys()].map((i) => -0.5 + (profile.length * i) / 160);
    const bell = (x) => gaussian.height * Math.exp(-(((x - gaussian.center) / gaussian.sigma) ** 2) / 2);
    this.bell.setAttribute("d", gaussian.sigma ? through(grid.map((x) => [place(x), height(bell(x))])) : "");
    const posts = (half, rise) => `M${place(mean - half)} ${foot}v${-rise}M${place(mean + half)} ${foot}v${-rise}` +
      `M${place(mean - half)} ${foot - rise}H${place(mean + half)}`;
    this.sigma.setAttribute("d", posts(sigma, 0.38 * (foot - 14)));
    this.formula.setAttribute("d", formula === null ? "" : posts(formula, 0.46 * (foot - 14)));
    const edges = window[window.length - 1];
    const span = edges.length ? `M${place(edges[0] - 0.5)} ${foot + 2}v8M${place(edges[1] + 0.5)} ${foot + 2}v8` : "";
    const bar = edges.length ? `M${place(edges[0] - 0.5)} ${foot + 6}H${place(edges[1] + 0.5)}` : "";
    this.window.setAttribute("d", span + bar);
    this.axis.setAttribute("d", `M8 ${foot}H${WIDE - 8}`);
    const look = { y: TALL - 12, "font-size": LETTER };
    const text = (x, anchor, words) => svg("text", { x, "text-anchor": anchor, ...look }, words);
    const last = String(profile.length - 1);
    const words = [text(8, "start", "0"), text(WIDE / 2, "middle", "input position"), text(WIDE - 8, "end", last)];
    this.texts.replaceChildren(...words);
    this.picture.setAttribute("aria-label", `Profile: standard deviation ${decimal(sigma)} input positions.`);
    return sigma;
  }
}

/** Sigma and field against depth, both axes logarithmic: measured as dots, by formula as lines. */
class Law {
  constructor() {
    const path = (kind) => svg("path", { class: kind });
    this.grid = path("rflib-erf-axis");
    this.field = path("rflib-erf-foot");
    this.formula = path("rflib-erf-formula");
    this.root = path("rflib-erf-root");
    this.dots = path("rflib-erf-dots");
    this.boxes = path("rflib-erf-boxes");
    this.now = svg("circle", { class: "rflib-erf-now", r: 8 });
    this.texts = svg("g");
    const drawn = [this.grid, this.root, this.formula, this.field, this.boxes, this.dots, this.now, this.texts];
    this.picture = svg("svg", { class: "rflib-erf-plot", viewBox: `0 0 ${WIDE} ${TALL}`, role: "img" }, ...drawn);
  }

  draw({ law, visited, depth }) {
    const deepest = Math.max(law.length, 2);
    const ends = [0.5, Math.max(...law.map((row) => row[1]), ...visited.map((row) => row[1])) * 1.2];
    const x = (n) => LEFT + (Math.log(n) / Math.log(deepest)) * (WIDE - LEFT - 16);
    const y = (v) => {
      const share = Math.log(Math.max(v, ends[0]) / ends[0]) / Math.log(ends[1] / ends[0]);
      return TALL - BOTTOM - share * (TALL - BOTTOM - 8);
    };
    const known = (column) => law.filter((row) => row[column] !== null);
    const curve = (column) => through(known(column).map((row) => [x(row[0]), y(row[column])]));
    this.field.setAttribute("d", curve(1));
    this.formula.setAttribute("d", curve(2));
    this.root.setAttribute("d", curve(3));
    const ring = (n, v) => `M${x(n) - 4} ${y(v)}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z`;
    this.dots.setAttribute("d", visited.map(([n, , sigma]) => ring(n, sigma)).join(""));
    this.boxes.setAttribute("d", visited.map(([n, field]) => `M${x(n) - 4} ${y(field) - 4}h8v8h-8z`).join(""));
    const [, , sigma] = visited.find((row) => row[0] === depth);
    set(this.now, { cx: x(depth), cy: y(sigma) });
    const ticks = [1, 2, 5, 10, 20, 50, 100, 200];
    const across = ticks.filter((n) => n <= deepest);
    const up = ticks.filter((v) => v < ends[1]);
    const foot = TALL - BOTTOM;
    const rules = [...up.map((v) => `M${LEFT} ${y(v)}H${WIDE - 8}`), ...across.map((n) => `M${x(n)} ${foot}v5`)];
    this.grid.setAttribute("d", `M${LEFT} 4V${foot}H${WIDE - 8}${rules.join("")}`);
    const text = (at, words) => svg("text", { "font-size": LETTER, ...at }, words);
    this.texts.replaceChildren(
      ...across.map((n) => text({ x: x(n), y: foot + 20, "text-anchor": "middle" }, String(n))),
      ...up.map((v) => text({ x: LEFT - 6, y: y(v) + 6, "text-anchor": "end" }, String(v))),
      text({ x: WIDE - 8, y: TALL - 6, "text-anchor": "end" }, "depth (layers)"),
    );
    const words = `${count(visited.length, "depth")} measured; at depth ${depth} sigma is ${decimal(sigma)}.`;
    this.picture.setAttribute("aria-label", `Sigma and field against depth, both logarithmic: ${words}`);
  }
}

function render({ model: given, el }) {
  const model = answered(given, el, { problem: "problem", play: playErf });
  const root = frame(el, "erf", "Effective receptive field explorer", { model, isPythons: true });
  const offered = model.get("offered");
  const isModule = offered.layers.length > 0;
  const isLine = model.get("answer").shape.length === 1;
  const result = resultLine();
  const problem = html("p", { class: "rflib-erf-problem", role: "alert" });
  const map = new HeatMap();
  const profile = new Profile();
  const law = new Law();
  const why = html("p", { class: "rflib-erf-why" });

  // Controls ----------------------------------------------------------------------------------------------------------
  const controls = {};
  const chooser = (name, label, options) => {
    const onChange = (value) => send(model, { [name]: name === "kernel_size" ? Number(value) : value });
    controls[name] = select(label, { options, value: String(model.get(name)), onChange });
    return controls[name].element;
  };
  const slider = (name, label, max) => {
    controls[name] = input(label, {
      type: "range", value: model.get(name), min: 1, max, onChange: (value) => send(model, { [name]: value }),
    });
    return controls[name].element;
  };
  const bar = html("div", { class: "rflib-controls" });
  if (isModule) bar.append(chooser("layer", "Layer", offered.layers));
  else {
    bar.append(
      slider("depth", "Depth (layers)", model.get("answer").deepest),
      chooser("kernel_size", "Kernel size", offered.kernels.map(String)),
      chooser("weights", "Weights", offered.weights),
      chooser("nonlinearity", "Nonlinearity", offered.nonlinearity),
      chooser("skip", "Skip connections", offered.skip),
      chooser("pattern", "Stride and dilation", offered.pattern),
      slider("draws", "Random draws averaged", offered.draws),
    );
  }
  bar.append(chooser("contribution", "Gradient", offered.contribution), chooser("scale", "Color scale", offered.scale));

  function moveDepth(by) {
    const depth = Math.min(Math.max(model.get("depth") + by, 1), model.get("answer").deepest);
    if (depth !== model.get("depth")) send(model, { depth });
  }
  function moveUnit(axis, by) {
    const units = model.get("answer").units;
    const unit = [...model.get("unit")];
    const at = units.length - 1 - axis;
    if (at < 0) return;
    unit[at] = Math.min(Math.max(unit[at] + by, 0), units[at] - 1);
    send(model, { unit });
  }
  const vertical = { ArrowUp: -1, ArrowDown: 1, PageUp: -5, PageDown: 5 };
  const moves = Object.entries(KEYS).map(([key, by]) => {
    if (!isModule) return [key, () => moveDepth(by)];
    return [key, () => (key in vertical ? moveUnit(1, vertical[key]) : moveUnit(0, by))];
  });
  onKeys(map.picture, isModule
    ? "The map of the effective field. Arrow keys move the unit."
    : "The map of the effective field. Arrow keys change the depth.", Object.fromEntries(moves));

  // Numbers -----------------------------------------------------------------------------------------------------------
  const sigmas = ["Sigma measured", "Closed form", "Fitted Gaussian", "Sigma / field"];
  const names = ["Field", ...sigmas, "Kurtosis (Gaussian: 3)"];
  const cells = names.map(() => html("td"));
  const head = html("tr", {}, ...names.map((name) => html("th", { scope: "col" }, name)));
  const table = html("table", {}, html("thead", {}, head), html("tbody", {}, html("tr", {}, ...cells)));

  function draw() {
    const answer = model.get("answer");
    const { shape, window, size, formula, gaussian, kurtosis } = answer;
    map.draw(unpacked(model.get("heights")), shape, window, model.get("scale"));
    const sigma = profile.draw(answer);
    if (!isModule) {
      law.draw(answer);
      legendItem(profileLegend, "closed form").hidden = formula === null;
      legendItem(lawLegend, "closed form").hidden = !lawsOf(answer.law).closed;
      legendItem(lawLegend, "square root of depth").hidden = !lawsOf(answer.law).root;
      why.textContent = answer.unknown;
      why.hidden = !answer.unknown;
      controls.depth.field.max = answer.deepest;
      controls.draws.field.disabled = !answer.is_random; // equal weights without ReLU: every draw is the same
    }
    for (const [name, control] of Object.entries(controls)) {
      const value = model.get(name);
      control.put(typeof value === "number" && control.field.tagName === "SELECT" ? String(value) : value);
    }
    const quality = gaussian.r_squared === null ? null : gaussian.r_squared.toFixed(3);
    const fitted = quality === null ? "none" : `${decimal(gaussian.sigma)} (R² ${quality})`;
    const texts = [
      shape.length === 2 ? window.map((w) => (w.length ? w[1] - w[0] + 1 : 0)).join(" × ") : String(size),
      decimal(sigma), formula === null ? "none" : decimal(formula), fitted,
      answer.percent, kurtosis === null ? "none" : decimal(kurtosis),
    ];
    cells.forEach((cell, i) => (cell.textContent = texts[i]));
    result.say([answer.sentence, ...answer.notes].join(" "));
    problem.textContent = model.get("problem");
    problem.hidden = !problem.textContent;
    const told = {
      depth: answer.depth, size, sigma: sigma.toFixed(3), visited: answer.visited.length,
      scale: `"${model.get("scale")}"`, kernel: model.get("kernel_size"), weights: `"${model.get("weights")}"`,
      nonlinearity: model.get("nonlinearity"),
      skip: model.get("skip"), pattern: `"${model.get("pattern")}"`, contribution: model.get("contribution"),
      draws: model.get("draws"), layer: `"${model.get("layer")}"`, unit: model.get("unit"), deepest: answer.deepest,
    };
    const shows = Object.entries(told).map(([name, value]) => `${name}=${value}`).join(" ");
    map.picture.setAttribute("data-shows", shows);
  }

  const areaMark = { class: "rflib-erf-area", x: 2, y: 1, width: 20, height: 10 };
  const profileLegend = legendOf([
    [() => svg("rect", areaMark), isLine ? "measured" : "measured, summed over rows"],
    [line("rflib-erf-bell"), "Gaussian fitted to it"],
    [line("rflib-erf-sigma"), "sigma to both sides"],
    ...(isModule ? [] : [[line("rflib-erf-formula"), "closed form"]]),
    [line("rflib-erf-foot"), "receptive field"],
  ]);
  const lawLegend = legendOf([
    [() => svg("path", { class: "rflib-erf-dots", d: "M8 6a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z" }), "sigma measured"],
    [line("rflib-erf-formula"), "closed form"],
    [line("rflib-erf-root"), "square root of depth"],
    [() => svg("path", { class: "rflib-erf-boxes", d: "M8 2h8v8h-8z" }), "field"],
  ]);
  const box = { class: "rflib-erf-window", "stroke-width": 2, x: 5, y: 1, width: 14, height: 10 };
  const windowMark = () => svg("rect", box);
  const mapLegend = legendOf([[windowMark, "receptive field"]]);
  mapLegend.append(html("span", {}, "counts little ", html("span", { class: "rflib-erf-ramp" }), " much"));
  const figures = [figure("Effective field", map.picture, mapLegend)];
  figures.push(figure("Profile", profile.picture, profileLegend));
  if (!isModule) {
    figures.push(figure("Sigma and field against depth", law.picture, lawLegend));
    figures[2].append(why);
  }
  const hint = isModule
    ? "With keys: tab to the map, arrows, Page up, Page down, Home and End move the unit."
    : "With keys: tab to the map, arrows change the depth by 1, Page up and Page down by 5, Home and End to its ends.";
  const panels = html("div", { class: "rflib-erf-panels" }, ...figures);
  const numbers = html("div", { class: "rflib-scroll", tabindex: 0, role: "region", "aria-label": "Numbers" }, table);
  root.append(bar, result.element, problem, panels, numbers, html("p", { class: "rflib-hint" }, hint));
  draw();
  return onTraits(model, ["answer", "problem", "scale"], draw);
}

export default { render };
