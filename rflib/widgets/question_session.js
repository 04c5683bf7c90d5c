// A question's session on a page without Python: what session.py and judging.py do, by what rehearsal.py wrote down.
// A fraction is [numerator, denominator], two BigInts without a common divisor, the second above 0.

const WRITTEN = /^[+-]?(\d+(\.\d*)?|\.\d+|\d+\/\d*[1-9]\d*)$/;
// what Python's strip takes off
const BLANK = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
const BLANKS = new RegExp(`^${BLANK}|${BLANK}$`, "g");
const LONGEST = 40; // characters: more is no number that somebody means
const DIGITS = 150; // after the point: a denominator of that length ends before
const OPEN = {
  phase: "open", verdict: "", given: null, answer: "", when: "", sentence: "", mistake: "", truth: "",
  truth_cells: null, reveal: [], problem: "", note: "",
};

/** Something that is no answer to the question; its message is for the reader. It is no try. */
export class NoAnswer extends Error {}

/**
 * A recording in plain words again.
 * @param {{words: string, images: string[]}} recording What `coded` of rehearsal.py returns.
 */
export function decoded({ words, images }) {
  const bytes = Uint8Array.from(atob(words), (letter) => letter.charCodeAt(0));
  const rehearsal = JSON.parse(new TextDecoder().decode(bytes));
  const filled = ({ image, ...part }) => (part.kind === "image" ? { ...part, png: images[image] } : part);
  return { ...rehearsal, reveal: rehearsal.reveal.map(filled) };
}

/**
 * One step of the session.
 * @param {any} form What the reader sees before answering.
 * @param {any} rehearsal A recording, decoded.
 * @param {any} view What the reader sees now; its `hints` counts those that were given.
 * @param {{action: string, answer?: any}} message "commit" with an answer, "show" or "again".
 * @returns {any} What the reader sees next.
 */
export function nextView(form, rehearsal, view, { action, answer }) {
  const turn = view.turn + 1;
  if (action === "again") return { ...OPEN, turn, hints: 0 };
  if (view.phase === "done") return view;
  const { truth, truth_cells, reveal, note } = rehearsal;
  const revealed = { truth, truth_cells, reveal, phase: "done" };
  if (action === "show") {
    const empty = { given: null, answer: "", sentence: "", mistake: "", problem: "" };
    return { ...view, ...empty, ...revealed, verdict: "shown", note, turn };
  }
  let read;
  try {
    read = readAnswer(form, answer);
  } catch (error) {
    if (error instanceof NoAnswer) return { ...view, problem: error.message, turn };
    throw error;
  }
  const { right, sentence, mistake } = judged(form, rehearsal, read);
  const said = { given: asData(form, read), answer: inWords(form, read), sentence, mistake, problem: "", note, turn };
  const next = { ...view, ...said, verdict: right ? "right" : "wrong" };
  if (right || form.prediction) return { ...next, ...revealed };
  return { ...next, ...(sentence ? {} : hinted(rehearsal.hints, view.hints ?? 0)), phase: "again" };
}

/** The next hint; the last one stays. */
function hinted(hints, given) {
  if (hints.length === 0) return { sentence: "" };
  const at = Math.min(given, hints.length - 1);
  return { sentence: `Hint ${at + 1} of ${hints.length}: ${hints[at]}`, hints: given + 1 };
}

/**
 * What is said about an answer: the first outcome that it agrees with.
 * @param {any} form
 * @param {any} rehearsal
 * @param {any} answer What `readAnswer` returns.
 * @returns {{right: boolean, sentence: string, mistake: string}}
 */
export function judged(form, { outcomes, tolerance }, answer) {
  const agrees = {
    choice: (known) => known === answer,
    number: (known) => isWithin(answer, fraction(known), fraction(tolerance)),
    interval: (known) => known.every((end, at) => BigInt(end) === answer[at]),
    region: (known) => known.length === answer.length && known.every((cell, at) => isSameCell(cell, answer[at])),
  }[form.kind];
  return outcomes.find((outcome) => agrees(outcome.answer)) ?? { right: false, sentence: "", mistake: "" };
}

/**
 * What the form gave, as the value that is judged: a label, a fraction, two BigInts, or cells in order.
 * @param {any} form
 * @param {any} given
 */
export function readAnswer(form, given) {
  if (form.kind === "choice") {
    if (!form.options.includes(given)) throw new NoAnswer("Choose one of the options first.");
    return given;
  }
  if (form.kind === "interval") return readInterval(given);
  if (form.kind === "region") return readCells(form, given);
  const number = readNumber(given, "answer");
  if (form.whole && number[1] !== 1n) throw new NoAnswer("The answer is a whole number.");
  return number;
}

