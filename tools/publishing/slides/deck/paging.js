// Lays the cells of each slide out like pages. A cell that does not fit goes to the next page; pictures, long outputs and
// code get smaller before that, down to a floor; what is still too high for a page of its own is cut between blocks.
// Everything is measured in the deck's own units, 1024 x 768, in which reveal.js scales it to any screen.

const PAGE = { inner: 936, room: 672, wideRoom: 700 };
const GAP = 12; // between two cells
// How far something may shrink, as a share of its natural size, or as a font size in pixels.
const FLOOR = { picture: 0.7, code: 15.5, output: 14, table: 15, explorer: 0.85, answered: 1.15 };
const COMFORT = { explorer: 1.3, question: 1.45, picture: 1.45 };
const WRAPPED = 16; // code and outputs with lines too long for the floor
const QUESTION_ROOM = 0.75; // what an open question may take of its room, as it grows when it is answered
const ROOMY = 0.5; // a page of text that is filled less than this gets larger letters
const FORBIDDEN = 1e6;

/** A cell, or a part of one that is too high for a page, with what paging wants to know of it. */
class Unit {
  constructor(element, fragment) {
    this.element = element;
    this.fragment = fragment;
    this.tags = (element.dataset.tags || "").split(" ");
    this.asks = (element.dataset.asks || "").split(" ").filter(Boolean);
    this.answers = this.tags.filter((tag) => tag.startsWith("answers-")).map((tag) => tag.slice("answers-".length));
    this.live = element.querySelector(".live");
    this.pictures = this.live ? [] : [...element.querySelectorAll(".jp-RenderedImage img")];
    const blocks = [...element.children];
    this.isHeading = blocks.length > 0 && blocks.every((block) => /^H[1-4]$/.test(block.tagName));
    this.isTitle = /^H[12]$/.test(blocks[0]?.tagName ?? "");
    this.isCode = element.classList.contains("code");
    this.title = !this.isCode && /^H[1-4]$/.test(blocks[0]?.tagName ?? "") ? blocks[0].textContent : null;
    this.isSilent = this.isCode && !element.querySelector(".code-outputs");
  }

  measure() {
    this.height = this.element.offsetHeight;
    this.pictureHeight = this.pictures.reduce((sum, picture) => sum + picture.offsetHeight, 0);
    this.liveHeight = this.live ? this.live.offsetHeight : 0;
    this.element.classList.add("compact");
    this.compactHeight = this.element.offsetHeight;
    this.element.classList.remove("compact");
  }

  /** What it can give up if pictures and explorers shrink to their floors. */
  get spare() {
    return this.pictureHeight * (1 - FLOOR.picture) + this.liveHeight * (1 - FLOOR.explorer);
  }
}

/** How units share one page: compact or not, the scale of its pictures; null where they do not fit. */
function fit(units) {
  const gaps = GAP * (units.length - 1);
  for (const compact of [false, true]) {
    const height = units.reduce((sum, unit) => sum + (compact ? unit.compactHeight : unit.height), gaps);
    const spare = units.reduce((sum, unit) => sum + unit.spare, 0);
    const over = height - PAGE.room;
    if (over <= 0) return { compact, shrink: 0, height };
    if (over <= spare) return { compact, shrink: over / spare, height: PAGE.room };
  }
  return null;
}

/** How bad a page is; a lower sum over the pages of a slide is better. */
function badness(units, isLast) {
  const found = fit(units);
  if (!found && units.length > 1) return FORBIDDEN;
  const asked = new Set(units.flatMap((unit) => unit.asks));
  if (units.some((unit) => unit.answers.some((name) => asked.has(name)))) return FORBIDDEN;
  // A question grows when it is answered, and what follows talks about its answer; an explorer wants the room there is.
  if (units.slice(0, -1).some((unit) => unit.live)) return FORBIDDEN;
  let cost = 1;
  if (!found) return cost + 50;
  if (found.compact) cost += 0.35;
  cost += 0.8 * found.shrink ** 2;
  const last = units.at(-1);
  if (last.isHeading && !isLast) cost += 20;
  // Beside much else, a question would have to be small.
  if (last.asks.length && found.height - last.height > PAGE.room / 4) cost += 1.2;
  // A sentence that leads to what stands on the next page stands alone there: a little worse than a full page.
  if (found.height < PAGE.room * 0.2 && !units.some((unit) => unit.live)) cost += 0.5;
  if (!isLast && (last.endsWithColon || last.isSilent)) cost += 0.3;
  return cost;
}

