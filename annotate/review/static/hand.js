// Mouse, pen and finger on the picture: the nearest joint is grabbed at once.

import { here } from "./poses.js";
import { moved, rotated, toFrame, toScreen, turned } from "./geometry.js";
import { movePose, placeJoints, turnPose } from "./actions.js";

const STILL = 1.5; // a press that moves by less, in pixels of the canvas, only chooses
const SAME = 14; // within this, the joint that is chosen already is grabbed before another one

// Joints farther out on the limb: of elbows and shoulders, knees and hips, neck and thorax.
const BEYOND = { 11: [10], 12: [11, 10], 14: [15], 13: [14, 15], 1: [0], 2: [1, 0], 4: [5], 3: [4, 5], 8: [9], 7: [8, 9] };

export function listenToHand(app, canvas) {
  let held = null;

  canvas.addEventListener("pointerdown", (e) => {
    if (!app.clip || app.stepping || e.button > 0 || held) return;
    canvas.focus();
    const p = { x: e.offsetX, y: e.offsetY };
    held = { id: e.pointerId, start: p, pose: app.pose, ...grab(app, p, e) };
    canvas.setPointerCapture(e.pointerId);
    held.again = held.joint === app.chosen;
    if (held.joint !== undefined) app.chosen = held.joint;
    follow(p);
  });

  canvas.addEventListener("pointermove", (e) => {
    app.pointer = { x: e.offsetX, y: e.offsetY };
    if (held?.id === e.pointerId) follow(app.pointer);
  });

  canvas.addEventListener("pointerup", (e) => {
    if (held?.id !== e.pointerId) return;
    const p = { x: e.offsetX, y: e.offsetY }, done = held;
    held = null;
    app.dragged = null;
    if (done.fresh || Math.hypot(p.x - done.start.x, p.y - done.start.y) > STILL) drop(app, done, p);
    else if (done.again) app.chosen = beneath(app, p, done.joint);
    app.redraw();
  });

  canvas.addEventListener("pointercancel", () => {
    held = app.dragged = null;
    app.redraw();
  });

  function follow(p) {
    app.dragged = held.follow(p, held);
    app.redraw();
  }
}

// What a press does: move the whole pose (Shift), turn it (Alt), place an absent joint, or move the nearest one; with Ctrl
// the rest of its limb goes along, with Ctrl and Shift the same joint of the other side.
function grab(app, p, e) {
  const ctrl = e.ctrlKey || e.metaKey;
  if (e.shiftKey && !ctrl) return { kind: "move", follow: (q, h) => moved(h.pose, way(app, h.start, q)) };
  if (e.altKey) return { kind: "turn", follow: (q, h) => rotated(h.pose, swing(h.start, q)) };
  const j = missing(app) ?? nearest(app, p);
  if (!here(app.pose[j])) return { joint: j, fresh: true, follow: (q, h) => put(h.pose, j, toFrame(app.view, q)) };
  const along = (!ctrl ? [] : e.shiftKey ? [app.session.flip[j]] : BEYOND[j] ?? []).filter((k) => here(app.pose[k]));
  return {
    joint: j,
    joints: [j, ...along],
    follow: (q, h) => {
      const d = way(app, h.start, q);
      return [j, ...along].reduce((pose, k) => put(pose, k, { x: h.pose[k].x + d.x, y: h.pose[k].y + d.y }), h.pose);
    },
  };
}

function drop(app, held, p) {
  if (held.kind === "move") return movePose(app, way(app, held.start, p));
  if (held.kind === "turn") return turnPose(app, swing(held.start, p));
  placeJoints(app, held.joints ?? [held.joint], held.follow(p, held));
  const pose = app.pose;
  if (held.fresh && pose.some((j) => !here(j))) app.chosen = pose.findIndex((j) => j === null) >= 0 ? pose.findIndex((j) => j === null) : held.joint;
}

// The chosen joint, where it has no place: the press gives it one. In a frame without any pose, one after the other.
const missing = (app) => (app.chosen !== null && !here(app.pose[app.chosen]) ? app.chosen : app.pose.some(here) ? undefined : 0);

function distances(app, p) {
  return app.pose.map((j) => {
    if (!here(j)) return Infinity;
    const q = toScreen(app.view, j);
    return Math.hypot(q.x - p.x, q.y - p.y);
  });
}

function nearest(app, p) {
  const away = distances(app, p);
  if (app.chosen !== null && away[app.chosen] < SAME) return app.chosen;
  return away.indexOf(Math.min(...away));
}

// The next of the joints that lie at one place: a second press on it chooses the one beneath.
function beneath(app, p, joint) {
  const away = distances(app, p), there = away.map((_, j) => j).filter((j) => away[j] < SAME);
  return there.length ? there[(there.indexOf(joint) + 1) % there.length] : joint;
}

const way = (app, from, to) => turned(app.view, { x: (to.x - from.x) / app.view.scale, y: (to.y - from.y) / app.view.scale });
const swing = (from, to) => (to.x - from.x) / 120; // radians
const put = (pose, j, at) => pose.map((joint, i) => (i === j ? { v: 2, c: 1, ...joint, ...at, by: "hand", v: joint?.v || 2 } : joint));
