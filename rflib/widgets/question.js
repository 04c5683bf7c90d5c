// A question: the form, the commit, the reveal. Nothing here knows the answer before Python has sent it, or before the
// recording of a page without Python has been taken out of its code.

import { button, frame, freshId, html, set } from "./common.js";
import { decoded, nextView } from "./question_session.js";
import { answered } from "./recorded.js";

const MARK = /(`[^`\n]+`|\*[^*\s](?:[^*\n]*[^*\s])?\*)/;
const PATIENCE = 30_000; // milliseconds until a learner is told what may be the matter
const SIGNS = { right: "\u2713 Right", wrong: "\u2717 Not right", shown: "\u25b7 Shown, not answered" };

/**
 * Text with `code`, *emphasis* and line breaks as nodes; everything else stays text.
 * @param {string} text
 * @returns {(Node | string)[]}
 */
export function rich(text) {
  return text.split("\n").flatMap((line, number) => {
    const nodes = pieces(line).map(([kind, part]) => (kind ? html(kind, {}, part) : part));
    return number ? [html("br"), ...nodes] : nodes;
  });
}

/**
 * A line cut at its marks: [element or "", text].
 * @param {string} line
 * @returns {[string, string][]}
 */
export function pieces(line) {
  return line
    .split(MARK)
    .filter((part) => part !== "")
    .map((part) => (!MARK.test(part) ? ["", part] : [part[0] === "`" ? "code" : "em", part.slice(1, -1)]));
}

/** The cells of the box between two cells, as "row,column". */
export function box([top, left], [bottom, right]) {
  const cells = [];
  for (let row = Math.min(top, bottom); row <= Math.max(top, bottom); row += 1) {
    for (let column = Math.min(left, right); column <= Math.max(left, right); column += 1) {
      cells.push(`${row},${column}`);
    }
  }
  return cells;
}

/** Where an arrow key leads from a cell; null for another key. The border holds. */
export function step(key, [row, column], rows, columns) {
  const moves = {
    ArrowUp: [row - 1, column],
    ArrowDown: [row + 1, column],
    ArrowLeft: [row, column - 1],
    ArrowRight: [row, column + 1],
    Home: [row, 0],
    End: [row, columns - 1],
  };
  if (!moves[key]) return null;
  const inside = (value, size) => Math.min(size - 1, Math.max(0, value));
  return [inside(moves[key][0], rows), inside(moves[key][1], columns)];
}

// Each kind of question gives its element, `read()` for what is answered, `put(view)` to show a view, `first` to focus.

function choiceField(form) {
  const name = freshId("choice");
  const options = form.options.map((label) => {
    const id = freshId("option");
    const field = html("input", { type: "radio", name, id, value: label });
    const tag = html("span", { class: "rflib-tag" });
    const text = html("label", { for: id }, ...rich(label));
    return { label, field, tag, element: html("div", { class: "rflib-option" }, field, text, tag) };
  });
  return {
    element: html("div", {}, ...options.map((option) => option.element)),
    read: () => options.find((option) => option.field.checked)?.label ?? null,
    put(view) {
      for (const { label, field, tag } of options) {
        field.checked = view.given === label;
        const [isTrue, isGiven] = [label === view.truth, label === view.given];
        const whose = isGiven ? "your answer" : "the answer";
        const isTold = view.phase === "done" && (isTrue || isGiven);
        tag.textContent = isTold ? `${isTrue ? "\u2713" : "\u2717"} ${whose}` : "";
      }
    },
    focus: () => (options.find((option) => option.field.checked) ?? options[0]).field.focus(),
    invalid: () => {},
  };
}

