// The design game in the browser: a tower of layers, meters for what is required, a score.

import {
  button,
  count,
  frame,
  grouped,
  html,
  onKeys,
  onTraits,
  pointAt,
  resultLine,
  select,
  send,
  set,
  squares,
  svg,
} from "./common.js";
import { rowWords, stackWords } from "./growth_designs.js";
import { assessed, gameSentence, neighbor, offered, refusal } from "./game_rules.js";
import { layerAt, tower, towerPlace, windowRuns } from "./game_tower.js";

const GAME_TRAITS = ["level", "stacks", "best_stacks", "shown_stacks", "note", "rounds", "problem"];
const PARTS = ["kernel", "stride", "dilation", "kind"];
const LISTS = { kernel: "kernels", stride: "strides", dilation: "dilations", kind: "convolutions" };
const COST_WORDS = { parameters: "parameters", multiply_adds: "multiply-adds" };

function render({ model, el }) {
  const root = frame(el, "game", "Design game: build a stack that meets the requirements", { model, isPythons: false });
  const line = resultLine();
  const refused = html("p", { class: "rflib-game-refused", role: "alert" });
  let selected = -1; // the layer that is changed, counted from 0
  let shownLevel = -1;
  const level = () => model.get("level");
  const wanted = () => model.get("rounds")[level()];
  const rows = () => model.get("stacks")[level()];

  /** Put another stack in the place of the round's, unless there is no such stack. */
  function put(next, select = selected) {
    const why = refusal(next, wanted());
    refused.textContent = why ?? "";
    if (why) return;
    selected = Math.max(-1, Math.min(select, next.length - 1));
    const at = level();
    send(model, { stacks: model.get("stacks").map((stack, index) => (index === at ? next : stack)) });
    draw();
  }
  const add = (row) => row && put([...rows().slice(0, selected + 1), row, ...rows().slice(selected + 1)], selected + 1);
  const remove = () => put(rows().filter((_, index) => index !== selected));
  const choose = (index) => {
    selected = Math.max(0, Math.min(index, rows().length - 1));
    draw();
  };
  const move = (by) => {
    const [from, to] = [selected, selected + by];
    const next = [...rows()];
    if (from < 0 || to < 0 || to >= next.length) return;
    [next[from], next[to]] = [next[to], next[from]];
    put(next, to);
  };
  const change = (part, value) => {
    put(rows().map((row, index) => (index === selected ? altered(row, part, value) : row)));
  };
  const step = (part, by, round) => {
    const row = rows()[selected];
    if (!row) return;
    const isPool = row[3] === "pool";
    if (isPool && part !== "kernel") return;
    const allowed = isPool ? wanted().pools : wanted()[LISTS[part]];
    change(part, neighbor(allowed, row[PARTS.indexOf(part)], by, round));
  };

  const head = gameHead(model, () => put([]), draw);
  const adding = html("div", { class: "rflib-controls rflib-game-adding", role: "group", "aria-label": "add a layer" });
  const picture = towerPicture();
  const editor = layerEditor(change, move, remove, choose);
  const meters = gameMeters();
  const record = gameRecord(model, (stack) => put(stack, stack.length - 1));
  const left = html("div", {}, picture.element, editor.element);
  const right = html("div", {}, meters.element, record.element);
  root.append(head.element, adding, html("div", { class: "rflib-game-columns" }, left, right), refused, line.element);
  root.append(html("p", { class: "rflib-hint" }, `${LEGEND} ${KEYS}`));

  function drawOffers() {
    const offers = offered(wanted()).map((row, index) => {
      const words = rowWords(row);
      return button(`+ ${words}`, () => add(row), { title: index < 9 ? `key ${index + 1}` : undefined });
    });
    adding.replaceChildren(...offers);
  }

  /** A button that is switched off or hidden while it has the focus hands it on; else the page's body would get it. */
  function draw() {
    const focused = root.contains(document.activeElement) ? document.activeElement : null;
    drawAll();
    if (!focused || (focused.isConnected && !focused.disabled && !focused.closest("[hidden]"))) return;
    (focused === record.show ? record.take : picture.svg).focus({ preventScroll: true });
  }

  function drawAll() {
    const given = { wanted: wanted(), rows: rows() };
    if (shownLevel !== level()) {
      [shownLevel, selected] = [level(), given.rows.length - 1];
      refused.textContent = "";
      drawOffers();
    }
    selected = Math.min(selected, given.rows.length - 1);
    if (selected < 0) selected = given.rows.length - 1;
    const found = assessed(given.rows, given.wanted);
    if (given.rows.length === 0) found.score = 0;
    for (const element of adding.children) element.disabled = given.rows.length >= given.wanted.most_layers;
    head.put(given.wanted);
    editor.put(given.rows, selected, given.wanted);
    meters.put(given.rows, found, given.wanted);
    const best = record.put(found);
    line.say(gameSentence(given.rows, found));
    picture.draw(given.rows, selected, given.wanted);
    const stack = given.rows.map((row) => row.join(".")).join("|");
    const said = `round=${level()} layers=${given.rows.length} selected=${selected + 1} field=${found.numbers.size} `;
    const shown = `${said}score=${found.score} best=${best} stack=${stack}`;
    if (picture.svg.getAttribute("data-shows") !== shown) picture.svg.setAttribute("data-shows", shown);
  }

  const keys = {
    ArrowUp: (event) => (event.shiftKey ? move(1) : choose(selected + 1)),
    ArrowDown: (event) => (event.shiftKey ? move(-1) : choose(selected - 1)),
    ArrowLeft: () => step("kernel", -1),
    ArrowRight: () => step("kernel", 1),
    Home: () => choose(0),
    End: () => choose(rows().length - 1),
    Delete: remove,
    Backspace: remove,
  };
  for (const [letter, part] of [["d", "dilation"], ["s", "stride"], ["t", "kind"]]) {
    keys[letter] = keys[letter.toUpperCase()] = () => step(part, 1, true);
  }
  for (let number = 1; number <= 9; number++) keys[String(number)] = () => add(offered(wanted())[number - 1]);
  onKeys(picture.svg, `The stack. ${KEYS}`, keys);
  picture.svg.addEventListener("pointerdown", (event) => {
    const index = layerAt(tower(rows(), wanted().field, picture.place()).bands, pointAt(picture.svg, event).y);
    if (index >= 0) choose(index);
  });
  const watched = new ResizeObserver(() => picture.isStale() && draw());
  watched.observe(picture.element);
  draw();
  const release = onTraits(model, GAME_TRAITS, draw);
  return () => {
    watched.disconnect();
    release();
  };
}

