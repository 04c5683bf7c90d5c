// A question on a page without Python against Python's Session, step by step, on the cases that
// tests/test_questions/cases.py writes; tests/test_questions name their file in RFLIB_QUESTION_CASES.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { playBack } from "../../rflib/widgets/question.js";
import {
  decoded, fraction, inWords, judged, nextView, NoAnswer, readAnswer,
} from "../../rflib/widgets/question_session.js";

const path = process.env.RFLIB_QUESTION_CASES;

if (path) {
  test("each step shows what Python's session shows", () => {
    const seen = { steps: 0, right: 0, wrong: 0, shown: 0, problems: 0, hints: 0, mistakes: 0 };
    for (const { id, form, recording, sequences } of JSON.parse(readFileSync(path, "utf8"))) {
      const rehearsal = decoded(recording);
      for (const sequence of sequences) {
        let view = opened();
        sequence.forEach(([message, wanted], at) => {
          view = nextView(form, rehearsal, view, message);
          const { hints, ...shown } = view;
          assert.deepEqual(shown, wanted, `${id}, step ${at} of ${JSON.stringify(sequence.map(([said]) => said))}`);
          count(seen, wanted);
        });
      }
    }
    console.log(`seen ${JSON.stringify(seen)}`);
  });
}

/** What the page has at first: `View()` of Python. */
const opened = () => ({
  phase: "open", verdict: "", given: null, answer: "", when: "", sentence: "", mistake: "", truth: "",
  truth_cells: null, reveal: [], problem: "", note: "", turn: 0,
});

function count(seen, { verdict, problem, sentence, mistake }) {
  seen.steps += 1;
  if (verdict) seen[verdict] += 1;
  seen.problems += problem !== "";
  seen.hints += sentence.startsWith("Hint ");
  seen.mistakes += mistake !== "";
}

const number = { kind: "number", unit: "pixels", whole: true, prediction: false };
const rehearsal = {
  outcomes: [
    { answer: "5", right: true, sentence: "", mistake: "" },
    { answer: "3", right: false, sentence: "The last kernel.", mistake: "M2" },
  ],
  tolerance: "1/2", hints: ["One.", "Two."], truth: "5 pixels", truth_cells: null, reveal: [], note: "Not kept.",
};

test("a session that ends right: hints, a mistake, no try, the reveal", () => {
  let view = opened();
  const said = ["4", "x", "3", "6", "7", "5", "6"].map((answer) => {
    view = nextView(number, rehearsal, view, { action: "commit", answer });
    return [view.phase, view.verdict, view.sentence, view.problem, view.truth].join("|");
  });
  assert.deepEqual(said, [
    "again|wrong|Hint 1 of 2: One.||",
    'again|wrong|Hint 1 of 2: One.|Write the answer in digits; "x" is no number.|',
    "again|wrong|The last kernel.||",
    "again|wrong|Hint 2 of 2: Two.||",
    "again|wrong|Hint 2 of 2: Two.||",
    "done|right|||5 pixels",
    "done|right|||5 pixels",
  ]);
  assert.equal(nextView(number, rehearsal, view, { action: "again" }).phase, "open");
});

test("a fraction is exact, and a tolerance holds at its ends and no further", () => {
  assert.deepEqual(fraction("-10/4"), [-5n, 2n]);
  assert.deepEqual(fraction("+.50"), [1n, 2n]);
  const right = (text) => judged(number, rehearsal, fraction(text)).right;
  assert.deepEqual(["4.5", "5.5", "4.4999999999999999999"].map(right), [true, true, false]);
});

test("what is no answer is refused in words", () => {
  assert.throws(() => readAnswer(number, "1.5"), new NoAnswer("The answer is a whole number."));
  assert.throws(() => readAnswer({ kind: "choice", options: ["a"] }, null), NoAnswer);
  assert.equal(inWords({ kind: "region", cells: [9], noun: "pixel" }, [2, 3, 4, 7]), "pixels 2 to 4, 7");
});

test("what was meant for an earlier view changes nothing: two clicks while all is loading are one try", () => {
  const words = btoa(JSON.stringify(rehearsal));
  const traits = { form: number, view: opened() };
  const now = (trait) => traits[trait];
  const told = { action: "commit", answer: "4", turn: 0 };
  Object.assign(traits, playBack({ words, images: [] }, now, {}, told));
  assert.deepEqual([traits.view.turn, traits.view.sentence], [1, "Hint 1 of 2: One."]);
  assert.deepEqual(playBack({ words, images: [] }, now, {}, told), {});
  assert.deepEqual(playBack({ words, images: [] }, now, {}, null), {}); // a trait was set, and nothing was said
});