function textField(label, problem) {
  const id = freshId("field");
  const attributes = { id, type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false", size: 10 };
  const field = html("input", { ...attributes, "aria-describedby": problem });
  return { field, element: html("label", { class: "rflib-control", for: id }, html("span", {}, label), field) };
}

const written = (value) => (value === null || value === undefined ? "" : String(value).replace("-", "\u2212"));

function numberField(form, problem) {
  const { field, element } = textField("Your answer", problem);
  const wrapped = html("div", { class: "rflib-controls" }, element);
  if (form.unit) {
    const id = freshId("unit");
    set(field, { "aria-describedby": `${id} ${problem}` });
    wrapped.append(html("span", { id }, form.unit));
  }
  return {
    element: wrapped,
    read: () => field.value,
    put: (view) => void (field.value = written(view.given)),
    focus: () => field.focus(),
    invalid: (isInvalid) => set(field, { "aria-invalid": isInvalid ? "true" : null }),
  };
}

function intervalField(form, problem) {
  const ends = [textField("First", problem), textField("Last", problem)];
  return {
    element: html("div", { class: "rflib-controls" }, ...ends.map((end) => end.element), form.unit),
    read: () => ends.map((end) => end.field.value),
    put: (view) => ends.forEach((end, number) => (end.field.value = written(view.given?.[number]))),
    focus: () => ends[0].field.focus(),
    invalid: (isInvalid) => ends.forEach((end) => set(end.field, { "aria-invalid": isInvalid ? "true" : null })),
  };
}

function regionField(form) {
  const isRow = form.cells.length === 1;
  const [rows, columns] = isRow ? [1, form.cells[0]] : form.cells;
  const key = (cell) => (isRow ? `0,${cell - form.first}` : `${cell[0]},${cell[1]}`);
  const cellOf = (name) => {
    const [row, column] = name.split(",").map(Number);
    return isRow ? column + form.first : [row, column];
  };
  const letters = new Map(form.marks.map(([cell, letter]) => [key(cell), letter]));
  const chosen = new Set();
  const buttons = new Map();
  let truth = null;
  let at = [0, 0];
  let drag = null;

  const help = html("p", { class: "rflib-hint", id: freshId("help") });
  const mouse = `Drag with the mouse over the ${form.noun}s`;
  help.textContent = `${mouse}, or move with the arrow keys and choose with the space bar.`;
  const said = html("p", { class: "rflib-count", role: "status", "aria-live": "polite" });
  const named = { role: "group", "aria-label": `${form.noun}s`, "aria-describedby": help.id };
  const grid = html("div", { class: `rflib-cells ${isRow ? "rflib-row" : ""}`, ...named });
  if (!isRow) grid.style.gridTemplateColumns = `auto repeat(${columns}, minmax(1.85em, 2.6em))`;

  const draw = () => {
    for (const [name, element] of buttons) {
      const isChosen = chosen.has(name);
      const isTrue = truth !== null && truth.has(name);
      const judged = isTrue ? "\u2713" : "\u2717";
      element.lastChild.textContent = isChosen ? (truth === null ? "\u25cf" : judged) : isTrue ? "\u25cb" : "";
      element.classList.toggle("is-true", isTrue);
      const end = truth === null ? "" : isTrue ? ", right" : isChosen ? ", not right" : "";
      const letter = letters.has(name) ? `, marked ${letters.get(name)}` : "";
      const place = isRow ? cellOf(name) : `row ${cellOf(name)[0]}, column ${cellOf(name)[1]}`;
      set(element, {
        "aria-pressed": String(isChosen),
        "aria-label": `${form.noun} ${place}${letter}${end}`,
        tabindex: name === at.join() ? 0 : -1,
      });
    }
    const key = "\u2713 chosen and right, \u2717 chosen and not right, \u25cb right and not chosen";
    said.textContent = truth === null ? `${chosen.size} ${form.noun}${chosen.size === 1 ? "" : "s"} chosen` : key;
  };
  const toggle = (names, isOn) => names.forEach((name) => (isOn ? chosen.add(name) : chosen.delete(name)));
  const isLocked = () => truth !== null || grid.closest("fieldset")?.disabled;

  for (let row = 0; row < rows; row += 1) {
    if (!isRow && row === 0) {
      grid.append(html("span", {}));
      for (let column = 0; column < columns; column += 1) {
        grid.append(html("span", { "aria-hidden": "true" }, String(column)));
      }
    }
    if (!isRow) grid.append(html("span", { "aria-hidden": "true" }, String(row)));
    for (let column = 0; column < columns; column += 1) {
      const name = `${row},${column}`;
      const number = html("span", { class: "rflib-number" }, isRow ? written(column + form.first) : "");
      // The style sheet writes the letter, so that the number alone is the button's text and begins its name.
      const letter = html("span", { class: "rflib-letter", "data-letter": letters.get(name) ?? "" });
      const sign = html("span", { class: "rflib-sign", "aria-hidden": "true" });
      const element = html("button", { type: "button", "data-cell": name }, number, letter, sign);
      buttons.set(name, element);
      grid.append(element);
    }
  }
  const cellAt = (event) => {
    const under = grid.getRootNode().elementFromPoint(event.clientX, event.clientY)?.closest("[data-cell]");
    return under && grid.contains(under) ? under.dataset.cell : null;
  };
  grid.addEventListener("pointerdown", (event) => {
    const name = cellAt(event);
    if (name === null || event.button !== 0 || isLocked()) return;
    grid.setPointerCapture(event.pointerId);
    drag = { from: name.split(",").map(Number), before: [...chosen], isOn: !chosen.has(name) };
    at = drag.from;
    toggle([name], drag.isOn);
    draw();
  });
  grid.addEventListener("pointermove", (event) => {
    const name = drag && cellAt(event);
    if (!name) return;
    chosen.clear();
    toggle(drag.before, true);
    toggle(box(drag.from, name.split(",").map(Number)), drag.isOn);
    draw();
  });
  grid.addEventListener("pointerup", () => void (drag = null));
  grid.addEventListener("pointercancel", () => void (drag = null));
  grid.addEventListener("click", (event) => {
    // the mouse has done its work above; a click without a press comes from the keyboard or a screen reader
    const name = event.target.closest("[data-cell]")?.dataset.cell;
    if (event.detail !== 0 || !name || isLocked()) return;
    at = name.split(",").map(Number);
    toggle([name], !chosen.has(name));
    draw();
  });
  grid.addEventListener("keydown", (event) => {
    const next = event.ctrlKey || event.metaKey || event.altKey ? null : step(event.key, at, rows, columns);
    if (!next) return;
    event.preventDefault();
    at = next;
    draw();
    buttons.get(at.join()).focus();
  });
  return {
    element: html("div", {}, help, html("div", { class: "rflib-scroll" }, grid), said),
    read: () => [...chosen].map(cellOf),
    put(view) {
      chosen.clear();
      toggle((view.given ?? []).map(key), true);
      truth = view.truth_cells === null ? null : new Set(view.truth_cells.map(key));
      draw();
    },
    focus: () => buttons.get(at.join()).focus(),
    invalid: () => {},
  };
}

const FIELDS = { choice: choiceField, number: numberField, interval: intervalField, region: regionField };

/** A block of what is revealed. HTML and pictures come from rflib's own tables and figures, never from an answer. */
function block(content) {
  if (content.kind === "image") return html("img", { src: `data:image/png;base64,${content.png}`, alt: content.alt });
  if (content.kind === "text") return html("p", {}, ...rich(content.text));
  // Where it is wider than its place, it is scrolled by keys too.
  const holder = html("div", { class: "rflib-scroll", tabindex: 0, role: "region", "aria-label": "Table" });
  holder.innerHTML = content.html;
  return holder;
}

/** The parts of the result, the first of them being the sentence that is spoken. */
function outcome(view) {
  const earlier = view.when && view.verdict ? ` (on ${view.when})` : "";
  const said = [view.verdict ? `${SIGNS[view.verdict]}${earlier}.` : ""];
  if (view.answer) said.push(`Your answer: ${view.answer}.`.replace("..", "."));
  if (view.truth && view.verdict !== "right") said.push(`The answer: ${view.truth}.`.replace("..", "."));
  return said.filter(Boolean).join(" ");
}

/** The next view on a page without Python. What was said to an earlier view, while all was loading, is void. */
export function playBack(recording, now, _asked, told) {
  if (told?.turn !== now("view").turn) return {};
  return { view: nextView(now("form"), decoded(recording), now("view"), told) };
}

function render({ model, el }) {
  const form = model.get("form");
  const kind = form.prediction ? "Prediction" : "Self-check";
  const answerer = answered(model, el, { problem: "problem", play: playBack });
  const isPythons = answerer === model;
  const root = frame(el, "question", kind, { model, isPythons });
  const problem = html("p", { class: "rflib-problem", id: freshId("problem"), role: "alert" });
  const field = FIELDS[form.kind](form, problem.id);
  const title = html("span", { class: "rflib-kind" }, kind);
  const legend = html("legend", {}, title, html("span", {}, ...rich(form.prompt)));
  const fieldset = html("fieldset", {}, legend, field.element);
  const commit = html("button", { type: "submit", class: "rflib-button rflib-commit" }, "Commit");
  const show = button("Show me", () => act({ action: "show" }));
  const again = button("Answer again", () => act({ action: "again" }));
  const controls = html("div", { class: "rflib-controls" }, commit, show, again);
  const sheet = html("form", { novalidate: true }, fieldset, problem, controls);
  const result = html("p", { class: "rflib-result", role: "status", "aria-live": "polite", tabindex: -1 });
  const more = html("div", { class: "rflib-more" });
  const note = html("p", { class: "rflib-hint" });
  root.append(sheet, result, more, note);

  let waiting = false;
  let patience = null;
  const act = (message) => {
    if (waiting && isPythons) return;
    waiting = true;
    set(root, { "aria-busy": "true" });
    if (message.action !== "again") result.textContent = isPythons ? "Computing \u2026" : "Loading \u2026";
    if (isPythons) askPython(message);
    else answerer.send({ ...message, turn: model.get("view").turn });
  };
  const askPython = (message) => {
    clearTimeout(patience);
    patience = setTimeout(() => {
      waiting = false;
      result.textContent = "No answer yet. If the kernel is busy, wait; if it was restarted, run this cell again.";
    }, PATIENCE);
    model.send(message);
  };
  sheet.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!again.hidden) return;
    act({ action: "commit", answer: field.read() });
  });

  const update = () => {
    const view = model.get("view");
    clearTimeout(patience);
    const isDone = view.phase === "done";
    set(root, { "aria-busy": null });
    // an input that was no try leaves everything as the learner wrote it
    if (!view.problem) field.put(view);
    problem.textContent = view.problem;
    field.invalid(Boolean(view.problem));
    fieldset.disabled = isDone;
    commit.hidden = show.hidden = problem.hidden = isDone;
    again.hidden = !isDone;
    commit.textContent = view.phase === "again" ? "Try this answer" : "Commit";
    set(result, { "data-verdict": view.verdict || null });
    result.replaceChildren(...rich(outcome(view)));
    const said = [];
    if (view.mistake) said.push(html("p", {}, html("strong", {}, "Known mistake "), view.mistake));
    if (view.sentence) said.push(html("p", {}, ...rich(view.sentence)));
    more.replaceChildren(...said, ...view.reveal.map(block));
    more.hidden = said.length + view.reveal.length === 0;
    note.textContent = view.note;
    note.hidden = !view.note;
    // The website unfolds what follows from the answer.
    if (isDone) root.dispatchEvent(new CustomEvent("rflib-answered", { bubbles: true }));
    if (waiting) {
      waiting = false;
      if (isDone) result.focus();
      else field.focus();
    }
  };
  // A page without Python says here that the answers are still being loaded, or that they cannot be.
  const refuse = () => {
    if (!model.get("problem")) return;
    set(root, { "aria-busy": null });
    result.replaceChildren(...rich(outcome(model.get("view"))));
    problem.textContent = model.get("problem");
  };
  model.on("change:view", update);
  model.on("change:problem", refuse);
  update();
  return () => {
    clearTimeout(patience);
    model.off("change:view", update);
    model.off("change:problem", refuse);
  };
}

export default { render };
