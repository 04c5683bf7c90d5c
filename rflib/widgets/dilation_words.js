/** What the dilation explorer says, in sentences. Pure, no DOM. */

import { count, grouped } from "./common.js";
import { pathsAt, pathsTo } from "./dilation_sums.js";

/** An offset with its sign: +3, −3, 0. */
export function signed(number) {
  return number > 0 ? `+${number}` : String(number).replace("-", "\u2212");
}

/** A number of paths, exact while it can be. */
export function howMany(paths) {
  if (paths <= Number.MAX_SAFE_INTEGER) return count(paths, "path");
  const [digits, power] = paths.toExponential(1).split("e+");
  return `about ${digits} \u00d7 10^${power} paths`;
}

/** Whether one layer keeps the rule. */
export function ruleSentence({ dilation, span, excess }, row) {
  const isOneTap = excess === 0 && dilation > span; // one tap makes no copies, however large its dilation
  const verdict = isOneTap
    ? "\u2713 kernel size 1: its dilation does nothing"
    : excess > 0
      ? `\u2717 breaks the rule by ${excess}: dilation ${dilation} > span ${span} so far`
      : `\u2713 dilation ${dilation} \u2264 span ${span} so far`;
  return `${verdict} \u00b7 reads ${grouped(row.read)} of ${grouped(row.span)}`;
}

/** The finding about the whole schedule. */
export function scheduleSentence(rows, rules) {
  const { span, read } = rows[rows.length - 1];
  const blind = span - read;
  const broken = rules.findIndex(({ excess }) => excess > 0);
  const rule = rules[broken];
  if (span === 1) return "No blind spots: with kernel size 1 the unit reads only its own place.";
  if (broken < 0) return `No blind spots: the unit reads all ${grouped(span)} offsets, for every layer keeps the rule.`;
  const more = rules.filter(({ excess }) => excess > 0).length - 1;
  const others = more ? `, and ${more === 1 ? "another layer breaks" : `${more} others break`} it too` : "";
  const beyond = `${rule.excess} more than the span of ${rule.span} so far`;
  const why = `layer ${broken + 1} has dilation ${rule.dilation}, ${beyond}`;
  if (blind === 0) {
    return `No blind spots in the end: ${why}${others}, but other layers fill what it leaves out.`;
  }
  const plane = span * span - read * read;
  const lost = `${grouped(blind)} of ${grouped(span)} offsets ${blind === 1 ? "is" : "are"} blind`;
  return `${lost}, ${grouped(plane)} of ${grouped(span * span)} in two dimensions: ${why}${others}.`;
}

/** What is known about one offset of the unit of one layer. */
export function offsetSentence(rows, steps, level, offset) {
  const paths = pathsAt(rows[level], offset);
  const where = `Offset ${signed(offset)} after layer ${level}`;
  if (paths === 0) {
    const choices = steps.slice(0, level).map((list) => shortList(list));
    return `${where} is blind: no sum of one step a layer gives ${signed(offset)}. Steps: ${choices.join("; ")}.`;
  }
  const shown = pathsTo(rows, steps, level, offset, 3).map((path) => joinedSteps(path));
  const more = paths > shown.length ? " and others" : "";
  const listed = paths === 1 ? shown[0] : `${shown.join(", ")}${more}`;
  return `${where} is read along ${howMany(paths)}: ${listed}.`;
}

/** The steps one layer can take; of many the first and the last. */
function shortList(list) {
  return list.length <= 4
    ? list.map(signed).join(" or ")
    : `${signed(list[0])}, ${signed(list[1])} \u2026 ${signed(list[list.length - 1])}`;
}

/** A path as a sum, the first layer first; of many layers only those that step aside. */
function joinedSteps(path) {
  const taken = path.length <= 4 ? path : path.filter((step) => step !== 0);
  if (taken.length === 0) return path.length <= 4 ? path.join(" ") : "step 0 in every layer";
  const text = taken.map(signed).join(" ");
  return taken.length === path.length ? text : `${text} (step 0 in the other layers)`;
}
