// What the keys do.

import { ABSENT, asPlaced, asSeen, here, HIDDEN, round, seenFrom, VISIBLE } from "./poses.js";
import { carried } from "./carry.js";
import { moved, rotated, turned } from "./geometry.js";

const ARM = [10, 11, 12], LEG = [0, 1, 2]; // right wrist, elbow, shoulder; right ankle, knee, hip
const ORDER = [9, 8, 7, 12, 11, 10, 13, 14, 15, 6, 2, 1, 0, 3, 4, 5]; // from the head down, for walking along the body

const joints = (app) => app.clip.entry(app.frame, app.person).joints;

// The entry's joints with some of them replaced by `make(joint, j)` of the pose that is shown.
function withJoints(app, which, make) {
  const pose = app.clip.pose(app.frame, app.person);
  return joints(app).map((own, j) => (which.includes(j) ? make(pose[j], j) : own));
}

const placed = (x, y, v = VISIBLE) => [round(x), round(y), v || VISIBLE, "hand"];
const counted = (n, thing) => `${n} ${thing}${n === 1 ? "" : "s"}`;
const words = (app, j) => app.session.joints[j].replaceAll("_", " ");
const NONE_CHOSEN = "choose a joint first: S, W or J, or press it";

// -- one joint ----------------------------------------------------------------------------------------------------------

// Put joints where a pose has them; how they were seen stays.
export function placeJoints(app, which, pose) {
  const more = which.length > 1 ? ` and ${which.length - 1} more` : "";
  app.place(`move ${words(app, which[0])}${more}`, withJoints(app, which, (was, j) => placed(pose[j].x, pose[j].y, was?.v)));
}

export function nudge(app, dx, dy) {
  if (app.chosen === null) return app.say(NONE_CHOSEN);
  const joint = app.pose[app.chosen];
  if (!here(joint)) return app.say(`${words(app, app.chosen)} is absent; press where it is`);
  const d = turned(app.view, { x: dx, y: dy });
  placeJoints(app, [app.chosen], { [app.chosen]: { x: joint.x + d.x, y: joint.y + d.y } });
}

export function cycleVisibility(app) {
  if (app.chosen === null) return app.say(NONE_CHOSEN);
  const j = app.chosen, joint = app.pose[j];
  if (!here(joint)) return app.say(`press where the ${words(app, j)} is; it is absent now`);
  const next = joint.v === VISIBLE ? [joint.x, joint.y, HIDDEN, "hand"] : [null, null, ABSENT, "hand"];
  app.place(`${words(app, j)} ${next[2] === HIDDEN ? "hidden" : "absent"}`, withJoints(app, [j], () => next));
}

export function choose(app, by) {
  const at = ORDER.indexOf(app.chosen ?? ORDER[0]);
  app.chosen = ORDER[(at + by + ORDER.length) % ORDER.length];
  app.redraw();
}

export function chooseLeastSure(app) {
  const open = app.pose.map((p, j) => [p, j]).filter(([p]) => here(p) && p.by === "machine");
  if (!open.length) return app.say("every joint is placed");
  app.chosen = open.reduce((a, b) => (b[0].c < a[0].c ? b : a))[1];
  app.redraw();
}

export function chooseAbsent(app) {
  const absent = ORDER.filter((j) => !here(app.pose[j]));
  if (!absent.length) return app.say("no joint is absent");
  app.chosen = absent[(absent.indexOf(app.chosen) + 1) % absent.length];
  app.say(`press where the ${words(app, app.chosen)} is`);
}

// -- the whole pose -----------------------------------------------------------------------------------------------------

// Each joint keeps who placed it; where the machine has it just there, the entry leaves it to the machine again.
export function swapSides(app, which = null) {
  const { flip } = app.session, pose = app.clip.pose(app.frame, app.person), machine = app.clip.machinePose(app.frame, app.person);
  if (!pose.some(here)) return app.say("there is no pose to change");
  const affected = which ?? flip.map((_, j) => j).filter((j) => flip[j] !== j);
  const swapped = (j) => seenFrom(machine[j], pose[flip[j]]);
  app.place(which ? "change sides of the limb" : "change sides", joints(app).map((own, j) => (affected.includes(j) ? swapped(j) : own)));
}

export function swapLimb(app) {
  const flip = app.session.flip;
  const limb = [ARM, LEG].find((l) => l.includes(app.chosen) || l.includes(flip[app.chosen]));
  if (!limb) return app.say("choose a joint of an arm or a leg first");
  swapSides(app, [...limb, ...limb.map((j) => flip[j])]);
}

