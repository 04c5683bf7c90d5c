// Brings a deck to life: explorers, formulas, pages, reveal.js with its speaker view, and the keys.

/** The modules of the explorers, each once; a widget's own script is one line that asks for one of them. */
const modules = {};
globalThis.rflibScript = (name) => {
  modules[name] ??= (() => {
    const text = document.querySelector(`script[data-module="${name}"]`).textContent;
    return import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  })();
  return modules[name];
};

/** An AMD module of this page; what is not in the file is not fetched from anywhere. */
const amd = (name) => new Promise((done, failed) => requirejs([name], done, failed));

async function drawWidgets() {
  const state = JSON.parse(document.querySelector('script[type="application/vnd.jupyter.widget-state+json"]').textContent);
  if (!state.state) return;
  const { HTMLManager } = await amd("@jupyter-widgets/html-manager");
  const manager = new HTMLManager({ loader: amd });
  await manager.set_state(state);
  for (const place of document.querySelectorAll(".live")) {
    const model = await manager.get_model(place.dataset.model);
    await manager.display_view(await manager.create_view(model), place);
  }
}

async function picturesAreThere() {
  await Promise.all([...document.querySelectorAll(".slides img")].map((picture) => picture.decode()));
}

async function formulas() {
  await MathJax.startup.promise;
  await MathJax.typesetPromise([...document.querySelectorAll(".slides .markdown, .slides aside.notes, .slides .jp-RenderedMarkdown")]);
}

const frames = (number) =>
  new Promise((done) => requestAnimationFrame(() => (number > 1 ? frames(number - 1).then(done) : done())));

/** The minutes with which a note begins belong to the pages since the note before; the speaker view's clock keeps them. */
function keepTime() {
  let waiting = [];
  const [plan, ...stacks] = document.querySelectorAll(".slides > section");
  waiting.push(...plan.children);
  for (const stack of stacks) {
    waiting.push(...stack.children);
    const begins = [...stack.firstElementChild.querySelectorAll("aside.notes")].map((note) =>
      note.textContent.match(/^\s*For the lecturer\.\s*(\d+) minutes/),
    );
    const minutes = begins.reduce((sum, found) => sum + Number(found?.[1] ?? 0), 0);
    if (minutes === 0) continue;
    waiting.forEach((page) => (page.dataset.timing = Math.round((60 * minutes) / waiting.length)));
    waiting = [];
  }
}

/** A note is written behind what it is about: a stack of slides without one shows the next one that comes. */
function lendNotes() {
  let next = [];
  for (const stack of [...document.querySelectorAll(".slides > section")].reverse()) {
    const own = [...stack.firstElementChild.querySelectorAll("aside.notes")];
    if (own.length) next = own;
    else for (const page of stack.children) page.append(...next.map((note) => note.cloneNode(true)));
  }
}

// The speaker view hands on keys that were pressed there, without a target.
const insideExplorer = (event) => event.target?.closest?.(".live, input, select, textarea, summary");

const isTyped = ({ key, target }) =>
  key.length === 1 && target.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=range])");

/**
 * A way back: an explorer keeps the keys that are pressed in it, and a lecturer's clicker sends Page down. Esc leaves an
 * explorer, and does not show all slides then; Page up, Page down, N and P always move the slides; a question's verdict,
 * which has the focus only to be read aloud, keeps no key.
 */
function giveWayBack() {
  document.addEventListener(
    "keydown",
    (event) => {
      if (!event.target?.closest?.(".live, summary") || event.ctrlKey || event.metaKey || event.altKey) return;
      if (["Tab", "Shift"].includes(event.key)) return;
      const isLeft = event.key === "Escape";
      const turns = ["PageUp", "PageDown", "n", "p"].includes(event.key) && !isTyped(event);
      if (!isLeft && !turns && !event.target.matches(".rflib-result")) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      event.target.blur();
      if (!isLeft) Reveal.triggerKey(event.keyCode);
    },
    { capture: true },
  );
}

/** A cell's id behind the address of a deck opens its page. */
function nameCells() {
  for (const cell of document.querySelectorAll(".slides [data-cell]")) {
    if (!document.getElementById(cell.dataset.cell)) cell.id = cell.dataset.cell;
  }
}

async function start() {
  document.querySelectorAll(".anchor-link").forEach((link) => link.remove());
  await Promise.all([drawWidgets(), picturesAreThere(), formulas()]);
  await frames(2); // explorers draw in the next frame
  layOutPages(document.querySelector(".slides"));
  keepTime();
  lendNotes();
  nameCells();
  giveWayBack();
  await Reveal.initialize({
    width: 1024,
    height: 768,
    margin: 0,
    minScale: 0.1,
    maxScale: 4,
    center: false,
    hash: true,
    navigationMode: "linear", // an arrow leaves nothing out
    transition: "none",
    slideNumber: "c/t",
    scrollActivationWidth: null,
    defaultTiming: 0,
    pdfSeparateFragments: false,
    plugins: [RevealNotes, RevealZoom],
    // Arrow keys inside an explorer move the explorer.
    keyboardCondition: (event) => !insideExplorer(event),
    keyboard: { 68: () => deckTheme.toggle() },
  });
  Reveal.registerKeyboardShortcut("D", "Dark or light");
  document.querySelector("#loading").remove();
  document.body.dataset.ready = "true";
}

start().catch((error) => {
  document.querySelector("#loading").textContent = `The slides could not be laid out: ${error.message ?? error}`;
  throw error;
});
