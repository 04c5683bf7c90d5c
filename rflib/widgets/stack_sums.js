// The stack explorer's sums: the recursion, the closed form and the effective field, with the numbers put in.

import { closedFormTerms } from "./arithmetic.js";
import { grouped, html, set } from "./common.js";
import { closedFormLine, effectiveSentence, nameOfLayer, recursionRows, varianceLine } from "./stack_words.js";

/** The panels; `update` fills those that are open. */
export function sumPanels() {
  const recursion = recursionPanel();
  const closed = closedFormPanel();
  const effective = effectivePanel();
  const panels = { recursion, "closed form": closed, effective };
  const element = html("div", { class: "rflib-sums" }, recursion.element, closed.element, effective.element);
  const update = (view, show) => {
    for (const [name, panel] of Object.entries(panels)) {
      panel.element.hidden = !show.includes(name);
      if (show.includes(name)) panel.update(view);
    }
  };
  return { element, update };
}

function panel(title, ...children) {
  return html("div", { class: "rflib-panel", role: "region", "aria-label": title }, html("h4", {}, title), ...children);
}

/** A formula before the numbers are put in. */
function general(formula) {
  return html("p", { class: "rflib-formula" }, formula);
}

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A table of one row a layer: forward it is read downward, backward upward. */
function recursionPanel() {
  const heads = [
    ["layer", ""],
    ["kernel with holes", "e = d·(k\u22121) + 1"],
    ["forward \u2193: size", "r + (e\u22121)·j"],
    ["jump", "j·s"],
    ["backward \u2191: size", "s·r + (e\u2212s)"],
  ];
  const head = html("tr", {}, ...heads.map(([word, formula]) => {
    return html("th", { scope: "col" }, word, html("span", { class: "rflib-formula" }, formula));
  }));
  const body = html("tbody");
  const table = html("table", {}, html("thead", {}, head), body);
  const note = html("p", { class: "rflib-hint" });
  const rows = [];

  function update({ layers, level }) {
    while (rows.length < layers.length) {
      const cells = [html("th", { scope: "row" }), ...heads.slice(1).map(() => html("td"))];
      rows.push({ row: html("tr", {}, ...cells), cells });
      body.append(rows.at(-1).row);
    }
    while (rows.length > layers.length) rows.pop().row.remove();
    recursionRows(layers, level).forEach(({ kernel, size, jump, back }, index) => {
      const { row, cells } = rows[index];
      const isHere = index + 1 === level;
      const name = `${isHere ? "\u25b6 " : ""}${nameOfLayer(layers[index], index + 1)}`;
      [name, kernel, size, jump, back].forEach((text, column) => say(cells[column], text));
      row.classList.toggle("rflib-current", isHere);
      row.classList.toggle("rflib-above", index + 1 > level);
    });
    const start = "Both begin with r = 1; forward the jump j begins with 1 too.";
    const above = level < layers.length ? ` The way back begins at ${whereIs(layers, level)}.` : "";
    say(note, layers.length ? start + above : "There is no layer yet: a position of the input sees itself, r = 1.");
  }

  // Where it is wider than its place it scrolls, which the keyboard can do only with the focus.
  const scroll = html("div", { class: "rflib-scroll", tabindex: 0, role: "group", "aria-label": "recursion table" });
  scroll.append(table);
  return { element: panel("Recursion", scroll, note), update };
}

function whereIs(layers, level) {
  return level === 0 ? "the input" : nameOfLayer(layers[level - 1], level);
}

/** One line, and the terms of the sum as a stacked bar: as long as the field of the whole stack. */
function closedFormPanel() {
  const line = html("p", { class: "rflib-line" });
  const bar = html("div", { class: "rflib-terms", role: "img" });
  const segments = [];

  function update({ layers, level }) {
    say(line, `r = ${closedFormLine(layers.slice(0, level))}`);
    const terms = [1, ...closedFormTerms(layers).map(({ term }) => term)];
    while (segments.length < terms.length) {
      segments.push(html("span", { class: "rflib-term" }));
      bar.append(segments.at(-1));
    }
    while (segments.length > terms.length) segments.pop().remove();
    const total = terms.reduce((one, other) => one + other, 0);
    const said = terms.map((term, index) => {
      const who = index === 0 ? "the position itself" : nameOfLayer(layers[index - 1], index);
      const segment = segments[index];
      const share = (100 * term) / total;
      segment.style.flexBasis = `${share}%`;
      segment.classList.toggle("rflib-above", index > level);
      segment.classList.toggle("rflib-current", index === level && level > 0);
      segment.hidden = term === 0;
      set(segment, { title: `${who}: ${grouped(term)}` });
      const name = index > 0 && share > 3 + 1.4 * who.length ? `${who}: ` : "";
      say(segment, share < 2.2 ? "" : name + grouped(term));
      return index > level ? null : `${who} ${grouped(term)}`;
    });
    set(bar, { "aria-label": `The terms of the sum: ${said.filter(Boolean).join(", ")}.` });
  }

  const hint = "Each segment is what one layer adds, from the input on the left to the last layer on the right.";
  const formula = general("r = 1 + the sum of d·(k\u22121)·j over the layers; j: the product of the strides before");
  return { element: panel("Closed form", formula, line, bar, html("p", { class: "rflib-hint" }, hint)), update };
}

function effectivePanel() {
  const line = html("p", { class: "rflib-line" });
  const sentence = html("p");
  const hint = html("p", { class: "rflib-hint" });
  say(hint, "Weights all equal: a position counts as much as there are paths from it to the unit. " +
    "The shading and the bars below the input are these shares, the bar under them is \u00b1\u03c3 about their mean.");

  function update({ layers, level, spread }) {
    const below = layers.slice(0, level);
    say(line, `\u03c3\u00b2 = ${varianceLine(below)}`);
    say(sentence, effectiveSentence(below, spread));
  }

  const formula = general("\u03c3² = the sum of (j·d)²·(k²\u22121)/12 over the layers, for an inner unit");
  return { element: panel("Effective field", formula, line, sentence, hint), update };
}