const KEYS =
  "Keys on the stack: 1 to 9 add a layer, \u2191 \u2193 choose one, \u2190 \u2192 its kernel, D dilation, S stride, " +
  "T type, Shift with \u2191 \u2193 moves it, Delete removes it.";

/** A layer with one part changed. */
export function altered(row, part, value) {
  if (row[3] === "pool") return [value, value, 1, "pool"];
  return row.map((old, index) => (PARTS[index] === part ? value : old));
}

function gameHead(model, clear, redraw) {
  const rounds = model.get("rounds");
  const options = rounds.map(({ name }, index) => ({ value: String(index), label: `${index + 1}. ${name}` }));
  const choice = select("Round", {
    options,
    value: String(model.get("level")),
    onChange: (value) => {
      send(model, { level: Number(value) });
      redraw();
    },
  });
  const goal = html("p", { class: "rflib-game-goal" });
  const controls = html("div", { class: "rflib-controls" }, choice.element, button("Start over", clear));
  const put = (wanted) => {
    choice.put(String(model.get("level")));
    tell(goal, `${wanted.says} Task: ${taskWords(wanted)}`);
  };
  return { element: html("div", {}, controls, goal), put };
}

/** What a round asks for, in words. */
export function taskWords(wanted) {
  const field = wanted.exactly ? `exactly ${wanted.field}` : `at least ${wanted.field}`;
  const holes = wanted.no_holes ? " without holes" : "";
  const shape = Array(wanted.axes).fill(wanted.input_size).join(" \u00d7 ");
  const where = `${count(wanted.channels, "channel")}, an input of ${shape}`;
  return `see ${field} input positions${holes} for as few ${COST_WORDS[wanted.by]} as you can (${where}).`;
}

