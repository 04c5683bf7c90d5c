// The overlay: what each unit of a layer sees of an image. Python knows what is really read; the ideal windows of all
// units are here, so that the frame follows the mouse at once.

import {
  decimal,
  frame,
  freshId,
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
import { arrowsOf, factTable, hatching, legend, mapPicture, rectangle } from "./overlay_parts.js";
import { playOverlay } from "./overlay_recorded.js";
import {
  bordering,
  cutsOf,
  cutWords,
  drawnUnits,
  flatOf,
  hangsOver,
  margins,
  middleOf,
  movedOnImage,
  nearestUnit,
  neighborsOf,
  rectanglesOf,
  unitWindow,
  unitWindows,
} from "./overlay_windows.js";
import { answered } from "./recorded.js";

const MOST_CENTERS = 16; // along an axis; more of them hide the image
const FLAT = 7; // how many times longer than high a signal is drawn
const LONELY = 9; // where at most one position in nine is read, single ones are filled to be seen
const REST = 150; // milliseconds without a move before the effective field is asked for
const ENDS = "Home and End to the ends of the row, Page Up and Page Down to those of the column";
const KEYS = `arrow keys move to the next unit, ${ENDS}`;

const same = (a, b) => a.length === b.length && a.every((value, i) => value === b[i]);

/** Bytes from Python as an address that an <image> shows; `free` gives the memory back. */
function pngAddress(bytes) {
  const address = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
  return { address, free: () => URL.revokeObjectURL(address) };
}

/** The image with all that lies on it. */
function imagePicture(model) {
  const element = svg("svg", { class: "rflib-picture rflib-overlay-image", preserveAspectRatio: "xMidYMid meet" });
  const hatchId = freshId("hatch");
  const part = (tag, name, attributes = {}) => svg(tag, { class: `rflib-overlay-${name}`, ...attributes });
  const parts = {
    defs: svg("defs"),
    padding: part("path", "padding", { style: `fill: url(#${hatchId})` }),
    paper: part("rect", "paper"),
    lines: part("path", "lines"),
    photo: part("image", "photo", { preserveAspectRatio: "none" }),
    curves: part("path", "curve"),
    veil: part("path", "veil", { "fill-rule": "evenodd" }),
    heat: part("image", "heat", { preserveAspectRatio: "none" }),
    lonely: part("path", "lonely"),
    neighborsHalo: part("path", "neighbors-halo"),
    neighbors: part("path", "neighbors"),
    insideHalo: part("path", "inside-halo"),
    inside: part("path", "inside"),
    overHalo: part("path", "over-halo"),
    over: part("path", "over"),
    ellipseHalo: part("ellipse", "ellipse-halo"),
    ellipse: part("ellipse", "ellipse"),
    frameHalo: part("path", "frame-halo"),
    frame: part("path", "frame"),
    arrows: part("path", "arrow"),
    crossHalo: part("path", "cross-halo"),
    cross: part("path", "cross"),
  };
  element.append(...Object.values(parts));
  let stretch = 1; // how high a row is drawn: more than 1 for a signal, which has a single one
  let view = null;
  let beyond = [];
  let heatPng = null;

  const bytes = model.get("_image");
  const photo = bytes && bytes.byteLength ? pngAddress(bytes) : null;
  const show = (name, isShown) => set(parts[name], { display: isShown ? null : "none" });
  const planar = (pairs) => (pairs.length === 1 ? [[0, 0], pairs[0]] : pairs);
  const outline = (window) => {
    const [[top, bottom], [left, right]] = planar(window);
    return rectangle(left, top * stretch, right - left + 1, (bottom - top + 1) * stretch);
  };
  const spot = (window) => {
    const [row, column] = planar(window).map(([first, last]) => (first + last + 1) / 2);
    return { x: column, y: row * stretch };
  };

  function drawLayer(layer, kinds, withCenters) {
    const [height, width] = layer.space.length === 1 ? [1, layer.space[0]] : layer.space;
    stretch = layer.space.length === 1 ? width / FLAT : 1;
    beyond = margins(layer);
    const [above, beside] = layer.space.length === 1 ? [0.12, beyond[0]] : beyond;
    const air = 0.012 * Math.max(width, height);
    view = { left: -beside - air, top: -above * stretch - air, width: width + 2 * (beside + air) };
    view.height = (height + 2 * above) * stretch + 2 * air;
    set(element, { viewBox: `${view.left} ${view.top} ${view.width} ${view.height}` });
    const tallest = 660 - (100 * height * stretch) / view.height; // with wide margins the input itself stays large
    const widest = Math.min(layer.space.length === 1 ? 1100 : 660, (tallest * view.width) / view.height);
    element.style.maxWidth = `${Math.round(widest)}px`;
    const whole = { x: 0, y: 0, width, height: height * stretch };
    for (const name of ["paper", "photo", "heat"]) set(parts[name], whole);
    set(parts.photo, { href: photo ? photo.address : null, display: photo ? null : "none" });
    parts.defs.replaceChildren(hatching(hatchId, view.width / 48, "rflib-overlay-stripe"));
    drawGround(width, height);
    drawCenters(layer, kinds, withCenters);
  }

  function drawGround(width, height) {
    const curves = model.get("_curves");
    const room = 0.08 * stretch; // above and below the curve
    const y = (level) => room + (1 - level) * (stretch - 2 * room);
    const path = (points) => "M" + points.map(([x, level]) => `${x + 0.5} ${y(level)}`).join("L");
    set(parts.curves, { d: curves.map(path).join("") });
    show("lines", !photo);
    if (photo) return;
    const step = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512].find((n) => width / n <= 32) || 1024;
    let d = "";
    for (let x = 0; x <= width; x += step) d += `M${x} 0v${height * stretch}`;
    if (height > 1) for (let row = 0; row <= height; row += step) d += `M0 ${row}h${width}`;
    set(parts.lines, { d });
  }

  function drawCenters(layer, kinds, isShown) {
    const drawn = drawnUnits(layer, MOST_CENTERS);
    const d = ["", ""];
    for (const unit of isShown ? drawn.units : []) {
      const window = unitWindow(layer, unit);
      if (!window) continue;
      const { x, y } = spot(window);
      d[kinds[flatOf(layer, unit)]] += `M${x} ${y}h0.001`;
    }
    for (const name of ["inside", "insideHalo"]) set(parts[name], { d: d[0] });
    for (const name of ["over", "overHalo"]) set(parts[name], { d: d[1] });
    return drawn.every;
  }

  function drawUnit(layer, unit, rectangles, withNeighbors) {
    const window = unitWindow(layer, unit);
    const near = withNeighbors ? neighborsOf(layer, unit).map((other) => unitWindow(layer, other)) : [];
    const d = near.map((other) => (other ? outline(other) : "")).join("");
    for (const name of ["neighbors", "neighborsHalo"]) set(parts[name], { d });
    for (const name of ["frame", "frameHalo", "padding"]) set(parts[name], { d: window ? outline(window) : "" });
    set(parts.arrows, { d: window ? arrowsOf(window, cuts(layer, window), view, stretch) : "" });
    const at = window ? spot(window) : null;
    const arm = view.width / 80;
    const cross = at ? `M${at.x - arm} ${at.y}h${2 * arm}M${at.x} ${at.y - arm}v${2 * arm}` : "";
    for (const name of ["cross", "crossHalo"]) set(parts[name], { d: cross });
    drawRead(layer, rectangles || clipped(layer, window));
  }

  const cuts = (layer, window) => (window ? cutsOf(window, layer.space, beyond) : []);

  /** Until Python has said what is really read, the part of the window inside the input stands for it. */
  function clipped({ space }, window) {
    if (!window) return [];
    const inside = window.map(([first, last], axis) => [Math.max(0, first), Math.min(space[axis] - 1, last)]);
    const [[top, bottom], [left, right]] = planar(inside);
    return bottom < top || right < left ? [] : [[top, left, bottom - top + 1, right - left + 1]];
  }

  function drawRead({ space }, rectangles) {
    const [height, width] = planar([...space].map((n) => [0, n - 1])).map(([, last]) => last + 1);
    const path = rectangles.map(([top, left, h, w]) => rectangle(left, top * stretch, w, h * stretch)).join("");
    set(parts.veil, { d: rectangle(0, 0, width, height * stretch) + path });
    const read = rectangles.reduce((sum, [, , h, w]) => sum + h * w, 0);
    const ends = (from, size) => [
      Math.min(...rectangles.map((r) => r[from])),
      Math.max(...rectangles.map((r) => r[from] + r[size])),
    ];
    let isLonely = false;
    if (rectangles.length > 1 && rectangles.length <= 20000) {
      const [[top, below], [left, after]] = [ends(0, 2), ends(1, 3)];
      isLonely = read * LONELY <= (below - top) * (after - left) || (stretch > 1 && read * 2 <= after - left);
    }
    set(parts.lonely, { d: isLonely || !(photo || stretch > 1) ? path : "" });
  }

  function drawEffective(given) {
    if (heatPng) heatPng.free();
    heatPng = given && given.image ? pngAddress(given.image) : null;
    set(parts.heat, { href: heatPng ? heatPng.address : null, display: heatPng ? null : "none" });
    element.classList.toggle("rflib-overlay-effective", Boolean(heatPng));
    for (const name of ["ellipse", "ellipseHalo"]) {
      show(name, Boolean(heatPng) && given.sigma.length === 2);
      if (!heatPng || given.sigma.length !== 2) continue;
      const [[row, column], [high, wide]] = [given.center, given.sigma];
      set(parts[name], { cx: column + 0.5, cy: row + 0.5, rx: 2 * wide, ry: 2 * high });
    }
  }

  /** The place of the input under the mouse, one number an axis. */
  function place(layer, event) {
    const { x, y } = pointAt(element, event);
    return layer.space.length === 1 ? [x - 0.5] : [y - 0.5, x - 0.5];
  }

  const free = () => [photo, heatPng].forEach((png) => png && png.free());
  return { element, hatchId, drawLayer, drawCenters, drawUnit, drawEffective, cuts, place, free };
}

