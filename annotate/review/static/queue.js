// The poses that the person is asked to look at, fetched as they are needed.

import { get } from "./api.js";

const AHEAD = 40;

export class Queue {
  constructor() {
    this.items = [];
    this.index = -1;
    this.complete = false;
  }

  async more() {
    if (this.complete || this.items.length > this.index + AHEAD) return;
    this.asking ??= get(`/api/queue?from=${this.items.length}`).then(({ items, complete }) => {
      this.items.push(...items);
      this.complete = complete;
    }).finally(() => (this.asking = null));
    return this.asking;
  }

  // The first item from number `start` on that nobody has said anything of, or null.
  async open(start) {
    for (let i = start; ; i++) {
      while (i >= this.items.length && !this.complete) {
        this.index = Math.max(this.index, i - 1);
        await this.more();
      }
      if (i >= this.items.length) return null;
      if (!this.items[i].state) return this.take(i);
    }
  }

  take(i) {
    if (i < 0 || i >= this.items.length) return null;
    this.index = i;
    this.more().catch(() => {});
    return this.items[i];
  }

  // Number of a pose among the items fetched so far, -1 where it is none of them.
  find(clip, frame, person) {
    return this.items.findIndex((item) => item.clip === clip && item.frame === frame && item.person === person);
  }

  // Items that come next, for fetching ahead.
  ahead(n) {
    return this.items.slice(this.index + 1).filter((item) => !item.state).slice(0, n);
  }

  // What the person says of a pose, so that it does not come again.
  note(clip, frame, person, state) {
    for (const item of this.items)
      if (item.clip === clip && item.frame === frame && item.person === person) item.state = state;
  }
}