function towerPicture() {
  const picture = svg("svg", { class: "rflib-picture" });
  const element = html("div", { class: "rflib-game-tower" }, picture);
  let drawn = null; // the place that was drawn in
  const place = () => towerPlace(element.clientWidth);
  const chosen = svg("rect", { class: "rflib-game-chosen", x: 2, rx: 4 });
  const cone = svg("path", { class: "rflib-game-cone" });
  const pools = svg("path", { class: "rflib-game-pools" });
  const read = svg("path", { class: "rflib-game-read" });
  const blind = svg("path", { class: "rflib-game-blind" });
  const goal = svg("path", { class: "rflib-game-goal-line" });
  const texts = svg("g", {});
  const strip = svg("text", { x: 10 });
  strip.textContent = "input";
  picture.append(chosen, cone, pools, read, blind, goal, strip, texts);

  function draw(rows, selected, wanted) {
    drawn = place();
    const { width, height, right, top, bottom } = drawn;
    set(picture, { viewBox: `0 0 ${width} ${height}` });
    set(strip, { y: bottom + 16 });
    const { bands, size, unit, middle } = tower(rows, wanted.field, drawn);
    let [shapes, pooled] = ["", ""];
    bands.forEach((band, index) => {
      const shape = outline(band, middle, unit);
      if (rows[index][3] === "pool") pooled += shape;
      else shapes += shape;
    });
    set(cone, { d: shapes });
    set(pools, { d: pooled });
    const start = middle - (size * unit) / 2;
    const runs = windowRuns(rows) ?? [[0, size, true]];
    const marks = (isRead) => runs.filter((run) => run[2] === isRead).map(([first, length]) => [first, length]);
    set(read, { d: strips(marks(true), start, unit, bottom) });
    set(blind, { d: strips(marks(false), start, unit, bottom) });
    const half = (wanted.field * unit) / 2;
    const ends = [middle - half, middle + half].map((x) => `M${x} ${top - 12}V${bottom + 26}`);
    set(goal, { d: ends.join("") });
    const band = bands[selected];
    set(chosen, { y: band ? band.y + 1 : 0, width: width - 4, height: band ? band.height - 2 : 0 });
    const names = bands.flatMap((at, index) => {
      const y = at.y + at.height / 2 + 5;
      const mark = index === selected ? "\u25b8 " : "";
      const added = `+${grouped(at.adds)}${at.jump > 1 && right + 100 < width ? ` (jump ${at.jump})` : ""}`;
      return [
        svg("text", { x: 10, y }, `${mark}${index + 1}  ${rowWords(rows[index])}`),
        svg("text", { x: right + 10, y }, added),
      ];
    });
    const goalWords = `goal: ${wanted.exactly ? "exactly " : ""}${grouped(wanted.field)}`;
    names.push(
      svg("text", { x: middle, y: top - 18, "text-anchor": "middle" }, goalWords),
      svg("text", { x: right + 10, y: bottom + 16 }, right + 100 < width ? `field ${grouped(size)}` : grouped(size)),
    );
    texts.replaceChildren(...names);
  }
  const isStale = () => drawn !== null && drawn.width !== place().width;
  return { element, svg: picture, place, isStale, draw };
}

const LEGEND =
  "Each layer is as wide as what the last layer's unit reads of it, in input positions; dashed edge: pooling. Input: " +
  "filled is read, hollow is a hole.";

function outline({ y, height, below, above }, middle, unit) {
  const [low, high] = [below / 2, Math.max(above, unit) / 2];
  return `M${middle - low} ${y + height}L${middle - high} ${y + 1}H${middle + high}L${middle + low} ${y + height}z`;
}

/** Runs of the input as one path of rectangles. */
function strips(runs, start, unit, bottom) {
  return runs.map(([first, length]) => squares([[start + first * unit, bottom + 3]], length * unit, 16)).join("");
}

function layerEditor(change, move, remove, choose) {
  const title = html("h4", {});
  const fields = Object.fromEntries(
    PARTS.map((part) => {
      const label = part === "kind" ? "type" : part;
      const field = select(label, {
        options: [],
        value: "",
        onChange: (value) => change(part, part === "kind" ? value : Number(value)),
      });
      return [part, { ...field, label }];
    }),
  );
  const up = button("up", () => move(1));
  const down = button("down", () => move(-1));
  const gone = button("remove", () => remove());
  const above = button("\u25b2 above", () => choose(above.index));
  const below = button("\u25bc below", () => choose(below.index));
  const element = html("div", { class: "rflib-controls rflib-game-editor" }, title, above, below);
  element.append(...PARTS.map((part) => fields[part].element), up, down, gone);

  const put = (rows, selected, wanted) => {
    const row = rows[selected];
    tell(title, row ? `Layer ${selected + 1}` : "No layer");
    [above.index, below.index] = [selected + 1, selected - 1];
    set(above, { "aria-label": "\u25b2 above: choose the layer above", disabled: selected + 1 >= rows.length });
    set(below, { "aria-label": "\u25bc below: choose the layer below", disabled: selected < 1 });
    PARTS.forEach((part, index) => {
      const { element: wrapped, field, label } = fields[part];
      const isPool = row && row[3] === "pool";
      const allowed = !row ? [] : isPool ? (part === "kernel" ? wanted.pools : []) : wanted[LISTS[part]];
      wrapped.hidden = allowed.length < 2;
      set(field, { "aria-label": row ? `${label} of layer ${selected + 1}` : label });
      const key = allowed.join();
      if (field.dataset.allowed !== key) {
        field.replaceChildren(...allowed.map((value) => html("option", { value }, String(value))));
        field.dataset.allowed = key;
      }
      if (row) field.value = String(row[index]);
    });
    const which = row ? `layer ${selected + 1}` : "a layer";
    set(up, { "aria-label": `up: move ${which} up`, disabled: !row || selected + 1 >= rows.length });
    set(down, { "aria-label": `down: move ${which} down`, disabled: !row || selected < 1 });
    set(gone, { "aria-label": `remove ${which}`, disabled: !row });
  };
  return { element, put };
}

