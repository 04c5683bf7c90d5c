/** The dilation explorer: a schedule of dilations, what it reads layer by layer, and what it leaves out. */

import {
  button,
  decimal,
  frame,
  grouped,
  html,
  input,
  onKeys,
  onTraits,
  pointAt,
  resultLine,
  select,
  send,
  set,
} from "./common.js";
import {
  LIMITS,
  kernelsOf,
  nextBlind,
  parseSchedule,
  pathsAt,
  plainKernel,
  ruleSteps,
  scheduleProblem,
  scheduleRows,
  stepsOf,
  taskState,
} from "./dilation_sums.js";
import { EDGE, NARROW, SIDE, dilationPictures, legendMark, stripSpace } from "./dilation_view.js";
import { offsetSentence, ruleSentence, scheduleSentence, signed } from "./dilation_words.js";

const DOUBLING = Array.from({ length: 10 }, (_, layer) => 2 ** layer);
const SCHEDULES = [
  { label: "1, 2, 4: doubling", dilations: [1, 2, 4], kernel: 3 },
  { label: "2, 2, 2: gridding", dilations: [2, 2, 2], kernel: 3 },
  { label: "1, 2, 5: no common factor", dilations: [1, 2, 5], kernel: 3 },
  { label: "1, 2, 3", dilations: [1, 2, 3], kernel: 3 },
  { label: "2, 4, 8: a common factor", dilations: [2, 4, 8], kernel: 3 },
  { label: "1, 2, 9: too long a jump", dilations: [1, 2, 9], kernel: 3 },
  { label: "1, 2, 4, 8 twice", dilations: [1, 2, 4, 8, 1, 2, 4, 8], kernel: 3 },
  { label: "WaveNet: 1 to 512, k = 2", dilations: DOUBLING, kernel: 2, causal: true },
  { label: "WaveNet and its first layer", dilations: [1, ...DOUBLING], kernel: 2, causal: true },
  { label: "TCN: two layers a block, 1 to 8", dilations: [1, 1, 2, 2, 4, 4, 8, 8], kernel: 3, causal: true },
];
function render({ model, el }) {
  const root = frame(el, "dilation", "Dilation explorer", { model, isPythons: false });
  const state = { own: Array.isArray(model.get("kernel_size")), width: 760, narrow: false, busy: false };
  let rows = [];
  let rules = [];

  // ------------------------------------------------------------------------------------------------------ the settings

  const problem = html("p", { class: "rflib-problem", role: "status", "aria-live": "polite" });
  const stackOf = () => ({
    dilations: [...model.get("dilations")],
    kernels: [...kernelsOf(model.get("kernel_size"), model.get("dilations").length)],
    causal: model.get("causal"),
  });

  /** Set traits that belong together: nothing is drawn before all of them are there. */
  function put(traits) {
    state.busy = true;
    send(model, traits);
    state.busy = false;
  }

  /** Take a schedule over if it can be drawn; otherwise say why, and leave everything as it is. */
  function take({ dilations, kernels, causal }) {
    const wrong = scheduleProblem(dilations, kernels);
    problem.textContent = wrong ?? "";
    if (wrong !== null) {
      drawControls(); // what was typed gives way to what stands
      return;
    }
    const after = scheduleRows(dilations, kernels, causal);
    const wasLast = model.get("layer") === model.get("dilations").length;
    const layer = wasLast ? dilations.length : Math.min(model.get("layer"), dilations.length);
    const { first, span } = after[layer];
    const offset = Math.min(Math.max(model.get("offset"), first), first + span - 1);
    put({ dilations, kernel_size: plainKernel(kernels), causal, layer, offset });
    redraw();
  }

  const preset = select("schedule", {
    options: [{ value: "own", label: "my own" }, ...SCHEDULES.map(({ label }, at) => ({ value: String(at), label }))],
    value: "own",
    onChange: (chosen) => {
      const { dilations, kernel, causal = false } = SCHEDULES[Number(chosen)] ?? {};
      if (!dilations) return;
      state.own = false;
      take({ dilations, kernels: dilations.map(() => kernel), causal });
    },
  });

  const list = html("input", {
    type: "text",
    class: "rflib-schedule",
    size: 16,
    autocomplete: "off",
    spellcheck: "false",
  });
  let isTyping = false; // what is half written is nobody's schedule: it counts on Enter or when the field is left
  const putList = () => {
    isTyping = false;
    list.value = model.get("dilations").join(", ");
  };
  list.addEventListener("input", () => {
    isTyping = true;
    problem.textContent = "";
  });
  list.addEventListener("change", () => {
    const { dilations, problem: wrong } = parseSchedule(list.value);
    isTyping = false;
    const { kernels, causal } = stackOf();
    const last = kernels[kernels.length - 1];
    if (wrong) problem.textContent = wrong;
    else take({ dilations, kernels: dilations.map((_, index) => kernels[index] ?? last), causal });
    putList();
  });
  list.addEventListener("blur", putList);

  const shared = input("kernel size", {
    value: 3,
    min: 1,
    max: LIMITS.kernel,
    step: 1,
    onChange: (kernel) => take({ ...stackOf(), kernels: stackOf().kernels.map(() => kernel) }),
  });
  const own = input("one for each layer", {
    type: "checkbox",
    value: state.own,
    name: "a kernel size of its own, one for each layer",
    onChange: (on) => {
      state.own = on;
      if (!on) take({ ...stackOf(), kernels: stackOf().kernels.map((_, __, all) => all[0]) });
      redraw();
    },
  });
  const causal = input("causal", {
    type: "checkbox",
    value: false,
    onChange: (on) => take({ ...stackOf(), causal: on }),
  });
  const controls = html(
    "div",
    { class: "rflib-controls" },
    preset.element,
    html("label", { class: "rflib-control" }, html("span", {}, "dilations"), list),
    shared.element,
    own.element,
    causal.element,
  );

  // ---------------------------------------------------------------------------------------------------------- the rows

  const task = html("p", { class: "rflib-task" });
  const verdict = resultLine();
  const cursorLine = resultLine();
  cursorLine.element.classList.add("rflib-cursor-line");
  const { picture, map, drawRows, drawAxis, drawPlane, drawCursor } = dilationPictures();
  const lines = html("div", { class: "rflib-lines" });
  const plot = html("div", { class: "rflib-plot" }, picture, lines);
  const add = button("add a layer", () => {
    const { dilations, kernels, causal: past } = stackOf();
    const twice = Math.min(LIMITS.dilation, 2 * dilations[dilations.length - 1]);
    take({ dilations: [...dilations, twice], kernels: [...kernels, kernels[kernels.length - 1]], causal: past });
  });
  const pool = [];

  function makeLine(index) {
    const change = (name) => (value) => {
      const stack = stackOf();
      stack[name][index] = value;
      take(stack);
    };
    const dilation = input("dilation", {
      value: 1,
      min: 1,
      max: LIMITS.dilation,
      step: 1,
      name: `dilation of layer ${index + 1}`,
      onChange: change("dilations"),
    });
    const kernel = input("kernel", {
      value: 3,
      min: 1,
      max: LIMITS.kernel,
      step: 1,
      name: `kernel size of layer ${index + 1}`,
      onChange: change("kernels"),
    });
    kernel.element.classList.add("rflib-own-kernel");
    // "kernel" is the visible label; the name must hold it.
    const remove = button("\u00d7", () => removeLayer(index), { name: `\u00d7 remove layer ${index + 1}` });
    remove.classList.add("rflib-remove");
    const rule = html("span", { class: "rflib-rule" });
    const number = html("b", { class: "rflib-layer-number", "aria-hidden": "true" }, String(index + 1));
    const fields = html("span", { class: "rflib-fields" }, number, dilation.element, kernel.element, remove);
    return { element: html("div", { class: "rflib-line" }, fields, rule), dilation, kernel, remove, rule };
  }

  function removeLayer(index) {
    const { dilations, kernels, causal: past } = stackOf();
    if (dilations.length === 1) return;
    const without = (numbers) => numbers.filter((_, at) => at !== index);
    take({ dilations: without(dilations), kernels: without(kernels), causal: past });
    const next = Math.min(index, dilations.length - 2);
    (dilations.length > 2 ? pool[next].remove : pool[0].dilation.field).focus();
  }

  // ---------------------------------------------------------------------------------------------------- plane, numbers

  const cells = ["", "size", "read", "blind", "density"].map((name) => ({
    line: html("td", {}),
    plane: html("td", {}),
    name,
  }));
  const caption = html("caption", {});
  const table = html("table", {}, caption);
  const head = html(
    "tr",
    {},
    html("td", {}),
    html("th", { scope: "col" }, "one axis"),
    html("th", { scope: "col" }, "two axes"),
  );
  const body = cells
    .slice(1)
    .map(({ name, line, plane }) => html("tr", {}, html("th", { scope: "row" }, name), line, plane));
  table.append(html("thead", {}, head), html("tbody", {}, ...body));
  const legend = html(
    "ul",
    { class: "rflib-legend" },
    html("li", {}, legendMark("read"), "read; the stronger the color, the more paths"),
    html("li", {}, legendMark("blind"), "blind spot: in the window, not read"),
    html("li", {}, legendMark("copy"), "copies of what the layer before reads, one a tap, a dilation apart"),
    html("li", {}, legendMark("cursor"), "the offset looked at"),
  );
  const rule = html(
    "p",
    { class: "rflib-hint" },
    "The rule: no dilation larger than the span so far. Then the copies touch or overlap, and nothing falls " +
      "between them.",
  );
  const caught = html("figcaption", { class: "rflib-hint" });
  root.append(
    controls,
    problem,
    task,
    verdict.element,
    html("div", { class: "rflib-stage" }, plot, html("div", { class: "rflib-controls" }, add)),
    cursorLine.element,
    html("div", { class: "rflib-below" }, html("figure", {}, map, caught), html("div", {}, table, legend, rule)),
  );

  // ----------------------------------------------------------------------------------------------------------- drawing

  function sayCursor(space) {
    const [level, offset] = [model.get("layer"), model.get("offset")];
    const row = rows[level];
    drawCursor(row, { level, offset }, space, state.width);
    const stack = stackOf();
    const steps = stack.dilations.map((dilation, index) => stepsOf(stack.kernels[index], dilation, stack.causal));
    cursorLine.say(offsetSentence(rows, steps, level, offset));
    const inColumn =
      pathsAt(row, offset) > 0
        ? `${grouped(row.read)} of its ${grouped(row.span)} cells are read`
        : "all of it is blind";
    caught.textContent = [
      `The window in two dimensions, after layer ${level}. A cell is read if its row and its column are;`,
      `column ${signed(offset)}: ${inColumn}.`,
    ].join(" ");
  }

  function drawNumbers(row, level) {
    const [size, read] = [row.span, row.read];
    caption.textContent = `A unit after layer ${level}`;
    const percent = (share) => `${decimal(100 * share, 1)} %`;
    const values = [
      [grouped(size), `${grouped(size)} \u00d7 ${grouped(size)} = ${grouped(size * size)}`],
      [grouped(read), grouped(read * read)],
      [grouped(size - read), grouped(size * size - read * read)],
      [percent(read / size), percent((read / size) ** 2)],
    ];
    values.forEach(([line, plane], at) => {
      cells[at + 1].line.textContent = line;
      cells[at + 1].plane.textContent = plane;
    });
  }

  function drawControls() {
    const { dilations, kernels, causal: past } = stackOf();
    if (Array.isArray(model.get("kernel_size"))) state.own = true;
    root.classList.toggle("rflib-is-own", state.own);
    own.put(state.own);
    causal.put(past);
    shared.put(kernels[0]);
    shared.field.disabled = state.own;
    if (!isTyping) putList();
    const same = ({ dilations: other, kernel, causal: back = false }) =>
      back === past && model.get("kernel_size") === kernel && String(other) === String(dilations);
    preset.put(String(SCHEDULES.findIndex(same)).replace("-1", "own"));
    while (pool.length < dilations.length) pool.push(makeLine(pool.length));
    pool.forEach(({ element, dilation, kernel, remove, rule: said }, index) => {
      if (index >= dilations.length) return element.remove();
      if (!element.isConnected) lines.append(element);
      dilation.put(dilations[index]);
      kernel.put(kernels[index]);
      remove.disabled = dilations.length === 1;
      said.textContent = ruleSentence(rules[index], rows[index + 1]);
      said.classList.toggle("rflib-broken", rules[index].excess > 0);
    });
    add.disabled = dilations.length >= LIMITS.layers;
    const asked = model.get("task");
    task.hidden = !asked?.size;
    if (asked?.size) {
      const { wanted, missing } = taskState(asked, dilations, model.get("kernel_size"), rows);
      task.textContent = missing.length
        ? `Task: ${wanted}. Not yet: ${missing.join("; ")}.`
        : `Task: ${wanted}. \u2713 Solved.`;
      task.classList.toggle("rflib-solved", missing.length === 0);
    }
  }

  function redraw() {
    const { dilations, kernels, causal: past } = stackOf();
    if (scheduleProblem(dilations, kernels) !== null) return; // half of a change from Python: the rest is on its way
    rows = scheduleRows(dilations, kernels, past);
    rules = ruleSteps(dilations, kernels, rows);
    drawControls();
    state.narrow = state.width < (state.own ? NARROW.own : NARROW.shared);
    const space = stripSpace(rows, state);
    root.classList.toggle("rflib-is-narrow", state.narrow);
    const height = (rows.length - 1) * space.pitch + 24;
    set(picture, { viewBox: `0 0 ${state.width} ${height}`, width: state.width, height });
    plot.style.height = `${height}px`;
    drawRows(rows, stackOf(), space);
    drawAxis(rows, space, state.narrow);
    verdict.say(scheduleSentence(rows, rules));
    look();
  }

  let drawnLevel = null;
  function look() {
    const [level, offset] = [model.get("layer"), model.get("offset")];
    const row = rows[level];
    if (!row || offset < row.first || offset >= row.first + row.span) return; // a message that is not complete yet
    if (drawnLevel !== row) drawPlane(row);
    drawnLevel = row;
    drawNumbers(row, level);
    sayCursor(stripSpace(rows, state));
    const kernel = [model.get("kernel_size")].flat().join(",");
    const numbers = `size=${row.span} read=${row.read} blind=${row.span - row.read}`;
    const shows = `dilations=${model.get("dilations").join(",")} kernel=${kernel} layer=${level} offset=${offset}`;
    set(picture, { "data-shows": `${shows} paths=${pathsAt(row, offset)} ${numbers}` });
  }

  // ------------------------------------------------------------------------------------------------------------ moving

  function moveTo(level, offset) {
    const layer = Math.min(Math.max(level, 1), rows.length - 1);
    const { first, span } = rows[layer];
    const inside = Math.min(Math.max(offset, first), first + span - 1);
    if (layer === model.get("layer") && inside === model.get("offset")) return;
    put({ layer, offset: inside });
    look();
  }
  const by = (level, offset) => () => moveTo(model.get("layer") + level, model.get("offset") + offset);
  const end = (last) => () => {
    const { first, span } = rows[model.get("layer")];
    moveTo(model.get("layer"), last ? first + span - 1 : first);
  };
  const blind = (direction) => () => {
    const found = nextBlind(rows[model.get("layer")], model.get("offset"), direction);
    if (found !== null) moveTo(model.get("layer"), found);
  };
  onKeys(
    picture,
    "What a unit reads after each layer. Left and right: the offset. Up and down: the layer. Home and End: the " +
      "ends of the window. Page Up and Page Down: the blind spot before and after.",
    {
      ArrowLeft: by(0, -1),
      ArrowRight: by(0, 1),
      ArrowUp: by(-1, 0),
      ArrowDown: by(1, 0),
      Home: end(false),
      End: end(true),
      PageUp: blind(-1),
      PageDown: blind(1),
    },
  );
  picture.addEventListener("pointermove", (event) => {
    const point = pointAt(picture, event);
    const { low, left, cell, pitch } = stripSpace(rows, state);
    moveTo(Math.floor(point.y / pitch) + 1, low + Math.floor((point.x - left - EDGE) / cell));
  });
  map.addEventListener("pointermove", (event) => {
    const row = rows[model.get("layer")];
    moveTo(model.get("layer"), row.first + Math.floor((pointAt(map, event).x * row.span) / SIDE));
  });
  set(map, { "aria-label": "The same in two dimensions; the sentence below says what it shows." });

  const stops = [
    onTraits(model, ["dilations", "kernel_size", "causal", "task"], () => state.busy || redraw()),
    onTraits(model, ["layer", "offset"], () => state.busy || look()),
  ];
  const watcher = new ResizeObserver(([entry]) => {
    const width = Math.floor(entry.contentRect.width);
    if (width < 40 || width === state.width) return;
    state.width = width;
    redraw();
  });
  redraw();
  watcher.observe(plot);
  return () => {
    watcher.disconnect();
    stops.forEach((stop) => stop());
  };
}

export default { render };
