// Clips, and the poses in them: the machine's with what the person placed over them.

import { clipPath, get } from "./api.js";

export const ABSENT = 0, HIDDEN = 1, VISIBLE = 2;
const N = 16;

export const at = (frame, person) => `${frame}/${person}`;

export class Clip {
  constructor(info) {
    Object.assign(this, info);
    this.machine = new Map(info.machine.map((row) => [at(row.frame, row.person), row]));
    this.entries = new Map(info.entries.map((entry) => [at(entry.frame, entry.person), entry]));
    this.before = new Map(info.before.map((row) => [at(row.frame, row.person), row]));
    this.findings = null;
  }

  entry(frame, person) {
    return this.entries.get(at(frame, person)) ??
      { frame, person, version: "", joints: Array(N).fill(null), state: null, note: "" };
  }

  // 16 joints {x, y, v, c, by}: the person's where there is one, else the machine's, else null.
  pose(frame, person) {
    return laidOver(this.entry(frame, person).joints, this.machinePose(frame, person));
  }

  machinePose(frame, person) {
    const joints = this.machine.get(at(frame, person))?.joints ?? Array(N).fill(null);
    return joints.map((m) => m && { x: m[0], y: m[1], v: m[2], c: m[3], by: "machine" });
  }

  state(frame, person) {
    return this.entry(frame, person).state;
  }

  // The person says that this diver is not in the frame.
  isEmpty(frame, person) {
    return this.entry(frame, person).joints.every((j) => j && j[2] === ABSENT);
  }
}

// A pose with the joints of an entry in place of its own.
export const laidOver = (joints, pose) =>
  joints.map((own, j) => (own ? { x: own[0], y: own[1], v: own[2], c: own[4] ?? 1, by: own[3] } : pose[j]));

export const here = (joint) => joint && joint.v !== ABSENT;
export const points = (pose) => pose.filter(here);

// Joints as an entry has them, all by the person: what the person saw and took over.
export const asPlaced = (pose, by = "hand") =>
  pose.map((j) => (here(j) ? [round(j.x), round(j.y), j.v, by] : [null, null, ABSENT, by]));

// A joint as an entry has it, by whom it is: what changes sides, or the diver, is not placed by that. Only the machine's has a
// confidence.
export function asSeen(joint) {
  const by = joint?.by ?? "machine", place = here(joint) ? [round(joint.x), round(joint.y), joint.v] : [null, null, ABSENT];
  return [...place, by, ...(by === "machine" ? [joint?.c ?? 1] : [])];
}

// The same in place of a joint of the machine's; null where it is just that one, and the entry leaves it to the machine.
export function seenFrom(machine, joint) {
  const seen = asSeen(joint);
  return `${seen}` === `${asSeen(machine)}` ? null : seen;
}

export const round = (v) => Math.round(v * 100) / 100;

// The clips that were loaded lately; a clip is loaded when it is looked at, or is about to be.
export class Clips {
  constructor(most = 12) {
    this.most = most;
    this.loading = new Map();
  }

  load(key) {
    const known = this.loading.get(key) ?? get(clipPath(key)).then((info) => new Clip(info));
    this.loading.delete(key);
    this.loading.set(key, known); // the latest last
    known.catch(() => this.loading.delete(key));
    for (const old of [...this.loading.keys()].slice(0, -this.most)) this.loading.delete(old);
    return known;
  }

  forget(key) {
    this.loading.delete(key);
  }
}