function render({ model: given, el }) {
  const model = answered(given, el, { problem: "_problem", play: playOverlay });
  const root = frame(el, "overlay", "Overlay: what the units of a layer see of an image", { model, isPythons: true });
  let raw = null;
  let layer = null;
  let kinds = null;
  let drawn = {};
  let isHeld = false;
  let timer = 0;

  const chooser = select("layer", {
    options: model.get("_layers"),
    value: model.get("layer"),
    onChange: (value) => send(model, { layer: value }),
  });
  const toggle = (label, trait, name) => {
    const onChange = (on) => {
      send(model, { [trait]: on });
      update();
    };
    return input(label, { type: "checkbox", value: model.get(trait), name, onChange });
  };
  const toggles = {
    centers: toggle("centers", "centers", "centers of the units"),
    neighbors: toggle("neighbors", "neighbors", "windows of the neighbors"),
    effective: toggle("effective field", "effective"),
  };
  const image = imagePicture(model);
  const map = mapPicture();
  const result = resultLine();
  const key = legend();
  const names = { window: "ideal window", center: "center", read: "really read", border: "border units" };
  const table = factTable({ ...names, alignment: "paths", effective: "effective field" });
  const caption = html("p", { class: "rflib-hint" });
  const hint = html("p", { class: "rflib-hint" });
  const isFlat = unitWindows(model.get("_map")).space.length === 1;
  const pictures = html("div", { class: `rflib-overlay-pictures${isFlat ? " rflib-overlay-flat" : ""}` });
  const side = html("div", { class: "rflib-overlay-side" }, map.element, caption, table.element);
  pictures.append(html("div", { class: "rflib-overlay-main" }, image.element, key.element), side);
  const controls = html("div", { class: "rflib-controls" }, chooser.element);
  controls.append(...Object.values(toggles).map(({ element }) => element));
  root.append(controls, result.element, pictures, hint);

  const isCurrent = (given) => given.layer === layer.layer && same(given.unit || [], model.get("unit"));

  function update() {
    for (const [trait, { put }] of Object.entries(toggles)) put(model.get(trait));
    chooser.put(model.get("layer"));
    const isNew = model.get("_map") !== raw;
    if (isNew) {
      raw = model.get("_map");
      layer = unitWindows(raw);
      kinds = bordering(layer);
      image.drawLayer(layer, kinds, false);
      map.drawLayer(layer, kinds);
    }
    // Between the choice of a layer and Python's word about it, the picture keeps showing the layer before.
    if (model.get("layer") !== layer.layer || model.get("unit").length !== layer.units.length) return;
    if (isNew || drawn.centers !== model.get("centers")) drawCenters();
    drawUnit();
    drawEffective();
    say();
  }

  function drawCenters() {
    drawn.centers = model.get("centers");
    const every = image.drawCenters(layer, kinds, drawn.centers);
    const some = every > 1 ? ` (one in ${every})` : "";
    key.say("inside", `centers of units with a window inside${some}`);
    key.say("over", `centers of border units${some}`);
    key.show("inside", drawn.centers && kinds.includes(0));
    key.show("over", drawn.centers && kinds.includes(1));
    const words = `Feature map: ${layer.units.join(" × ") || 1} ${kinds.length === 1 ? "unit" : "units"}.`;
    const over = kinds.includes(1) ? " Hatched: the window hangs over the border." : "";
    caption.textContent = words + over + (kinds.includes(2) ? " Crossed: reads nothing." : "");
  }

  function drawUnit() {
    const [unit, answer] = [model.get("unit"), model.get("_answer")];
    const rectangles = isCurrent(answer) ? rectanglesOf(answer.rectangles) : null;
    image.drawUnit(layer, unit, rectangles, model.get("neighbors"));
    map.drawUnit(layer, unit);
    const window = unitWindow(layer, unit);
    key.show("frame", window !== null);
    const cut = cutWords(image.cuts(layer, window), layer.space.length);
    key.show("cut", cut !== "");
    key.say("cut", `the window goes on beyond the picture: ${cut}`);
    key.show("cross", window !== null);
    key.show("padding", window !== null && hangsOver(window, layer.space));
    const isLonely = Boolean(image.element.querySelector(".rflib-overlay-lonely").getAttribute("d"));
    key.show("lonely", isLonely);
    key.show("read", !isLonely);
    key.show("neighbors", model.get("neighbors") && kinds.length > 1);
  }

  function drawEffective() {
    const given = model.get("_effective");
    const isWanted = model.get("effective");
    const shown = isWanted && isCurrent(given) ? given : null;
    if (drawn.effective !== shown) {
      drawn.effective = shown;
      image.drawEffective(shown);
    }
    key.show("heat", Boolean(shown && shown.image));
    key.show("ellipse", Boolean(shown && shown.image) && !isFlat);
    table.say("effective", isWanted ? (shown ? shown.words : "computing …") : null);
    clearTimeout(timer);
    if (isWanted && !shown) {
      const asked = { layer: layer.layer, unit: model.get("unit") };
      timer = setTimeout(() => send(model, { _asked: { ...asked, time: Date.now() } }), REST);
    }
  }

  function say() {
    const [unit, answer, window] = [model.get("unit"), model.get("_answer"), unitWindow(layer, model.get("unit"))];
    const ends = window ? window.map(([first, last]) => `${first}..${last}`).join(",") : "none";
    const isAnswered = isCurrent(answer);
    if (isAnswered) {
      for (const name of ["window", "center", "read"]) table.say(name, answer.facts[name]);
    }
    table.say("border", layer.border);
    table.say("alignment", layer.alignment || null);
    if (model.get("_problem")) result.say(model.get("_problem"));
    else if (isAnswered) result.say(answer.sentence);
    hint.textContent = isHeld
      ? "Held: a click on the same place lets the unit go."
      : "Move over the image or over the feature map, by mouse or by arrow keys; a click holds the unit.";
    const asked = drawn.effective ? (drawn.effective.image ? "shown" : "none") : "computing";
    const effective = model.get("effective") ? asked : "off";
    const center = window ? middleOf(window).map((c) => decimal(c, 1)) : "none";
    const border = kinds.reduce((sum, kind) => sum + Number(kind === 1), 0);
    set(image.element, {
      "data-shows":
        `layer=${layer.layer} unit=${unit.join(",")} window=${ends} center=${center} ` +
        `read=${isAnswered ? grouped(answer.read) : "?"} border=${border} effective=${effective} ` +
        `cut=${image.cuts(layer, window).map(({ position }) => position).join(",") || "none"}`,
    });
  }

  function choose(unit, isStep = false) {
    if (model.get("layer") !== layer.layer || same(unit, model.get("unit"))) return;
    if (isStep) model.steps?.(); // where answers were recorded, a key leads on to the next one
    send(model, { unit });
    update();
  }

  function follow(element, unitUnder) {
    const hover = oncePerFrame((event) => {
      if (!isHeld) choose(unitUnder(event));
    });
    element.addEventListener("pointermove", hover);
    element.addEventListener("click", (event) => {
      const unit = unitUnder(event);
      isHeld = !(isHeld && same(unit, model.get("unit")));
      choose(unit);
      root.classList.toggle("rflib-overlay-held", isHeld);
      say();
    });
  }

  function keysOf(element, name, step) {
    const by = (down, right) => () => choose(step(down, right), true);
    onKeys(element, `${name}: ${KEYS}`, {
      ArrowUp: by(-1, 0),
      ArrowDown: by(1, 0),
      ArrowLeft: by(0, -1),
      ArrowRight: by(0, 1),
      Home: by(0, -Infinity),
      End: by(0, Infinity),
      PageUp: by(-Infinity, 0),
      PageDown: by(Infinity, 0),
    });
  }

  follow(image.element, (event) => nearestUnit(layer, image.place(layer, event), model.get("unit")));
  follow(map.element, (event) => map.unitAt(layer, event));
  const axes = isFlat ? 1 : 2;
  const across = (unit, down, right) => {
    const moved = down && axes === 2 ? movedOnImage(layer, unit, 0, down) : unit;
    return right ? movedOnImage(layer, moved, axes - 1, right) : moved;
  };
  keysOf(image.element, "The image", (down, right) => across(model.get("unit"), down, right));
  keysOf(map.element, "The feature map", (down, right) => map.step(layer, model.get("unit"), down, right));

  update();
  const traits = ["layer", "unit", "centers", "neighbors", "effective", "_map", "_answer", "_effective", "_problem"];
  const off = onTraits(model, traits, update);
  return () => {
    off();
    clearTimeout(timer);
    image.free();
  };
}

export default { render };
