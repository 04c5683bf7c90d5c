// Explorers on a page without Python: what Python would answer is looked up in a recording that it made.

const WAIT = 400; // milliseconds before a page that is still loading its answers says so
const LOADING = "Loading what Python computed for this page \u2026";

/** A move that the recording has no answer to; the message says so to the reader. */
export class Refusal extends Error {}

/** A move that was not computed, as an error to throw. */
export function notComputed(what) {
  const why = `This page plays back what Python computed, and this was not computed: ${what}.`;
  return new Refusal(`${why} In the notebook everything is.`);
}

/**
 * The model itself where Python answers; else what stands in for it and answers from the trait `_recording`, which
 * holds the recording or, as {url}, where it lies.
 * @param {any} model What anywidget gives.
 * @param {HTMLElement | null} el The recording is fetched when the mouse or the focus comes here, at the latest when
 *   something is moved.
 * @param {{problem: string, play: (recording: any, now: (trait: string) => any, asked: Record<string, any>,
 *   told: any, isStep: boolean) => Record<string, any>}} how `problem`: the trait that says why something is refused.
 *   `play` gives the traits as Python would set them, those among the asked ones that hold included, or throws a
 *   `Refusal`; `asked` are the traits that the browser has changed, `told` is a message to Python.
 * @returns {any}
 */
export function answered(model, el, { problem, play }) {
  const given = model.get("_recording");
  if (!given || Object.keys(given).length === 0) return model;
  let recording = given.url === undefined ? given : null;
  let before = {}; // what the traits set since the last move were
  const moves = [];
  let isLoading = false;
  let isDue = false;
  let isStep = false;

  /** Answer all moves in their order, as Python would, and show what comes out. */
  function work() {
    isDue = false;
    const values = undone();
    const now = (trait) => (trait in values ? values[trait] : model.get(trait));
    for (const move of moves.splice(0)) answer(move, values, now);
    show(values);
  }

  function answer({ asked, told, isStep }, values, now) {
    values[problem] = "";
    const changed = Object.entries(asked).filter(([trait, value]) => !isAlike(value, now(trait)));
    if (!changed.length && !told) return; // Python hears of changes only
    try {
      Object.assign(values, play(recording, now, Object.fromEntries(changed), told, isStep));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      values[problem] = error.message;
    }
  }

  /** The traits as they were before all moves that wait. */
  function undone() {
    return Object.assign({}, ...[...moves].reverse().map((move) => move.before));
  }

  function show(values) {
    // A refusal in the same words must be drawn again, as a control shows something else by now.
    if (values[problem] && values[problem] === model.get(problem)) model.set(problem, "");
    model.set(values); // all at once, as from Python: the picture never shows one half of an answer
  }

  async function load() {
    if (recording || isLoading) return;
    isLoading = true;
    const address = new URL(given.url, document.baseURI);
    try {
      const reply = await fetch(address);
      if (!reply.ok) throw new Error(`the answer was ${reply.status}`);
      recording = await reply.json();
    } catch (error) {
      isLoading = false;
      const why = `What Python computed for this page could not be loaded (${error.message}).`;
      const values = { ...undone(), [problem]: `${why} Try again, or open the lesson as a notebook.` };
      if (moves.splice(0).length) show(values);
      return;
    }
    if (moves.length) work();
  }

  function move(asked, told) {
    moves.push({ before, asked, told, isStep });
    before = {};
    isStep = false;
    if (!recording) {
      load();
      setTimeout(() => moves.length && !recording && model.set(problem, LOADING), WAIT);
    } else if (!isDue) {
      isDue = true;
      queueMicrotask(work); // Python's word comes after what the caller has yet to do, too
    }
  }

  for (const event of ["pointerenter", "focusin"]) el?.addEventListener(event, load, { once: true });
  return {
    get: (trait) => model.get(trait),
    set(trait, value) {
      if (!(trait in before)) before[trait] = model.get(trait);
      model.set(trait, value);
    },
    save_changes: () => move(Object.fromEntries(Object.keys(before).map((trait) => [trait, model.get(trait)])), null),
    send: (content) => move({}, content),
    /** The next move is one step by a key: where that place is not recorded it leads on to the next one that is. */
    steps: () => (isStep = true),
    on: (event, action) => model.on(event, action),
    off: (event, action) => model.off(event, action),
  };
}

const isAlike = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** Bytes from base64, as widgets hold them. */
export function bytesOf(text) {
  const letters = atob(text);
  return new DataView(Uint8Array.from(letters, (letter) => letter.charCodeAt(0)).buffer);
}

/** The numbers in a set that was packed as bits, the highest bit of each byte first. */
export function membersOf(text) {
  const bytes = bytesOf(text);
  const found = [];
  for (let i = 0; i < 8 * bytes.byteLength; i += 1) if (bytes.getUint8(i >> 3) & (128 >> (i & 7))) found.push(i);
  return found;
}

/** A text with its blanks, such as {unit}, filled in. */
export function filledIn(text, blanks) {
  return text.replace(/\{(\w+)\}/g, (blank, name) => (name in blanks ? String(blanks[name]) : blank));
}

/** Python's row by row number of a place. */
export function flatIn(shape, place) {
  return place.reduce((flat, index, axis) => flat * shape[axis] + index, 0);
}

/** A place in words as Python says it: (3, 4), or 3 on one axis. */
export function placeWords(place) {
  return place.length === 1 ? String(place[0]) : `(${place.join(", ")})`;
}

/**
 * The recorded place nearest to the asked one. From a place nearby only those on the way to the asked one count, so that
 * an arrow key leads on to the next recorded place instead of back to where it began.
 * @param {number[] | null} from Where the move began; null where nothing can be said about a direction.
 * @param {number[]} asked
 * @param {number[][]} recorded
 * @returns {number[] | null} null where no recorded place lies on the way.
 */
export function nearestRecorded(from, asked, recorded) {
  const onTheWay = (place) => place.reduce((sum, at, axis) => sum + (at - from[axis]) * (asked[axis] - from[axis]), 0);
  let [best, least] = [null, Infinity];
  for (const place of recorded) {
    if (from && onTheWay(place) <= 0) continue;
    const far = place.reduce((sum, at, axis) => sum + (at - asked[axis]) ** 2, 0);
    if (far < least) [best, least] = [place, far];
  }
  return best;
}