export async function swapRun(app) {
  const { entries, why } = await app.propose("sides", app.clip.clip, app.frame, app.person);
  if (!entries.length) return app.say(why);
  const frames = counted(entries.length, "frame");
  app.commit(`change sides in ${frames}`, entries.map((e) => (e.frame === app.frame ? { ...e, state: "corrected" } : e)));
  app.say(`changed sides in ${frames}, to frame ${entries.at(-1).frame}${why && `; ${why}`}`);
}

export async function interpolate(app, everywhere) {
  const { entries, why } = await app.propose(everywhere ? "between-all" : "between", app.clip.clip, app.frame, app.person);
  if (!entries.length) return app.say(why);
  const frames = counted(entries.length, "frame");
  app.commit(`interpolate ${frames}`, entries);
  app.say(`interpolated ${frames}; look through ${entries.length === 1 ? "it" : "them"} with A and D`);
}

export function carryOver(app) {
  const { joints, from, why } = carried(app.clip, app.frame, app.person, app.session.flip);
  if (!joints) return app.say(why);
  app.place(`correct as frame ${from}`, joints);
}

export const movePose = (app, d) => app.place("move the pose", asPlaced(moved(app.clip.pose(app.frame, app.person), d)));
export const turnPose = (app, angle) => app.place("turn the pose", asPlaced(rotated(app.clip.pose(app.frame, app.person), angle)));

export function nudgePose(app, dx, dy) {
  movePose(app, turned(app.view, { x: dx, y: dy }));
}

export function backToMachine(app) {
  app.commit("back to the machine's pose", [{ frame: app.frame, person: app.person, joints: Array(16).fill(null), state: null }]);
}

// -- what is said of it -------------------------------------------------------------------------------------------------

export function accept(app) {
  const state = joints(app).some(Boolean) ? "corrected" : "accepted";
  if (app.clip.state(app.frame, app.person) !== state) app.commit("accept", [{ frame: app.frame, person: app.person, state }]);
  return app.next();
}

export function confirmAll(app) {
  const pose = app.clip.pose(app.frame, app.person);
  if (!pose.some(here)) return app.say("there is no pose to confirm; N says that no diver is there");
  if (joints(app).some((own) => own?.[3] !== "hand")) app.place("confirm every joint", asPlaced(pose));
  return app.next();
}

export function noDiver(app) {
  app.place("no diver", Array(16).fill([null, null, ABSENT, "hand"]));
}

// The next key may be M: its note is on this pose.
export async function mark(app, state) {
  const { clip, frame, person } = app;
  app.commit(state, [{ frame, person, state }]);
  await app.next();
  app.marked = { clip, frame, person, state };
}

// Each joint keeps who placed it, as with changed sides.
const exchanged = (clip, frame, state) => [0, 1].map((person) => {
  const machine = clip.machinePose(frame, person), other = clip.pose(frame, 1 - person);
  return { frame, person, joints: machine.map((m, j) => seenFrom(m, other[j])), state };
});

// Why there is nothing to exchange; empty where there is.
function notTwo({ clip, frame }) {
  if (clip.persons < 2) return "there is one diver in this dive";
  return [0, 1].some((p) => clip.pose(frame, p).some(here)) ? "" : "there is no pose to exchange";
}

export function exchangeDivers(app) {
  if (notTwo(app)) return app.say(notTwo(app));
  app.commit("exchange the divers", exchanged(app.clip, app.frame, "corrected"));
}

// To the end of the dive, or up to a frame in which one of them is missing, or of which the person said something. Only the frame
// that is shown was looked at.
export function exchangeRun(app) {
  if (notTwo(app)) return app.say(notTwo(app));
  const { clip } = app;
  const open = ({ state, joints }) => !state && joints.every((j) => !j || j[3] === "machine");
  const both = (frame) => [0, 1].every((p) => clip.pose(frame, p).some(here) && open(clip.entry(frame, p)));
  const later = clip.frames.slice(app.index + 1), end = later.findIndex((frame) => !both(frame));
  const frames = [app.frame, ...(end < 0 ? later : later.slice(0, end))];
  app.commit(`exchange the divers in ${counted(frames.length, "frame")}`, frames.flatMap((frame) => exchanged(clip, frame, frame === app.frame ? "corrected" : null)));
  app.say(`exchanged the divers in ${counted(frames.length, "frame")}, to frame ${frames.at(-1)}`);
}

export function otherDiver(app) {
  if (app.clip.persons < 2) return app.say("there is one diver in this dive");
  return app.go(app.clip.clip, app.frame, 1 - app.person);
}

// The pose that a note is on: the one just marked, else the one that is shown.
export const noted = (app) => app.marked ?? app;

export function setNote(app, note) {
  const { clip, frame, person } = noted(app);
  if (note !== clip.entry(frame, person).note) app.commit("note", [{ frame, person, note }], clip);
}
