// The stack explorer: a stack to change layer by layer, and to look into unit by unit.

import { button, frame, freshId, html, input, onKeys, onTraits, oncePerFrame } from "./common.js";
import { pointAt, resultLine, send, set } from "./common.js";
import { decimal } from "./common.js";
import { layerEditor } from "./stack_editor.js";
import { stackPicture } from "./stack_picture.js";
import { atLevel, changed, drawable, isCausal, levelLengths, LIMITS, plainLayer } from "./stack_state.js";
import { sameStack, stackProblem, standsAt, taskMissing, taskStatus } from "./stack_state.js";
import { sumPanels } from "./stack_sums.js";
import { unitAt, unitView } from "./stack_view.js";
import { resultSentence } from "./stack_words.js";

const VIEWS = ["recursion", "closed form", "effective"];
const TRAITS = ["stack", "input_size", "level", "unit", "preset", "show", "goal"];
const NARROWEST = 120;

const HINT = "Hover to look, click to stay; or use the arrow keys on the picture.";
const CENTERED = "Each unit stands over the center of its window.";
const CAUSAL = "This stack is causal: each unit stands over the last position of its window.";
const KEYS = "Arrow keys left and right: the next unit; up and down: the next layer; Home and End: the first and the " +
  "last unit; Page up and Page down: the last layer and the input.";

/** What the picture shows, in one attribute: tests and benchmarks wait for its change. */
function shows({ layers, level, unit, size, first, last, read, spread }, inputSize, open) {
  const stack = layers.map(({ kind, kernel_size, stride, padding, dilation }) => {
    return [kind === "pooling" ? "p" : "c", kernel_size, stride, padding.join("|"), dilation].join(".");
  });
  const sigma = Number.isNaN(spread) ? "none" : decimal(spread, 4);
  return `level=${level} unit=${unit} size=${size} first=${first} last=${last} read=${read} sigma=${sigma} ` +
    `input=${inputSize} show=${open.join("+")} stack=${stack.join(",")}`.replaceAll(" form", "-form");
}

