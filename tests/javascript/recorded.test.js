// What stands in for Python on a page without it: order, refusal, loading, and nothing at all where Python answers.

import assert from "node:assert/strict";
import test from "node:test";

import { fixedAsPython, twoValues, valueWords } from "../../rflib/widgets/poke_recorded.js";
import { Refusal, answered, bytesOf, filledIn, membersOf, nearestRecorded, notComputed } from
  "../../rflib/widgets/recorded.js";
import { PageModel } from "./recorded_model.js";

/** An explorer that says its number, and every number that it had. */
function playNumbers({ most }, now, asked, told) {
  const number = told ? now("number") + told.by : asked.number;
  if (number === 13) throw new TypeError("a slip in the program");
  if (number > most) throw notComputed(`the number ${number}`);
  return { ...asked, number, answer: `${now("answer")} ${number}` };
}

function pageWith(recording, el = null) {
  const model = new PageModel({ number: 1, answer: "1", problem: "", _recording: recording });
  return { model, page: answered(model, el, { problem: "problem", play: playNumbers }) };
}

function ask(page, number) {
  page.set("number", number);
  page.save_changes();
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 0));

/** A page whose address is known, and a fetch that answers when it is told to. */
function pretendPage(context, reply) {
  const asked = [];
  globalThis.document = { baseURI: "http://localhost/lessons/00.html" };
  const before = globalThis.fetch;
  globalThis.fetch = (address) => {
    asked.push(String(address));
    return reply(asked.length);
  };
  context.after(() => {
    globalThis.fetch = before;
    delete globalThis.document;
  });
  return asked;
}

test("where Python answers the model stays what it is", () => {
  const model = new PageModel({ number: 1, _recording: {} });
  assert.equal(answered(model, null, { problem: "problem", play: playNumbers }), model);
});

test("an answer comes after what the caller has yet to do, and all at once", async () => {
  const { model, page } = pageWith({ most: 9 });
  const seen = [];
  page.on("change:answer", () => seen.push([model.get("number"), model.get("answer")]));
  ask(page, 3);
  assert.deepEqual(seen, []);
  await soon();
  page.send({ by: 2 });
  await soon();
  assert.deepEqual(seen, [[3, "1 3"], [5, "1 3 5"]]);
  assert.deepEqual(model.told, []);
});

test("what was not recorded is refused in words, and the last good state put back", async () => {
  const { model, page } = pageWith({ most: 9 });
  ask(page, 4);
  ask(page, 40);
  ask(page, 5);
  ask(page, 50);
  await soon();
  assert.deepEqual([model.get("number"), model.get("answer")], [5, "1 4 5"]);
  const words = "This page plays back what Python computed, and this was not computed: the number 50. " +
    "In the notebook everything is.";
  assert.equal(model.get("problem"), words);
  const drawn = [];
  page.on("change:problem", () => drawn.push(model.get("problem")));
  ask(page, 50); // the same once more: drawn again, as the control shows 50 by now
  await soon();
  assert.equal(drawn.at(-1), words);
  assert.equal(model.get("number"), 5);
  ask(page, 6);
  await soon();
  assert.equal(model.get("problem"), "");
});

test("a trait that was set to what it is already asks nothing", async () => {
  const { model, page } = pageWith({ most: 9 });
  ask(page, 1);
  await soon();
  assert.equal(model.get("answer"), "1");
});

test("a slip in the program is not passed off as a refusal", async (context) => {
  const due = [];
  context.mock.method(globalThis, "queueMicrotask", (work) => due.push(work));
  const { model, page } = pageWith({ most: 99 });
  ask(page, 13);
  assert.throws(() => due.pop()(), /a slip in the program/);
  ask(page, 14);
  due.pop()();
  assert.deepEqual([model.get("number"), model.get("problem")], [14, ""]);
});