/** The best way to cut a list of units into pages. */
function cut(units) {
  const best = [{ cost: 0, from: 0 }];
  for (let end = 1; end <= units.length; end++) {
    best[end] = { cost: Infinity, from: end - 1 };
    for (let start = end - 1; start >= 0; start--) {
      const page = badness(units.slice(start, end), end === units.length);
      if (page >= FORBIDDEN && start < end - 1 && !fit(units.slice(start, end))) break;
      const cost = best[start].cost + page;
      if (cost < best[end].cost) best[end] = { cost, from: start };
    }
  }
  const pages = [];
  for (let end = units.length; end > 0; end = best[end].from) pages.unshift(units.slice(best[end].from, end));
  return pages;
}

/** A font size at which the longest line of code or of an output fits, down to the floor; there lines wrap. */
function fitLines(pre) {
  const { fontSize, paddingLeft } = getComputedStyle(pre);
  const size = parseFloat(fontSize);
  const width = pre.clientWidth - 2 * parseFloat(paddingLeft);
  const needed = pre.scrollWidth - 2 * parseFloat(paddingLeft);
  if (needed > width + 1) {
    const fits = Math.floor(10 * size * (width / needed)) / 10;
    const isEnough = fits >= (pre.closest(".code-outputs") ? FLOOR.output : FLOOR.code);
    pre.style.fontSize = `${isEnough ? fits : WRAPPED}px`;
    pre.classList.toggle("wraps", !isEnough);
  }
}

/** Tables and formulas that are wider than the page get smaller; a formula's width follows in steps, so it is looked at. */
function fitWidth(element) {
  const room = element.parentElement.clientWidth;
  for (let size = parseFloat(getComputedStyle(element).fontSize); element.scrollWidth > room + 1; size -= 0.5) {
    if (size < FLOOR.table) break;
    element.style.fontSize = `${size}px`;
  }
}

/** The items of a list that is itself too high, each as a list of its own that goes on counting. */
function items(list) {
  const start = Number(list.getAttribute("start") ?? 1);
  return [...list.children].map((item, at) => {
    const piece = list.cloneNode(false);
    if (list.tagName === "OL") piece.setAttribute("start", start + at);
    piece.append(item);
    return piece;
  });
}

/** What a cell can be cut into: its paragraphs, lists and tables, a heading with what follows it. */
function blocksOf(holder) {
  const groups = [];
  let waiting = [];
  for (const block of [...holder.children]) {
    const isList = /^[UO]L$/.test(block.tagName) && block.offsetHeight > PAGE.room / 2;
    for (const one of isList ? items(block) : [block]) {
      waiting.push(one);
      if (!/^H[1-4]$/.test(one.tagName)) groups.push(waiting.splice(0));
    }
  }
  return waiting.length ? [...groups, waiting] : groups;
}

/** A cell that is too high for any page, cut between its blocks; of code, between the code and the blocks of its outputs. */
function parts(unit) {
  if (unit.live || fit([unit])) return [unit];
  const { element } = unit;
  const groups = [];
  if (unit.isCode) {
    const input = element.querySelector(".code-input");
    if (input) groups.push([input]);
    for (const output of element.querySelectorAll(".jp-OutputArea-child")) {
      const rendered = output.querySelector(".jp-RenderedHTMLCommon");
      groups.push(...(rendered ? blocksOf(rendered) : [[output]]));
    }
  } else {
    groups.push(...blocksOf(element));
  }
  if (groups.length < 2) return [unit];
  const pieces = groups.map((nodes) => {
    const piece = element.cloneNode(false);
    piece.append(...nodes);
    return piece;
  });
  element.replaceWith(...pieces);
  return pieces.map((piece) => {
    const made = new Unit(piece, unit.fragment);
    made.measure();
    return made;
  });
}