function readNumber(given, what) {
  if (typeof given !== "string") throw new NoAnswer(`Write the ${what} in digits.`);
  const text = given.replace(BLANKS, "").replace(/[\u2212\u2013]/g, "-");
  if (!text) throw new NoAnswer(`The field for the ${what} is empty.`);
  if ([...text].length > LONGEST) throw new NoAnswer(`The ${what} is too long: at most ${LONGEST} characters.`);
  if (WRITTEN.test(text)) return fraction(text);
  if (text.includes(",")) throw new NoAnswer(`Write the ${what} without commas: 1024, not 1,024; 2.5, not 2,5.`);
  throw new NoAnswer(`Write the ${what} in digits; "${text}" is no number.`);
}

function readInterval(given) {
  if (!Array.isArray(given) || given.length !== 2) throw new NoAnswer("Give the first and the last position.");
  const [first, last] = ["first position", "last position"].map((what, at) => readNumber(given[at], what));
  if (first[1] !== 1n || last[1] !== 1n) throw new NoAnswer("Positions are whole numbers.");
  if (last[0] < first[0]) throw new NoAnswer(`The last position, ${last[0]}, lies before the first, ${first[0]}.`);
  return [first[0], last[0]];
}

function readCells({ cells, noun, first }, given) {
  if (!Array.isArray(given) || given.length === 0) throw new NoAnswer(`Choose at least one ${noun}.`);
  const isIn = (number, from, size) => Number.isInteger(number) && from <= number && number < from + size;
  const isCell = (cell) =>
    cells.length === 1
      ? isIn(cell, first, cells[0])
      : Array.isArray(cell) && cell.length === 2 && cell.every((part, axis) => isIn(part, 0, cells[axis]));
  if (!given.every(isCell)) throw new NoAnswer(`There is no such ${noun} in the picture.`);
  const before = cells.length === 1 ? (a, b) => a - b : (a, b) => a[0] - b[0] || a[1] - b[1];
  const sorted = [...given].sort(before);
  return sorted.filter((cell, at) => at === 0 || !isSameCell(cell, sorted[at - 1]));
}

const isSameCell = (one, other) => String(one) === String(other);

/**
 * An answer as people write it.
 * @param {any} form
 * @param {any} answer What `readAnswer` returns.
 */
export function inWords(form, answer) {
  if (form.kind === "choice") return answer;
  if (form.kind === "number") return withUnit(signed(plain(answer)), form.unit);
  if (form.kind === "interval") return withUnit(`${signed(answer[0])} to ${signed(answer[1])}`, form.unit);
  const noun = `${form.noun}${answer.length > 1 ? "s" : ""}`;
  if (form.cells.length === 2) return `${answer.length} ${noun}`;
  const runs = [];
  for (const cell of answer) {
    if (runs.at(-1)?.at(-1) === cell - 1) runs.at(-1).push(cell);
    else runs.push([cell]);
  }
  const said = runs.map((run) => [run[0], ...(run.length > 1 ? [run.at(-1)] : [])].map(signed).join(" to "));
  return `${noun} ${said.join(", ")}`;
}

const withUnit = (text, unit) => (unit ? `${text} ${text === "1" ? unit.replace(/s$/, "") : unit}` : text);
const signed = (number) => String(number).replace(/^-/, "\u2212");

/** An answer as the form shows it again; a whole number beyond 2^53 as a text, so that no digit is lost. */
function asData({ kind }, answer) {
  const whole = (number) => (Number.isSafeInteger(Number(number)) ? Number(number) : String(number));
  if (kind === "interval") return answer.map(whole);
  if (kind === "number") return answer[1] === 1n ? whole(answer[0]) : plain(answer);
  return answer;
}

/** A fraction of a text: digits, with a point, or numerator/denominator. */
export function fraction(text) {
  const [, sign, digits] = /^([+-]?)(.*)$/.exec(text);
  const [over, under] = digits.split("/");
  const [whole, part = ""] = over.split(".");
  const numerator = BigInt(`${whole}${part}`) * (sign === "-" ? -1n : 1n);
  return reduced(numerator, under === undefined ? 10n ** BigInt(part.length) : BigInt(under));
}

function reduced(numerator, denominator) {
  let [one, other] = [numerator < 0n ? -numerator : numerator, denominator];
  while (other) [one, other] = [other, one % other];
  return [numerator / one, denominator / one];
}

function isWithin([a, b], [c, d], [most, by]) {
  const apart = a * d - c * b;
  return (apart < 0n ? -apart : apart) * by <= most * b * d;
}

/** Digits, with a point where a float holds that exactly and Python writes it without an exponent, else a fraction. */
function plain([numerator, denominator]) {
  if (denominator === 1n) return String(numerator);
  let places = 0;
  while (places < DIGITS && 10n ** BigInt(places) % denominator !== 0n) places += 1;
  const asFraction = `${numerator}/${denominator}`;
  if (places === DIGITS) return asFraction;
  const float = Number(`${(numerator * 10n ** BigInt(places)) / denominator}e-${places}`);
  if (Math.abs(float) < 1e-4 || Math.abs(float) >= 1e16) return asFraction;
  const [over, under] = fraction(String(float));
  return over === numerator && under === denominator ? String(float) : asFraction;
}
