// A model as anywidget gives it on a page without Python: it holds traits and tells when they change.

import { isDeepStrictEqual } from "node:util";

export class PageModel {
  constructor(traits) {
    this.traits = { ...traits };
    this.listeners = new Map();
    this.told = [];
  }

  get(name) {
    return this.traits[name];
  }

  /** One trait or, as in Backbone, an object of them: listeners hear of it when all are set. */
  set(name, value) {
    const given = typeof name === "string" ? { [name]: value } : name;
    const changed = Object.keys(given).filter((key) => !isDeepStrictEqual(this.traits[key], given[key]));
    Object.assign(this.traits, given);
    for (const key of changed) for (const action of this.listeners.get(`change:${key}`) ?? []) action();
  }

  save_changes() {
    this.told.push("saved");
  }

  send(content) {
    this.told.push(content);
  }

  on(event, action) {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), action]);
  }

  off(event, action) {
    this.listeners.set(event, this.listeners.get(event).filter((one) => one !== action));
  }
}
