// The page: what is shown, and the way of an edit from the hand to the server.

import { clipPath, get, post, Refused } from "./api.js";
import { Outbox } from "./outbox.js";
import { carried } from "./carry.js";
import { at, Clips, here, laidOver } from "./poses.js";
import { Pictures } from "./pictures.js";
import { Queue } from "./queue.js";
import { boxOf, viewOf } from "./geometry.js";
import { drawScene } from "./draw.js";
import { drawStrip, frameAt } from "./strip.js";
import { listenToHand } from "./hand.js";
import { listenToKeys } from "./keys.js";
import { showPanels } from "./panels.js";

const canvas = document.getElementById("picture"), strip = document.getElementById("strip");
const ONIONS = [[-2, 0.22], [-1, 0.4], [1, 0.4], [2, 0.22]];
const PREFETCH = 4;
const ANOTHER_SIZE = 0.1; // share by which the picture's place has to change to choose anew what is shown
const PLACE = "fdpose-review place"; // of what is shown in this tab, for when the page is loaded again
const PROBLEM_MS = 3000; // until it is asked whether the layer can be written again

export const app = {
  session: null, clips: new Clips(), pictures: new Pictures(), queue: new Queue(), outbox: null,
  clip: null, frame: 0, person: 0, chosen: null, view: null, bitmap: null, dragged: null, hovered: null,
  whole: false, hidden: false, onion: true, before: true, dialog: "", message: "", conflict: null, error: "",
  wanders: false, marked: null, teachable: 0, drawnAt: 0,

  // -- what is shown --------------------------------------------------------------------------------------------------

  get pose() {
    return this.dragged ?? this.clip.pose(this.frame, this.person);
  },

  get index() {
    return this.clip.frames.indexOf(this.frame);
  },

  async go(key, frame, person = this.person) {
    const asked = (this.asked = {});
    this.marked = null;
    try {
      const clip = await this.clips.load(key);
      const bitmap = await this.pictures.load(clip, frame).catch((e) => this.fail(e));
      if (this.asked !== asked) return; // the person has gone on meanwhile
      const other = this.clip !== clip, diver = Math.min(person, clip.persons - 1);
      const stays = !other && this.frame === frame && this.person === diver; // after undo, what is seen does not jump
      const pose = clip.pose(frame, diver);
      if (!pose.some(here)) this.chosen = 0; // the first press places it
      else if (!here(pose[this.chosen])) this.chosen = null; // else the next press would place it
      Object.assign(this, { clip, frame, person: diver, bitmap, dragged: null, hovered: null, error: bitmap ? "" : this.error });
      if (stays) this.follow();
      else this.turn();
      sessionStorage.setItem(PLACE, JSON.stringify({ clip: key, frame, person: diver }));
      if (other && !clip.findings) this.find();
      this.redraw();
      this.fetchAhead();
    } catch (e) {
      this.fail(e, key);
    }
  },

  fail(e, key = this.clip?.clip) {
    if (key) this.clips.forget(key);
    this.error = e.message;
    this.redraw();
  },

  // The part of the frame that is shown; chosen anew with each frame, and not while it is corrected.
  turn() {
    const { clientWidth: width, clientHeight: height } = canvas.parentElement;
    const box = boxOf(this.clip.pose(this.frame, this.person));
    this.view = { ...viewOf(this.clip, this.frame, this.person, width, height, this.whole), box };
  },

  // A diver who is not where the picture was turned to, after an exchange or its undoing, is looked for.
  follow() {
    const box = boxOf(this.pose), was = this.view.box;
    const [x, y] = box ? [(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2] : [];
    if (box && was && !(was.x1 <= x && x <= was.x2 && was.y1 <= y && y <= was.y2)) this.turn();
  },

  // The window has another size; a line more or less below the picture changes nothing of what is shown.
  resized() {
    const { clientWidth: width, clientHeight: height } = canvas.parentElement;
    const share = Math.min(width / this.view.width, height / this.view.height);
    if (Math.abs(share - 1) > ANOTHER_SIZE) this.turn();
    else this.view = { ...this.view, width, height };
    this.redraw();
  },

  fetchAhead() {
    for (const step of [1, -1, 2, -2, 3]) {
      const frame = this.clip.frames[this.index + step];
      if (frame !== undefined) this.pictures.load(this.clip, frame).catch(() => {});
    }
    for (const item of this.queue.ahead(PREFETCH))
      this.clips.load(item.clip).then((clip) => this.pictures.load(clip, item.frame)).catch(() => {});
  },

  redraw() {
    this.waits ??= requestAnimationFrame(() => {
      this.waits = null;
      draw();
      showPanels(this);
    });
  },

  say(words) {
    this.message = words; // until the next key or press
    this.redraw();
  },

  // -- the queue ------------------------------------------------------------------------------------------------------

  // Where the person points: from there on one frame after the other, until they go on with the queue.
  move(key, frame) {
    this.message = "";
    const item = this.queue.items[this.queue.index];
    this.wanders = !this.walks && !(item?.clip === key && item.frame === frame);
    return this.go(key, frame);
  },

  async next() {
    if (this.strays) return this.onward();
    const item = await this.queue.open(this.position() + 1) ?? (this.walks ? await this.queue.open(0) : null);
    if (item) return this.go(item.clip, item.frame, item.person);
    this.say("that was the last of this queue; move on freely, or end fdpose review and type: fdpose merge");
  },

  onward() {
    const frame = this.clip.frames[this.index + 1];
    if (frame !== undefined) return this.go(this.clip.clip, frame);
    this.say("that was the last frame of this dive; Q goes on with the queue, G to another dive");
  },

  // From the pose at which the person left the queue, or the next one if something was said of it since.
  async resume() {
    this.wanders = false;
    const item = await this.queue.open(Math.max(0, this.position()));
    return item ? this.go(item.clip, item.frame, item.person) : this.next();
  },

  // The queue of all frames goes on from the one that is shown; what was passed over comes at its end.
  get walks() {
    return this.session.queue === "all";
  },

  // Off the queue: where the person pointed, or in a dive of which the queue of all frames has not heard yet.
  get strays() {
    return this.wanders || Boolean(this.clip && this.walks && this.queue.find(this.clip.clip, this.frame, this.person) < 0);
  },

  position() {
    const shown = this.walks ? this.queue.find(this.clip.clip, this.frame, this.person) : -1;
    return shown < 0 ? this.queue.index : shown;
  },

  back() {
    const item = this.queue.take(this.position() - (this.strays ? 0 : 1));
    this.wanders = false;
    return item ? this.go(item.clip, item.frame, item.person) : this.say("this is the first of the queue");
  },

  step(by) {
    const frame = this.clip.frames[Math.min(Math.max(this.index + by, 0), this.clip.frames.length - 1)];
    return this.move(this.clip.clip, frame);
  },

  // -- edits ----------------------------------------------------------------------------------------------------------

  // changes: [{frame, person, ...what is new of joints, state, note}]; all of them one step for undo.
  commit(what, changes, clip = this.clip) {
    if (this.session.read_only) return this.say(`view only: ${this.session.read_only}`);
    const id = crypto.randomUUID();
    this.marked = null;
    const entries = changes.map((change) => {
      const { version, joints, state, note } = clip.entry(change.frame, change.person);
      const entry = { clip: clip.clip, version, joints, state, note, ...change, machine: null };
      const undone = entry.state === "corrected" && !entry.joints.some(Boolean); // sides or divers were exchanged back
      return undone ? { ...entry, state: null } : entry;
    });
    for (const entry of entries) this.keep(clip, { ...entry, version: id });
    this.conflict = null;
    if (clip === this.clip) this.follow();
    this.outbox.add({ path: "/api/edits", body: { id, what, entries } });
    this.redraw();
  },

  // Put joints at the places of a pose: only those that are elsewhere, or seen otherwise, than before are the person's.
  place(what, joints, extra = {}) {
    this.commit(what, [{ frame: this.frame, person: this.person, joints, state: "corrected", ...extra }]);
  },

  keep(clip, entry) {
    clip.entries.set(at(entry.frame, entry.person), entry);
    clip.before.delete(at(entry.frame, entry.person));
    this.queue.note(entry.clip, entry.frame, entry.person, entry.state);
  },

  takeStep(kind) {
    if (this.session.read_only) return this.say(`view only: ${this.session.read_only}`);
    if (this.outbox.trouble) return this.say(`${kind} needs the server; what you did is kept here meanwhile`);
    this.outbox.add({ path: "/api/steps", body: { id: crypto.randomUUID(), kind } });
  },

  get stepping() {
    return this.outbox.waiting.some((operation) => operation.path === "/api/steps");
  },

  async heard({ operation, answer, error }) {
    if (error) return this.refused(operation, error);
    this.session.depth = answer.depth;
    this.problem = answer.problem;
    if (operation.path === "/api/steps") await this.stepped(operation.body.kind, answer);
    if (!this.outbox.waiting.length) this.find();
    this.redraw();
  },

  async stepped(kind, answer) {
    if (!answer.places.length) return this.say(`nothing to ${kind}`);
    await this.put(answer.places);
    this.say(`${kind}: ${answer.what}`);
    const first = answer.places.find((p) => p.clip === this.clip?.clip && p.frame === this.frame) ?? answer.places[0];
    const item = this.wanders ? -1 : this.queue.find(first.clip, first.frame, first.person);
    if (item >= 0) this.queue.take(item); // and what came after it comes again
    await this.go(first.clip, first.frame, first.person);
  },

  async put(places) {
    for (const entry of places) {
      const clip = await this.clips.load(entry.clip).catch(() => null); // its frames are gone: going there says so
      if (clip) this.keep(clip, entry);
    }
  },

  // The server took no part of an operation: another window was first, or it can't be.
  async refused(operation, error) {
    if (error instanceof Refused && error.status === 409) {
      await this.put(error.answer.places);
      const mine = operation.body.entries.filter((e) => error.answer.places.some((p) => p.frame === e.frame && p.person === e.person));
      this.conflict = { clip: mine[0].clip, what: operation.body.what, mine };
      await this.go(mine[0].clip, mine[0].frame, mine[0].person);
    } else {
      this.error = `not taken in: ${operation.body.what ?? operation.body.kind} (${error.message})`;
      if (this.clip) this.clips.forget(this.clip.clip);
    }
    this.redraw();
  },

  keepMine() {
    const { what, mine } = this.conflict;
    this.commit(what, mine.map(({ frame, person, joints, state, note }) => ({ frame, person, joints, state, note })));
  },

  // -- findings -------------------------------------------------------------------------------------------------------

  async find() {
    const clip = this.clip;
    if (!clip || this.finding) return (this.findAgain = true);
    this.finding = true;
    try {
      const { findings, problem, teachable } = await get(`${clipPath(clip.clip)}/findings`);
      Object.assign(this, { problem, teachable });
      if (problem) setTimeout(() => this.find(), PROBLEM_MS);
      clip.findings = findings;
    } catch (e) {
      if (this.clip === clip) this.error = e.message;
    }
    this.finding = false;
    this.redraw();
    if (this.findAgain) {
      this.findAgain = false;
      this.find();
    }
  },

  propose: (kind, clip, frame, person) => post("/api/proposals", { kind, clip, frame, person }),
};

function draw() {
  const ratio = devicePixelRatio || 1, { clip } = app;
  for (const c of [canvas, strip]) {
    const [w, h] = [Math.round(c.clientWidth * ratio), Math.round(c.clientHeight * ratio)];
    if (c.width !== w || c.height !== h) [c.width, c.height] = [w, h];
  }
  if (!clip) return;
  const neighbour = (step) => clip.frames[app.index + step];
  drawScene(canvas.getContext("2d", { alpha: false }), ratio, {
    view: app.view, bitmap: app.bitmap, pose: app.pose, chosen: app.chosen, hovered: app.hovered, hidden: app.hidden,
    names: app.session.joints, limbs: app.session.limbs,
    other: clip.persons > 1 ? clip.pose(app.frame, 1 - app.person) : null,
    before: app.ghost(),
    onions: !app.onion || app.dragged ? [] : ONIONS.filter(([s]) => neighbour(s) !== undefined)
      .map(([s, alpha]) => ({ pose: clip.pose(neighbour(s), app.person), alpha })),
  });
  drawStrip(strip, ratio, app);
  app.drawnAt = performance.now();
  canvas.dataset.shown = `${clip.clip} ${app.frame} ${app.person}`;
}

// A second pose to compare with: the person's own of a conflict, the accepted one that a new estimator changed, or what C
// would do.
app.ghost = () => {
  const own = app.conflict?.mine.find((e) => e.frame === app.frame && e.person === app.person && e.clip === app.clip.clip);
  if (own) return laidOver(own.joints, app.clip.pose(app.frame, app.person));
  const before = app.before && app.clip.before.get(at(app.frame, app.person));
  if (before) return before.joints.map((j) => j && { x: j[0], y: j[1], v: 2, by: "hand" });
  const joints = app.proposed()?.joints;
  return joints ? laidOver(joints, app.clip.pose(app.frame, app.person)) : null;
};

// What C would do, shown in frames that nothing was said of yet, where there is a pose to show: {joints, from, copied}, or
// null. Only of a frame that the person corrected, or as it is of the frame before, if the machine has none here.
app.proposed = () => {
  if (!app.onion || app.dragged || app.session.read_only || app.clip.state(app.frame, app.person)) return null;
  const found = carried(app.clip, app.frame, app.person, app.session.flip);
  if (!found.joints || app.clip.isEmpty(found.from, app.person)) return null;
  return found.copied || app.clip.state(found.from, app.person) === "corrected" ? found : null;
};

async function start() {
  const first = app.queue.more();
  first.catch(() => {}); // whoever waits for it sees it
  try {
    app.session = await get("/api/session");
  } catch (e) {
    app.error = e.message;
    return showPanels(app);
  }
  const { data, annotator } = app.session;
  app.outbox = new Outbox(`fdpose-review ${data} ${annotator}`, (said) => app.heard(said), () => app.redraw());
  if (!app.session.read_only) await app.outbox.send(); // what was kept comes before what is read
  await first;
  app.chosen = 0;
  listenToHand(app, canvas);
  listenToKeys(app);
  const item = (await placeBefore()) ?? (await app.queue.open(0)) ?? app.queue.take(0);
  if (item) await app.go(item.clip, item.frame, item.person);
  else app.error = "none of these clips has frames to show; run: fdpose extract";
  app.redraw();
}

// What was shown when the page was loaded again, if this session has it.
async function placeBefore() {
  const [loading] = performance.getEntriesByType("navigation"), kept = sessionStorage.getItem(PLACE);
  if (loading?.type !== "reload" || !kept) return null;
  const place = JSON.parse(kept), clip = await app.clips.load(place.clip).catch(() => null);
  if (!clip?.frames.includes(place.frame)) return null;
  const i = app.queue.find(place.clip, place.frame, place.person);
  if (i >= 0) app.queue.take(i);
  else {
    await app.queue.open(0); // Q goes there
    app.wanders = !app.walks;
  }
  return place;
}

strip.addEventListener("pointerdown", (e) => app.clip && app.move(app.clip.clip, frameAt(app, strip, e.offsetX)));
new ResizeObserver(() => app.clip && app.resized()).observe(canvas.parentElement);
addEventListener("beforeunload", (e) => app.outbox?.trouble && app.outbox.waiting.length && e.preventDefault());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => app.redraw());
window.review = app; // for the tests, and the curious
start();