test("moves made while the recording is fetched are answered in their order", async (context) => {
  let arrive;
  const asked = pretendPage(context, () => new Promise((resolve) => {
    arrive = () => resolve({ ok: true, json: async () => ({ most: 9 }) });
  }));
  const { model, page } = pageWith({ url: "../answers/00.json" });
  assert.deepEqual(asked, []);
  ask(page, 2);
  ask(page, 20);
  page.send({ by: 5 });
  await soon();
  assert.equal(model.get("answer"), "1");
  assert.deepEqual(asked, ["http://localhost/answers/00.json"]);
  arrive();
  await soon();
  assert.deepEqual([model.get("number"), model.get("answer"), model.get("problem")], [7, "1 2 7", ""]);
  ask(page, 8);
  await soon();
  assert.equal(model.get("answer"), "1 2 7 8");
  assert.equal(asked.length, 1);
});

test("the recording is fetched as soon as the mouse or the focus comes", async (context) => {
  const asked = pretendPage(context, async () => ({ ok: true, json: async () => ({ most: 9 }) }));
  const el = new EventTarget();
  const { model, page } = pageWith({ url: "a.json" }, el);
  el.dispatchEvent(new Event("pointerenter"));
  el.dispatchEvent(new Event("focusin"));
  await soon();
  assert.equal(asked.length, 1);
  assert.equal(model.get("answer"), "1");
  ask(page, 3);
  await soon();
  assert.equal(model.get("answer"), "1 3");
});

test("a recording that does not come is said in words; the next move tries again", async (context) => {
  const good = { ok: true, json: async () => ({ most: 9 }) };
  const asked = pretendPage(context, async (time) => (time === 1 ? { ok: false, status: 404 } : good));
  const { model, page } = pageWith({ url: "a.json" });
  ask(page, 2);
  ask(page, 3);
  await soon();
  assert.equal(model.get("number"), 1);
  assert.match(model.get("problem"), /could not be loaded \(the answer was 404\)\. Try again/);
  ask(page, 4);
  await soon();
  assert.deepEqual([asked.length, model.get("answer"), model.get("problem")], [2, "1 4", ""]);
});

test("a recording that takes long is said to be on its way", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  pretendPage(context, () => new Promise(() => {}));
  const { model, page } = pageWith({ url: "a.json" });
  ask(page, 2);
  context.mock.timers.tick(399);
  assert.equal(model.get("problem"), "");
  context.mock.timers.tick(1);
  assert.match(model.get("problem"), /^Loading/);
});

test("the nearest recorded place, and on the way where a key has moved", () => {
  const places = [[0, 0], [0, 3], [3, 0], [3, 3]];
  assert.deepEqual(nearestRecorded(null, [1, 2], places), [0, 3]);
  assert.deepEqual(nearestRecorded([0, 0], [0, 1], places), [0, 3]); // not back to where it began
  assert.deepEqual(nearestRecorded([0, 0], [1, 0], places), [3, 0]);
  assert.deepEqual(nearestRecorded([3, 3], [3, 2], places), [3, 0]);
  assert.equal(nearestRecorded([3, 3], [3, 4], places), null);
});

test("bytes, sets and blanks", () => {
  assert.deepEqual([...new Uint8Array(bytesOf("AAEC/w==").buffer)], [0, 1, 2, 255]);
  assert.deepEqual(membersOf("gAE="), [0, 15]);
  assert.equal(filledIn("unit {unit}: {a} and {a}, {other}", { unit: 3, a: "$&" }), "unit 3: $& and $&, {other}");
  assert.ok(notComputed("it") instanceof Refusal);
});

test("numbers are written as Python writes them", () => {
  assert.equal(fixedAsPython(0.03125, 4), "0.0312"); // halves to the even digit
  assert.equal(fixedAsPython(0.09375, 4), "0.0938");
  assert.equal(fixedAsPython(-2.5, 0), "-2");
  assert.equal(fixedAsPython(-0, 2), "-0.00");
  assert.equal(fixedAsPython(0.12345, 4), "0.1235"); // a little more than a half
  assert.equal(valueWords(0.00012), "1.2e\u221204");
  assert.equal(valueWords(-12), "\u221212.0000");
  assert.deepEqual(twoValues(0.5, 0.5000004), { before: "0.5000000", after: "0.5000004" });
  assert.deepEqual(twoValues(0.5, 0.5), { before: "0.5000", after: "0.5000" });
});