/** An explorer that has a page for itself gets all of it. */
const isWide = (units) => units.length === 1 && units[0].live && units[0].asks.length === 0;

/** Give pictures and the explorer of a page their sizes. */
function settle(units) {
  if (isWide(units)) units[0].element.classList.add("wide");
  const found = fit(units) ?? { compact: true, shrink: 1, height: Infinity };
  if (found.compact) units.forEach((unit) => unit.element.classList.add("compact"));
  const pictures = units.flatMap((unit) => unit.pictures);
  if (found.height < PAGE.room * ROOMY && pictures.length === 0 && !units.some((unit) => unit.live)) {
    units.forEach((unit) => unit.element.classList.add("roomy"));
  }
  const free = Math.max(0, PAGE.room - found.height);
  const total = pictures.reduce((sum, picture) => sum + picture.offsetHeight, 0);
  for (const picture of pictures) {
    const widest = PAGE.inner / picture.offsetWidth;
    const larger = Math.min(COMFORT.picture, widest, 1 + free / total);
    const scale = found.shrink > 0 ? 1 - found.shrink * (1 - FLOOR.picture) : Math.max(1, larger);
    picture.dataset.height = Math.floor(picture.offsetHeight * scale);
  }
  for (const picture of pictures) picture.style.height = `${picture.dataset.height}px`;
  const unit = units.find((one) => one.live);
  if (unit) settleLive(unit, units);
}

/** The explorer of a page gets the room that is left; what grows beyond it scrolls inside. */
function settleLive(unit, units) {
  const others = units.reduce((sum, one) => sum + (one === unit ? 0 : one.element.offsetHeight), 0);
  const whole = isWide(units) ? PAGE.wideRoom : PAGE.room;
  const room = whole - others - GAP * (units.length - 1) - (unit.element.offsetHeight - unit.live.offsetHeight);
  const { live } = unit;
  // Zooming narrows the explorer's own width, which may make it higher: look at what comes out, from large to small.
  const isQuestion = unit.asks.length > 0;
  for (let zoom = isQuestion ? COMFORT.question : COMFORT.explorer; zoom >= FLOOR.explorer - 1e-9; zoom -= 0.05) {
    live.style.setProperty("--zoom", zoom.toFixed(2));
    if (live.offsetHeight <= room * (isQuestion && zoom > 1 ? QUESTION_ROOM : 1)) break;
  }
  live.style.maxHeight = `${Math.floor(room)}px`;
  shrinkOnGrowth(live, isQuestion);
}

/**
 * A question that has been answered shows an explanation, often with a picture: it gets smaller before it scrolls. An
 * explorer may find its size only when it is seen; as soon as somebody moves it, it stays as it is.
 */
function shrinkOnGrowth(live, isQuestion) {
  const floor = isQuestion ? FLOOR.answered : FLOOR.explorer; // what is said of an answer is read from the last row
  const shrink = () => {
    let zoom = Number(live.style.getPropertyValue("--zoom"));
    while (live.scrollHeight > live.clientHeight + 1 && zoom > floor) {
      zoom = Math.max(floor, zoom - 0.05);
      live.style.setProperty("--zoom", zoom.toFixed(2));
    }
  };
  const observer = new ResizeObserver(() => requestAnimationFrame(shrink));
  observer.observe(live.firstElementChild);
  if (isQuestion) return;
  for (const event of ["pointerdown", "keydown"]) {
    live.addEventListener(event, () => observer.disconnect(), { once: true, capture: true });
  }
}

