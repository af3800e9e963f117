// Mouse, pen and finger on the picture: the nearest joint is grabbed at once.

import { here } from "./poses.js";
import { moved, rotated, toFrame, toScreen, turned, zoomed } from "./geometry.js";
import { movePose, placeJoints, turnPose } from "./actions.js";

const STILL = 1.5; // a press that moves by less, in pixels of the canvas, only chooses
const SAME = 14; // within this, the joint that is chosen already is grabbed before another one
const BENEATH = 2; // the right button

// What goes along under Ctrl, and how far: joints farther out on the limb go as far as the one that is dragged; where it
// is the limb's end, the elbow or knee goes half as far.
const ALONG = {
  12: { 11: 1, 10: 1 }, 11: { 10: 1 }, 10: { 11: 0.5 }, 13: { 14: 1, 15: 1 }, 14: { 15: 1 }, 15: { 14: 0.5 },
  2: { 1: 1, 0: 1 }, 1: { 0: 1 }, 0: { 1: 0.5 }, 3: { 4: 1, 5: 1 }, 4: { 5: 1 }, 5: { 4: 0.5 },
  7: { 8: 1, 9: 1 }, 8: { 9: 1 },
};

export function listenToHand(app, canvas) {
  let held = null;

  canvas.addEventListener("pointerdown", (e) => {
    if (!app.clip || app.stepping || ![0, BENEATH].includes(e.button) || held) return;
    canvas.focus();
    app.message = "";
    const p = { x: e.offsetX, y: e.offsetY };
    held = { id: e.pointerId, start: p, pose: app.pose, ...grab(app, p, e) };
    canvas.setPointerCapture(e.pointerId);
    held.again = held.joint === app.chosen && e.button !== BENEATH;
    if (held.joint !== undefined) app.chosen = held.joint;
    follow(p);
  });

  canvas.addEventListener("pointermove", (e) => {
    const p = { x: e.offsetX, y: e.offsetY };
    if (held?.id === e.pointerId) follow(p);
    else if (!held && e.pointerType !== "touch") hover(p);
  });

  canvas.addEventListener("wheel", (e) => {
    e.preventDefault();
    if (app.clip && !held) app.view = zoomed(app.view, { x: e.offsetX, y: e.offsetY }, 2 ** (-e.deltaY / 400));
    app.redraw();
  });

  canvas.addEventListener("pointerleave", () => hover(null));
  canvas.addEventListener("contextmenu", (e) => e.preventDefault());

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
    app.hovered = null;
    app.redraw();
  }

  // Say which joint a press would take, and which one the right button.
  function hover(p) {
    const joint = p && app.clip && missing(app) === undefined ? nearest(app, p) : null;
    const next = joint === null ? null : { joint, beneath: beneath(app, p, joint) };
    if (next?.joint === app.hovered?.joint && next?.beneath === app.hovered?.beneath) return;
    app.hovered = next;
    app.redraw();
  }
}

// What a press does: move the whole pose (Shift), turn it (Alt), place an absent joint, or move the nearest one, with the
// right button the one beneath it; with Ctrl its limb goes along, with Ctrl and Shift the same joint of the other side.
function grab(app, p, e) {
  const ctrl = e.ctrlKey || e.metaKey;
  if (e.shiftKey && !ctrl) return { kind: "move", follow: (q, h) => moved(h.pose, way(app, h.start, q)) };
  if (e.altKey) return { kind: "turn", follow: (q, h) => rotated(h.pose, swing(h.start, q)) };
  const j = missing(app) ?? (e.button === BENEATH ? beneath(app, p, nearest(app, p)) : nearest(app, p));
  if (!here(app.pose[j])) return { joint: j, fresh: true, follow: (q, h) => put(h.pose, j, toFrame(app.view, q)) };
  const share = { ...(!ctrl ? {} : e.shiftKey ? { [app.session.flip[j]]: 1 } : ALONG[j]), [j]: 1 };
  const along = Object.keys(share).map(Number).filter((k) => k !== j && here(app.pose[k]));
  return {
    joint: j,
    joints: [j, ...along],
    follow: (q, h) => {
      const d = way(app, h.start, q);
      const there = (k) => ({ x: h.pose[k].x + share[k] * d.x, y: h.pose[k].y + share[k] * d.y });
      return [j, ...along].reduce((pose, k) => put(pose, k, there(k)), h.pose);
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