/** The requirements: each with a bar, its words, and whether it is met. */
function gameMeters() {
  const list = html("ul", { class: "rflib-game-meters" });
  const items = ["field", "holes", "stride", "layers", "parameters", "multiply_adds"].map((name) => {
    const bar = html("div", { class: "rflib-game-bar", "aria-hidden": "true" }, html("div"));
    const [words, mark] = [html("span", {}), html("span", { class: "rflib-game-mark" })];
    const item = html("li", {}, html("div", { class: "rflib-game-words" }, words, mark), bar);
    list.append(item);
    return { name, item, words, mark, bar };
  });
  const put = (rows, found, wanted) => {
    for (const { name, item, words, mark, bar } of items) {
      const { text, share } = meter(name, rows, found, wanted);
      const judged = found.judged.find((entry) => entry.name === name);
      item.hidden = text === null;
      tell(words, text ?? "");
      tell(mark, !judged ? "" : judged.met ? "\u2713 met" : "\u2717 missed");
      item.classList.toggle("rflib-missed", Boolean(judged) && !judged.met);
      bar.hidden = share === null;
      bar.firstChild.style.width = `${100 * Math.min(1, share ?? 0)}%`;
    }
  };
  return { element: list, put };
}

/** One requirement in words, and how much of its bar is filled: null for no bar, `text` null for no line at all. */
export function meter(name, rows, { numbers, run }, wanted) {
  const { size, stride } = numbers;
  if (name === "field") {
    const goal = wanted.exactly ? `exactly ${grouped(wanted.field)}` : grouped(wanted.field);
    return { text: `field ${grouped(size)} of ${goal}`, share: size / wanted.field };
  }
  if (name === "holes") {
    if (!wanted.no_holes) return { text: null, share: null };
    const text = run >= size ? "holes: none" : `holes: the first one after ${count(run, "position")}`;
    return { text, share: null };
  }
  const [number, most, label] = {
    stride: [stride, wanted.largest_stride, "output stride"],
    layers: [rows.length, wanted.most_layers, "layers"],
    parameters: [numbers.parameters, wanted.most_parameters, "parameters"],
    multiply_adds: [numbers.multiply_adds, wanted.most_multiply_adds, "multiply-adds"],
  }[name];
  const limit = most === null ? "" : ` of at most ${grouped(most)}`;
  const aim = name === wanted.by ? " \u2013 scored" : "";
  return { text: `${label} ${grouped(number)}${limit}${aim}`, share: most === null ? null : number / most };
}

/** The score, the best so far, and the solution on request. */
function gameRecord(model, load) {
  const score = html("p", { class: "rflib-game-score" });
  const [best, solution] = [html("p", {}), html("p", {})];
  const note = html("p", { class: "rflib-hint" });
  const current = (name) => model.get(name)[model.get("level")] ?? [];
  const back = button("Load my best", () => load(current("best_stacks")));
  const show = button("Show me (gives up this round)", () => askFor(model, "show"));
  const take = button("Load the cheapest", () => load(current("shown_stacks")));
  const controls = html("div", { class: "rflib-controls" }, back, show, take);
  const element = html("div", {}, score, best, solution, controls, note);
  const put = (found) => {
    const wanted = model.get("rounds")[model.get("level")];
    const [kept, shown] = [current("best_stacks"), current("shown_stacks")];
    const points = kept.length ? assessed(kept, wanted).score : 0;
    tell(score, `Score ${found.score} of 100`);
    tell(best, kept.length ? `Best so far: ${points} (${stackWords(kept)})` : "Best so far: not solved yet");
    tell(solution, shown.length ? `Given up. The cheapest: ${stackWords(shown)}. What follows is not kept.` : "");
    solution.hidden = take.hidden = shown.length === 0;
    show.hidden = shown.length > 0;
    back.hidden = kept.length === 0;
    tell(note, [model.get("problem"), model.get("note")].filter(Boolean).join(" "));
    return points;
  };
  return { element, show, take, put };
}

/** Without a kernel nothing can be sent; the notice above the game says so. */
function askFor(model, action) {
  try {
    model.send({ action });
  } catch (error) {
    console.warn(`The game could not ask Python: ${error.message}`);
  }
}

function tell(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export default { render };
