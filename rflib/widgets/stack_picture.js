// The stack explorer's picture: rows of units, the cone of one, what it feeds; names of the rows beside it.

import { count, freshId, html, set, svg } from "./common.js";
import { decimal } from "./common.js";
import { axisTicks, bracket, profile, ROOM, SHADES, stackLayout, unitPaths, unitRows } from "./stack_view.js";
import { nameOfLayer, numbersOfLayer, signed } from "./stack_words.js";

const OF_UNIT = ["fan", "cone", "lines", "windows", "padding", "read", "fed", "chosen", "ring"];
// From the back to the front.
const MARKS = [
  "fan", "cone", "lines", "units", "windows", "padding", "read", "fed", "chosen", "ring", "bracket", "bars", "sigma",
];

// Heights of rows: below the first a row's name has one line; from the second on its numbers may take two.
const [TWO_LINES, WRAPPED] = [34, 48];

/** The picture and the names of its rows; `draw` shows a unit, `lay` a stack. */
export function stackPicture() {
  const hatch = freshId("hatch");
  const picture = svg("svg", { class: "rflib-picture" });
  const stroke = svg("path", { class: "rflib-hatch-line", d: "M-1 1l2 -2M0 6l6 -6M5 7l2 -2" });
  const pattern = svg("pattern", { id: hatch, width: 6, height: 6, patternUnits: "userSpaceOnUse" }, stroke);
  picture.append(svg("defs", {}, pattern));
  const mark = (name) => svg(name === "units" ? "g" : "path", { class: `rflib-${name}` });
  const paths = Object.fromEntries(MARKS.map((name) => [name, mark(name)]));
  paths.padding.style.fill = `url(#${hatch})`;
  const shades = Array.from({ length: SHADES }, (_, step) => {
    return svg("path", { class: "rflib-read", "fill-opacity": (step + 1.4) / (SHADES + 0.4) });
  });
  const axis = svg("g", { class: "rflib-axis" });
  const words = ["window", "sigma"].map((name) => svg("text", { class: `rflib-text-${name}` }));
  for (const name of MARKS) {
    picture.append(paths[name]);
    if (name === "read") picture.append(...shades);
  }
  picture.append(axis, ...words);
  const names = html("div", { class: "rflib-rows", "aria-hidden": "true" });
  const element = html("div", { class: "rflib-stage" }, names, picture);
  let layout = null;

  /** Lay out a stack anew. */
  function lay(layers, inputSize, width, effective) {
    layout = stackLayout(layers, inputSize, width, effective);
    set(picture, { viewBox: `0 0 ${layout.width} ${layout.height}`, height: layout.height });
    paths.units.replaceChildren(...unitRows(layout).map((row) => svg("path", row)));
    const y = layout.rows[0].y + layout.rowHeight / 2 + 12;
    axis.replaceChildren(...axisTicks(layout).map(({ position, x }) => {
      const half = 3.6 * String(position).length; // an end of the axis may lie closer to the border
      const inside = Math.min(Math.max(x, half), layout.width - half);
      return svg("text", { x: inside, y, "text-anchor": "middle" }, String(position));
    }));
    nameRows(names, layout);
    return layout;
  }

  /** Show one unit; `view` is unitView's. */
  function draw(view) {
    const drawn = unitPaths(layout, view);
    for (const name of OF_UNIT) set(paths[name], { d: drawn[name] });
    const isOutlined = layout.rows[0].pitch >= 6; // a faint one is read too, and must not pass for one that is not
    drawn.shades.forEach((path, step) => set(shades[step], { d: path, "data-outlined": isOutlined }));
    const below = bracket(layout, view);
    set(paths.bracket, { d: below.path });
    const size = view.size === 1 ? "1 position" : `${signed(view.size)} positions`;
    write(words[0], `${signed(view.first)} to ${signed(view.last)}: ${size}`, below.middle, below.y, layout.width);
    const bars = profile(layout, view);
    set(paths.bars, { d: bars.bars });
    set(paths.sigma, { d: bars.sigma });
    const sigma = bars.sigma ? `\u03c3 = ${decimal(view.spread)}` : "";
    const wide = 6 + sigma.length * 7.5;
    const beside = bars.x + wide < layout.width ? bars.x + wide / 2 + 4 : bars.left - wide / 2 - 4;
    write(words[1], sigma, beside, bars.y + 4, layout.width);
  }

  return { element, picture, lay, draw, layout: () => layout };
}

/** A text about a place, moved so that it stays inside. */
function write(element, text, x, y, width) {
  const half = text.length * 3.7;
  const inside = Math.min(Math.max(x, half), Math.max(width - half, half));
  set(element, { x: inside, y, "text-anchor": "middle" });
  if (element.textContent !== text) element.textContent = text;
}

/** The names of the rows, each as high as its row, and of what stands below the input. */
function nameRows(names, { layers, lengths, problem, rowHeight, effective }) {
  names.style.paddingTop = `${ROOM.top}px`;
  const isShort = rowHeight < WRAPPED;
  const rows = layers.map((layer, index) => {
    const length = lengths[index + 1];
    const misfit = problem && index + 1 === problem.layer ? "does not fit" : "no units";
    const units = length === undefined ? misfit : isShort ? `${length}` : count(length, "unit");
    return rowName(nameOfLayer(layer, index + 1), numbersOfLayer(layer), units, rowHeight, layer.kind === "pooling");
  });
  const tail = [ROOM.axis, ROOM.window, ...(effective ? [ROOM.effective] : [])];
  const below = ["position", "window", "share of paths"].slice(0, tail.length).map((text, index) => {
    return html("div", { class: "rflib-row rflib-row-tail", style: `height: ${tail[index]}px` }, text);
  });
  names.replaceChildren(...rows.reverse(), rowName("input", "", `${lengths[0]} units`, rowHeight, false), ...below);
}

function rowName(name, numbers, units, height, isPooling) {
  const said = `${numbers ? `${numbers} · ` : ""}${units}`;
  const look = height < TWO_LINES ? " rflib-row-low" : height < WRAPPED ? "" : " rflib-row-wrapped";
  const kind = isPooling ? html("span", { class: "rflib-kind" }, "pool") : "";
  return html(
    "div",
    { class: `rflib-row${look}`, style: `height: ${height}px`, title: `${name}: ${said}` },
    html("span", { class: "rflib-row-name" }, html("b", {}, name), kind),
    html("span", { class: "rflib-row-numbers" }, said),
  );
}