function render({ model, el }) {
  const root = frame(el, "stack", "Stack explorer", { model, isPythons: false });
  const look = stackPicture();
  const sums = sumPanels();
  const result = resultLine();
  const trouble = html("p", { class: "rflib-trouble", role: "status", "aria-live": "polite", hidden: true });
  let complaint = null;
  let isOurs = false;
  let laid = null;
  let width = 640; // of the picture; measured only when it changes, for measuring makes the browser lay out the page
  let chosen = null; // where the picture goes back to when the mouse leaves it
  let place = null; // the place on the axis that moving up and down keeps to

  const now = () => drawable({
    layers: model.get("stack"), inputSize: model.get("input_size"), level: model.get("level"), unit: model.get("unit"),
  });

  /** Take on a state: here at once, in Python as soon as it hears of it. */
  function put({ layers, inputSize, level, unit }, more = {}) {
    const traits = Object.entries({ stack: layers, input_size: inputSize, level, unit, ...more });
    isOurs = true;
    send(model, Object.fromEntries(traits.filter(([name, value]) => model.get(name) !== value)));
    isOurs = false;
    draw();
  }

  /** Put a unit that is to stay. */
  function stay(state, more) {
    chosen = { level: state.level, unit: state.unit };
    put(state, more);
  }

  /** Change the stack or the input; a sentence, and no change, if that cannot be. */
  function change(what) {
    const refused = what.layers ? stackProblem(what.layers) : null;
    complain(refused);
    if (refused !== null) return refused;
    const state = changed(now(), what);
    const known = model.get("presets").find(({ name }) => name === model.get("preset"));
    place = null;
    stay(state, { preset: known && sameStack(known.stack, state.layers) ? known.name : "" });
    return null;
  }

  function complain(sentence) {
    complaint = sentence;
    sayTrouble();
  }

  function sayTrouble() {
    const problem = laid?.layout.problem?.message;
    const text = [complaint, problem].filter(Boolean).join(" ");
    trouble.hidden = text === "";
    if (trouble.textContent !== text) trouble.textContent = text;
  }

  const editor = layerEditor({
    edit: (index, what) => change({ layers: edited(now().layers, index, what) }),
    move: (index, by) => change({ layers: exchanged(now().layers, index, index + by) }),
    remove: (index) => change({ layers: now().layers.filter((_, at) => at !== index) }),
    complain,
  });
  const add = (layer) => () => change({ layers: [...now().layers, layer] });
  const adding = html("div", { class: "rflib-controls" },
    button("Add convolution", add(plainLayer(3, 1, [1, 1]))),
    button("Add pooling", add(plainLayer(2, 2, [0, 0], 1, "pooling"))),
  );
  editor.element.addEventListener("rflib-empty", () => adding.querySelector("button").focus());

  const presets = presetChooser(model.get("presets"), (preset) => {
    complain(null);
    place = null;
    const { stack: layers, input_size: inputSize, level, unit, name } = preset;
    stay({ layers, inputSize, level, unit }, { preset: name });
  });
  const length = input("input positions", {
    value: model.get("input_size"), min: 1, max: LIMITS.input, step: 1, onChange: (inputSize) => change({ inputSize }),
  });
  const open = VIEWS.map((view) => input(view === "effective" ? "effective field" : view, {
    type: "checkbox",
    value: true,
    onChange: (isOpen) => {
      const show = VIEWS.filter((each) => (each === view ? isOpen : model.get("show").includes(each)));
      put(now(), { show });
    },
  }));
  const task = taskLine();
  const note = html("p", { class: "rflib-note" });
  const marks = legend();
  const hint = html("p", { class: "rflib-hint" });
  root.append(
    html("div", { class: "rflib-controls" }, presets.element, length.element),
    note, task.element, look.element, result.element, trouble, marks.element,
    hint,
    editor.element, adding,
    html("div", { class: "rflib-controls", role: "group", "aria-label": "views" }, ...open.map((view) => view.element)),
    sums.element,
  );

  function draw() {
    const state = now();
    const show = model.get("show");
    const isNew = laid === null || laid.layers !== state.layers || laid.inputSize !== state.inputSize ||
      laid.width !== width || laid.effective !== show.includes("effective");
    if (isNew) {
      const effective = show.includes("effective");
      const layout = look.lay(state.layers, state.inputSize, width, effective);
      laid = { layers: state.layers, inputSize: state.inputSize, width, effective, layout };
      editor.update(state.layers, layout.problem?.layer);
      length.put(state.inputSize);
      presets.put(model.get("preset"));
      open.forEach(({ put: tick }, index) => tick(show.includes(VIEWS[index])));
      sayTrouble();
    }
    const known = model.get("presets").find(({ name }) => name === model.get("preset"));
    presets.put(known ? known.name : "");
    note.textContent = known ? known.note : "Your own stack: change its layers below the picture.";
    hint.textContent = `${HINT} ${isCausal(state.layers) ? CAUSAL : CENTERED}`;
    task.update(model.get("goal"), state.layers);
    const view = unitView(laid.layout, state.level, state.unit);
    look.draw(view);
    editor.mark(state.level);
    sums.update(view, show);
    open.forEach(({ put: tick }, index) => tick(show.includes(VIEWS[index])));
    result.say(resultSentence(view));
    set(look.picture, { "data-shows": shows(view, state.inputSize, show) });
  }

  /** Move to the unit that is so many units away, or to one by its number. */
  function toUnit(find) {
    const state = now();
    const last = levelLengths(state.layers, state.inputSize)[state.level] - 1;
    place = null;
    stay({ ...state, unit: Math.min(Math.max(find(state.unit, last), 0), last) });
  }

  function toLevel(level) {
    const state = now();
    place ??= standsAt(state.layers, state.level, state.unit);
    stay(atLevel(state, level, place));
  }

  onKeys(look.picture, `The stack of layers. ${KEYS}`, {
    ArrowLeft: () => toUnit((unit) => unit - 1),
    ArrowRight: () => toUnit((unit) => unit + 1),
    ArrowUp: () => toLevel(now().level + 1),
    ArrowDown: () => toLevel(now().level - 1),
    Home: () => toUnit(() => 0),
    End: () => toUnit((_, last) => last),
    PageUp: () => toLevel(Infinity),
    PageDown: () => toLevel(0),
  });

  const under = (event) => {
    const { x, y } = pointAt(look.picture, event);
    return { ...now(), ...unitAt(laid.layout, x, y) };
  };
  const isElsewhere = ({ level, unit }) => level !== model.get("level") || unit !== model.get("unit");
  let isOver = false;
  const hover = oncePerFrame((event) => {
    if (isOver && isElsewhere(under(event))) put(under(event));
  });
  look.picture.addEventListener("pointermove", (event) => {
    isOver = true;
    hover(event);
  });
  look.picture.addEventListener("pointerdown", (event) => {
    place = null;
    stay(under(event));
  });
  look.picture.addEventListener("pointerleave", () => {
    isOver = false;
    if (isElsewhere(chosen)) put({ ...now(), ...chosen });
  });

  const fromPython = () => {
    if (isOurs) return;
    chosen = { level: model.get("level"), unit: model.get("unit") };
    place = null;
    draw();
  };
  const forget = onTraits(model, TRAITS, fromPython);
  const measure = () => {
    const found = Math.round(look.picture.clientWidth);
    const isNew = found > 0 && Math.max(found, NARROWEST) !== width;
    if (isNew) width = Math.max(found, NARROWEST);
    return isNew;
  };
  const watch = new ResizeObserver(oncePerFrame(() => measure() && draw()));
  watch.observe(look.picture);
  measure();
  fromPython();
  return () => {
    watch.disconnect();
    forget();
  };
}

