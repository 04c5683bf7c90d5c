/** The branch explorer: two or three branches, what a unit behind their meeting sees through each, alignment mended. */

import { button, frame, html, onKeys, onTraits, pointAt, resultLine, select, send, set } from "./common.js";
import {
  BRANCH_LIMITS,
  branchesProblem,
  coursesOf,
  meanLine,
  mended,
  joinedPositions,
  unitsOf,
} from "./branches_lines.js";
import { BRANCH_PRESETS, layerSpec } from "./branches_presets.js";
import {
  alignmentVerdict,
  hopelessSentence,
  mendSentence,
  ratioText,
  unitSentence,
  windowText,
} from "./branches_words.js";
import { branchPicture, viewFor } from "./branches_view.js";
import { branchEditor } from "./branches_editor.js";

const LENGTH = 64;

/** What all layers would see as one chain, as residual networks are often miscounted; null with upsampling. */
export function chainSize(branches) {
  const all = branches.flat();
  if (all.some(({ kind }) => kind === "transposed" || kind === "nearest")) return null;
  const [window] = coursesOf(all)[all.length].windows;
  return window[window.length - 1] - window[0] + 1;
}

function render({ model, el }) {
  const root = frame(el, "branches", "Branch explorer", { model, isPythons: false });
  const state = { width: 640, busy: false, view: null, shown: null };
  const read = () => model.get("branches");

  // ------------------------------------------------------------------------------------------------------ the settings

  const problem = html("p", { class: "rflib-problem", role: "status", "aria-live": "polite" });
  const verdict = resultLine();
  const unitLine = resultLine();
  unitLine.element.classList.add("rflib-unit-line");
  const mendLine = html("p", { class: "rflib-mend-line", role: "status", "aria-live": "polite" });

  function put(traits) {
    state.busy = true;
    send(model, traits);
    state.busy = false;
  }

  /** Take branches over if they can be drawn; otherwise say why not, and leave everything as it is. */
  function take(branches, others = {}) {
    const wrong = branchesProblem(branches);
    problem.textContent = wrong ?? "";
    if (wrong !== null) return false;
    mendLine.textContent = "";
    put({ branches, ...others });
    redraw();
    return true;
  }

  const preset = select("branches", {
    options: [
      { value: "own", label: "my own" },
      ...BRANCH_PRESETS.map(({ label }, at) => ({ value: String(at), label })),
    ],
    value: "own",
    onChange: (chosen) => {
      const found = BRANCH_PRESETS[Number(chosen)];
      state.view = null;
      if (found) take(found.branches, { meeting: found.meeting });
    },
  });
  const meeting = select("that meet in", {
    options: [
      { value: "add", label: "an addition" },
      { value: "concatenate", label: "a concatenation" },
    ],
    value: "add",
    onChange: (chosen) => {
      put({ meeting: chosen });
      redraw();
    },
  });
  const more = button("add a branch", () => take([...read(), [layerSpec("conv", 3, 1, 1)]]));
  const fewer = button("remove the last branch", () => take(read().slice(0, -1)));
  const mend = button("mend the alignment", () => {
    const plan = mended(read());
    if (plan === null) {
      mendLine.textContent = hopelessSentence(read().map((branch) => meanLine(coursesOf(branch)[branch.length])));
    } else if (take(plan.branches)) {
      mendLine.textContent = mendSentence(plan.changes);
    }
  });

  // ----------------------------------------------------------------------------------------------- picture and numbers

  const { picture, draw, ruler } = branchPicture();
  const plot = html("div", { class: "rflib-plot" }, picture);
  const legend = html(
    "p",
    { class: "rflib-hint" },
    "Brackets: the unit\u2019s window through each branch, with the positions read. Above them: where the " +
      "branch\u2019s units look on average, the chosen unit at the triangle, an arrow to the next. " +
      "Hatched: padding, left of the input.",
  );
  const heads = ["", "reads", "positions a unit", "center of unit 0", `units of ${LENGTH} positions`];
  const body = html("tbody", {});
  const table = html(
    "table",
    {},
    html(
      "thead",
      {},
      html("tr", {}, ...heads.map((text) => (text ? html("th", { scope: "col" }, text) : html("td", {})))),
    ),
    body,
  );
  const chain = html("p", { class: "rflib-hint" });
  const editor = branchEditor(read, take);
  const controls = html("div", { class: "rflib-controls" }, preset.element, meeting.element, mend);
  root.append(
    controls,
    problem,
    verdict.element,
    mendLine,
    plot,
    unitLine.element,
    legend,
    html("div", { class: "rflib-scroll" }, table),
    chain,
    editor.element,
    html("div", { class: "rflib-controls" }, more, fewer),
  );

  let courses = [];
  function redraw() {
    const branches = read();
    courses = branches.map((branch) => coursesOf(branch)[branch.length]);
    const isAs = (found) => found.meeting === model.get("meeting") && sameBranches(found.branches, branches);
    preset.put(String(BRANCH_PRESETS.findIndex(isAs)).replace("-1", "own"));
    meeting.put(model.get("meeting"));
    more.disabled = branches.length >= BRANCH_LIMITS.branches[1];
    fewer.disabled = branches.length <= BRANCH_LIMITS.branches[0];
    editor.show(branches);
    const sizes = courses.map(({ windows }) =>
      Math.max(...windows.map((window) => (window.length ? window[window.length - 1] - window[0] + 1 : 0))),
    );
    const long = chainSize(branches);
    chain.textContent =
      long === null || long <= Math.max(...sizes)
        ? ""
        : `Counted as one chain, all these layers would see ${long} positions. They stand side by side: ` +
          `the widest branch sees ${Math.max(...sizes)}.`;
    look();
  }

  function look() {
    const unit = model.get("unit");
    const branches = read();
    state.view = viewFor(state.view, courses, unit);
    const { lines, windows } = draw({ courses, unit, view: state.view, width: state.width });
    const union = joinedPositions(windows);
    const { aligned, sentence } = alignmentVerdict(lines);
    verdict.say(sentence);
    verdict.element.classList.toggle("rflib-misaligned", !aligned);
    mend.disabled = aligned;
    unitLine.say(unitSentence(unit, windows, union));
    const rows = branches.map((branch, index) => {
      const line = lines[index];
      const units = unitsOf(branch, LENGTH);
      return [
        `branch ${index + 1}`,
        windowText(windows[index]),
        line ? ratioText(line.stride) : "\u2013",
        line ? ratioText(line.center) : "\u2013",
        units === null ? "none: too short" : String(units),
      ];
    });
    rows.push(["together", windowText(union), "", "", fits(branches)]);
    fill(body, rows);
    const span = (list) => (list.length ? `${list[0]}..${list[list.length - 1]}` : "none");
    const centers = lines.map((line) => (line ? `${line.center.n}/${line.center.d}` : "none")).join("|");
    const shows = `unit=${unit} aligned=${aligned} windows=${windows.map(span).join("|")} union=${span(union)}`;
    set(picture, { "data-shows": `${shows} reads=${union.length} centers=${centers}` });
  }

  function fits(branches) {
    const lengths = branches.map((branch) => unitsOf(branch, LENGTH));
    return lengths.every((length) => length === lengths[0]) ? "equal: they fit" : "differ: crop or pad first";
  }

  // ------------------------------------------------------------------------------------------------------------ moving

  function moveTo(unit) {
    const inside = Math.min(Math.max(unit, 0), BRANCH_LIMITS.lastUnit);
    if (inside === model.get("unit")) return;
    put({ unit: inside });
    look();
  }
  const by = (step) => () => moveTo(model.get("unit") + step);
  onKeys(
    picture,
    "The window of one unit through each branch. Left and right: the unit before and after. Page Up and Page Down: " +
      "five units. Home and End: the first and the last unit.",
    {
      ArrowLeft: by(-1),
      ArrowRight: by(1),
      PageUp: by(-5),
      PageDown: by(5),
      Home: () => moveTo(0),
      End: () => moveTo(BRANCH_LIMITS.lastUnit),
    },
  );
  picture.addEventListener("pointermove", (event) => {
    const position = ruler(state.view, state.width).at(pointAt(picture, event).x);
    const line = courses.map(meanLine).find((found) => found !== null);
    if (!line || position < state.view.low - 0.5 || position > state.view.high + 0.5) return;
    moveTo(Math.round((position - line.center.n / line.center.d) / (line.stride.n / line.stride.d)));
  });

  const stops = [
    onTraits(model, ["branches", "meeting"], () => {
      if (state.busy) return;
      mendLine.textContent = "";
      redraw();
    }),
    onTraits(model, ["unit"], () => state.busy || look()),
  ];
  const watcher = new ResizeObserver(([entry]) => {
    const width = Math.floor(entry.contentRect.width);
    if (width < 40 || width === state.width) return;
    state.width = width;
    look();
  });
  redraw();
  watcher.observe(plot);
  return () => {
    watcher.disconnect();
    stops.forEach((stop) => stop());
  };
}

function sameBranches(one, other) {
  const text = (branches) =>
    JSON.stringify(
      branches.map((branch) =>
        branch.map((spec) => [spec.kind, spec.kernel_size, spec.stride, spec.padding, spec.dilation]),
      ),
    );
  return text(one) === text(other);
}

/** Rows of text into a table body, the first cell of each as its heading; cells are kept. */
function fill(body, rows) {
  while (body.rows.length > rows.length) body.rows[body.rows.length - 1].remove();
  rows.forEach((texts, index) => {
    const row =
      body.rows[index] ??
      body.appendChild(html("tr", {}, html("th", { scope: "row" }), ...texts.slice(1).map(() => html("td", {}))));
    texts.forEach((text, at) => void (row.cells[at].textContent !== text && (row.cells[at].textContent = text)));
  });
}

export default { render };