/** One page as reveal.js wants it. */
function page(units, running, notes) {
  const section = document.createElement("section");
  if (isWide(units)) section.className = "wide";
  if (!units[0].isTitle && running) {
    const line = document.createElement("p");
    line.className = "running";
    line.textContent = running;
    section.append(line);
  }
  let wrapper = null;
  let last = units[0].fragment; // what a page begins with is there from the beginning
  for (const unit of units) {
    if (unit.fragment !== last) {
      wrapper = unit.fragment === null ? null : Object.assign(document.createElement("div"), { className: "fragment" });
      if (wrapper) section.append(wrapper);
      last = unit.fragment;
    }
    (wrapper ?? section).append(unit.element);
  }
  for (const note of notes) section.append(note.cloneNode(true));
  return section;
}

/**
 * What says little alone is put together with the slide below it: a heading with a line or two, unless it asks the room
 * something, and code whose output stands there.
 */
function merged(leaves) {
  const kept = [];
  for (const units of leaves) {
    const before = kept.at(-1);
    const isSilent = before?.at(-1).isSilent;
    const isLead = before?.[0].isTitle && before.every((unit) => !unit.isCode || unit.isSilent);
    const asks = before?.some((unit) => /\?["”)*]?\s*$/.test(unit.element.textContent));
    const height = (list) => list.reduce((sum, unit) => sum + unit.height + GAP, 0);
    // A question leaves less room, as it grows when it is answered; an explorer none.
    const isQuestion = units[0].asks.length > 0;
    const room = isQuestion ? PAGE.room / 4 : units.some((unit) => unit.live || unit.isTitle) ? 0 : PAGE.room / 3;
    if ((isSilent && room > PAGE.room / 4) || (isLead && !asks && height(before) < room)) {
      const both = [...before, ...units];
      const found = fit(both);
      if (isQuestion || (found && !found.compact && found.shrink < 0.5)) {
        kept[kept.length - 1] = both;
        continue;
      }
    }
    kept.push(units);
  }
  return kept;
}

/** The units of one of nbconvert's slides, in order. */
function unitsOf(section) {
  const units = [];
  let number = 0;
  for (const child of section.children) {
    if (child.matches("aside.notes")) continue;
    const isFragment = child.matches(".fragment");
    if (isFragment) number += 1;
    const cells = isFragment ? [...child.querySelectorAll(":scope > .cell")] : child.matches(".cell") ? [child] : [];
    cells.forEach((cell) => units.push(new Unit(cell, isFragment ? number : null)));
  }
  return units;
}

/**
 * Replace nbconvert's slides by pages on which everything fits.
 * @param {HTMLElement} slides The element `.slides`, its formulas typeset and its widgets drawn.
 */
window.layOutPages = function layOutPages(slides) {
  const desk = document.createElement("div");
  desk.id = "desk";
  document.querySelector("main").append(desk);
  const stacks = [...slides.children].map((stack) => {
    const notes = [...stack.querySelectorAll("aside.notes")];
    const leaves = [...stack.children].map(unitsOf);
    return { notes, leaves };
  });
  desk.append(...stacks.flatMap(({ leaves }) => leaves.flat().map((unit) => unit.element)));
  desk.querySelectorAll("pre").forEach(fitLines);
  desk.querySelectorAll("table").forEach(fitWidth);
  desk.querySelectorAll("mjx-container[display]").forEach(fitWidth);
  const all = stacks.flatMap(({ leaves }) => leaves.flat());
  all.forEach((unit) => {
    unit.measure();
    unit.endsWithColon = /:\s*$/.test(unit.element.textContent) && !unit.isCode;
  });
  const built = stacks.map(({ notes, leaves }) => {
    const pages = merged(leaves).flatMap((units) => cut(units.flatMap(parts)));
    pages.forEach(settle);
    const titles = pages.map((units) => units.map((unit) => unit.title).findLast(Boolean));
    const stack = document.createElement("section");
    pages.forEach((units, at) => stack.append(page(units, titles.slice(0, at).findLast(Boolean), notes)));
    return stack;
  });
  slides.replaceChildren(...built.filter((stack) => stack.children.length));
  desk.remove();
};