function edited(layers, index, what) {
  return layers.map((layer, at) => (at === index ? { ...layer, ...what } : layer));
}

function exchanged(layers, one, other) {
  const result = [...layers];
  [result[one], result[other]] = [result[other], result[one]];
  return result;
}

/** A native list of presets under their headings. */
function presetChooser(presets, choose) {
  const id = freshId("preset");
  const field = html("select", { id }, html("option", { value: "" }, "your own stack"));
  for (const group of new Set(presets.map((preset) => preset.group))) {
    const options = presets.filter((preset) => preset.group === group);
    const entries = options.map(({ name, title }) => html("option", { value: name }, title));
    field.append(html("optgroup", { label: group }, ...entries));
  }
  field.addEventListener("change", () => {
    const preset = presets.find(({ name }) => name === field.value);
    if (preset) choose(preset);
  });
  const element = html("label", { class: "rflib-control rflib-preset", for: id }, html("span", {}, "stack"), field);
  return { element, put: (name) => void (field.value = name) };
}

/** The task and how far it is; nothing where there is none. */
function taskLine() {
  const sentence = html("span");
  const status = html("strong", { role: "status", "aria-live": "polite" });
  const element = html("p", { class: "rflib-task" }, html("b", {}, "Task: "), sentence, " ", status);
  const update = (goal, layers) => {
    element.hidden = goal === null;
    if (goal === null) return;
    const isSolved = taskMissing(goal, layers).length === 0;
    set(element, { "data-solved": String(isSolved) });
    sentence.textContent = goal.sentence;
    const said = `${isSolved ? "\u2713 " : ""}${taskStatus(goal, layers)}`;
    if (status.textContent !== said) status.textContent = said;
  };
  return { element, update };
}

/** What the marks mean, in words beside them. */
function legend() {
  const entries = [["chosen", "the unit"], ["read", "read by it"], ["fed", "fed by it"], ["window", "its window"],
    ["padding", "padding in the window"], ["units", "other units"]];
  const items = entries.map(([mark, words]) => {
    return html("li", {}, html("span", { class: `rflib-swatch rflib-swatch-${mark}`, "aria-hidden": "true" }), words);
  });
  return { element: html("ul", { class: "rflib-legend", "aria-label": "marks" }, ...items) };
}

export default { render };
