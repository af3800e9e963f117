// From pixels of the frame to pixels of the canvas and back, and poses moved as a whole.

import { here, points, round } from "./poses.js";

const PELVIS = 6, THORAX = 7;
const MARGIN = 0.45; // around the diver, as a share of its width and height
const SMALLEST = 60; // side of what is shown, pixels of the frame
const NEAR = 4; // frames either way that have a say in how large the diver is shown,
const CLOSER = 1.6; // which is at most so much larger than the largest of them would be
const LEAST_SCALE = 0.2, MOST_SCALE = 40; // by the wheel: pixels of the canvas for one of the frame

// Angle by which the trunk leans to the right of upright, radians; null where it is not known.
export function trunkAngle(pose) {
  const [pelvis, thorax] = [pose[PELVIS], pose[THORAX]];
  return here(pelvis) && here(thorax) ? Math.atan2(thorax.x - pelvis.x, pelvis.y - thorax.y) : null;
}

// What part of the frame is shown: {x, y} in its middle, `scale`, and `angle` by which it is turned.
export function viewOf(clip, frame, person, width, height, whole) {
  const fit = Math.min(width / clip.width, height / clip.height);
  const full = { x: (clip.width - 1) / 2, y: (clip.height - 1) / 2, scale: fit, angle: 0, width, height };
  if (whole) return full;
  const index = clip.frames.indexOf(frame);
  const near = clip.frames.slice(Math.max(0, index - NEAR), index + NEAR + 1);
  const poses = near.map((f) => clip.pose(f, person)).filter((pose) => points(pose).length);
  const own = points(clip.pose(frame, person)).length ? clip.pose(frame, person) : poses[Math.floor(poses.length / 2)];
  if (!own) return full;
  const angle = -(trunkAngle(clip.pose(frame, person)) ?? 0);
  const box = boxOf(spun(own, angle)), middle = { x: (box.x1 + box.x2) / 2, y: (box.y1 + box.y2) / 2 };
  const scales = poses.map((pose) => scaleFor(boxOf(spun(pose, angle)), width, height));
  const scale = Math.max(fit, Math.min(scaleFor(box, width, height), CLOSER * Math.min(...scales)));
  return { ...spun([{ ...middle, v: 2 }], -angle)[0], scale, angle, width, height };
}

const scaleFor = (box, width, height) => Math.min(
  width / Math.max(SMALLEST, (box.x2 - box.x1) * (1 + MARGIN)), height / Math.max(SMALLEST, (box.y2 - box.y1) * (1 + MARGIN)));

// The pose turned about the frame's corner.
const spun = (pose, angle) => pose.map((j) => (here(j)
  ? { x: j.x * Math.cos(angle) - j.y * Math.sin(angle), y: j.x * Math.sin(angle) + j.y * Math.cos(angle), v: j.v } : j));

export function boxOf(pose) {
  const known = points(pose);
  if (!known.length) return null;
  const [xs, ys] = [known.map((j) => j.x), known.map((j) => j.y)];
  return { x1: Math.min(...xs), y1: Math.min(...ys), x2: Math.max(...xs), y2: Math.max(...ys) };
}

export function toScreen(view, p) {
  const [dx, dy, c, s] = [p.x - view.x, p.y - view.y, Math.cos(view.angle), Math.sin(view.angle)];
  return { x: view.width / 2 + view.scale * (c * dx - s * dy), y: view.height / 2 + view.scale * (s * dx + c * dy) };
}

export function toFrame(view, p) {
  const d = turned(view, { x: (p.x - view.width / 2) / view.scale, y: (p.y - view.height / 2) / view.scale });
  return { x: view.x + d.x, y: view.y + d.y };
}

// Larger by `factor`, within bounds, with the frame's point under `p` staying there.
export function zoomed(view, p, factor) {
  const scale = Math.min(Math.max(view.scale * factor, LEAST_SCALE), MOST_SCALE);
  const there = toFrame(view, p), after = toFrame({ ...view, scale }, p);
  return { ...view, scale, x: view.x + there.x - after.x, y: view.y + there.y - after.y };
}

// A direction on the canvas as one in the frame, of the same length.
export function turned(view, d) {
  const [c, s] = [Math.cos(view.angle), Math.sin(view.angle)];
  return { x: c * d.x + s * d.y, y: -s * d.x + c * d.y };
}

// The canvas's transform under which pixels of the frame are drawn where the view has them.
export function transformOf(view) {
  const [c, s] = [view.scale * Math.cos(view.angle), view.scale * Math.sin(view.angle)];
  const x = view.width / 2 - c * view.x + s * view.y;
  const y = view.height / 2 - s * view.x - c * view.y;
  return [c, s, -s, c, x, y];
}

export const moved = (pose, d) => pose.map((j) => (here(j) ? { ...j, x: round(j.x + d.x), y: round(j.y + d.y) } : j));

// The pose turned about its middle.
export function rotated(pose, angle) {
  const box = boxOf(pose);
  if (!box) return pose;
  const [cx, cy, c, s] = [(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2, Math.cos(angle), Math.sin(angle)];
  return pose.map((j) =>
    here(j) ? { ...j, x: round(cx + c * (j.x - cx) - s * (j.y - cy)), y: round(cy + s * (j.x - cx) + c * (j.y - cy)) } : j);
}
