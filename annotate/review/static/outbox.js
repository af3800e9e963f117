// What the server has not acknowledged yet, in order. Kept in the browser, so that it is sent after a crash as well: each
// window keeps its own, and sends what windows before it left. An operation that is sent twice counts once.

import { post, Refused } from "./api.js";

const AGAIN_MS = [250, 500, 1000, 2000, 4000];

// The same after a reload, another one in each window.
function windowId() {
  const id = sessionStorage.getItem("window") ?? crypto.randomUUID();
  sessionStorage.setItem("window", id);
  return id;
}

export class Outbox {
  // name: of the places in the browser's storage. heard: called with {operation, answer} or {operation, error} of each.
  // changed: called when `waiting` or `trouble` is another.
  constructor(name, heard, changed) {
    this.name = `${name}: ${windowId()}`;
    this.heard = heard;
    this.changed = changed;
    const kept = Object.keys(localStorage).filter((key) => key.startsWith(`${name}: `));
    this.left = new Map(kept.filter((key) => key !== this.name).map((key) => [key, localStorage.getItem(key)]));
    const texts = [localStorage.getItem(this.name) ?? "[]", ...this.left.values()];
    this.waiting = texts.flatMap((text) => JSON.parse(text));
    this.trouble = "";
    this.tries = 0;
    this.running = null;
  }

  add(operation) {
    this.waiting.push(operation);
    this.keep();
    this.send();
  }

  keep() {
    try {
      if (this.waiting.length) localStorage.setItem(this.name, JSON.stringify(this.waiting));
      else localStorage.removeItem(this.name);
    } catch {
      this.trouble ||= "this browser keeps nothing; do not close the window";
    }
    this.changed();
  }

  // Send all that waits; comes back when nothing does, or the server refuses everything.
  send() {
    this.running ??= this.run().finally(() => (this.running = null));
    return this.running;
  }

  async run() {
    while (this.waiting.length) {
      const operation = this.waiting[0];
      try {
        const answer = await post(operation.path, operation.body);
        this.settle("");
        this.heard({ operation, answer });
      } catch (error) {
        if (await this.stays(error)) continue;
        this.heard({ operation, error });
      }
    }
    for (const [key, text] of this.left) if (localStorage.getItem(key) === text) localStorage.removeItem(key);
    this.left.clear();
  }

  // Whether the operation stays at the head of the queue after an error: the server is away, its disk is full, or it is
  // a new one that wants another token. All else is an answer to this operation.
  async stays(error) {
    const answered = error instanceof Refused && ![403, 500, 507].includes(error.status);
    if (answered) {
      this.settle("");
      return false;
    }
    this.trouble = error instanceof Refused ? error.message : "the server does not answer";
    this.changed();
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS[Math.min(this.tries++, AGAIN_MS.length - 1)]));
    return true;
  }

  settle(trouble) {
    this.waiting.shift();
    this.trouble = trouble;
    this.tries = 0;
    this.keep();
  }
}
