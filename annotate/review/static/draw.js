// The frame and the poses in it.

import { here, HIDDEN } from "./poses.js";
import { toScreen, transformOf } from "./geometry.js";

export const COLOURS = { left: "#3ca0ff", right: "#ff8c28", middle: "#f5f5f5", rim: "rgba(0,0,0,.75)", mark: "#ff46c8" };

export const sideOf = (name) => (name.startsWith("left") ? "left" : name.startsWith("right") ? "right" : "middle");

// scene: {view, bitmap, pose, other, onions, before, chosen, hovered, hidden, names, limbs}
export function drawScene(context, ratio, scene) {
  const { view } = scene;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = "#101418";
  context.fillRect(0, 0, view.width, view.height);
  if (scene.bitmap) drawPicture(context, ratio, scene);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  if (scene.hidden) return;
  for (const onion of scene.onions) drawLines(context, view, onion.pose, scene, { alpha: onion.alpha, width: 1.5, rim: false });
  if (scene.before) drawLines(context, view, scene.before, scene, { alpha: 0.9, width: 2, dash: [2, 5], colour: "#c8ff5a" });
  if (scene.other) drawLines(context, view, scene.other, scene, { alpha: 0.35, width: 2, rim: true });
  drawLines(context, view, scene.pose, scene, { alpha: 1, width: 3, rim: true });
  for (const side of ["middle", "right", "left"])
    scene.pose.forEach((joint, j) => sideOf(scene.names[j]) === side && here(joint) && drawJoint(context, view, joint, scene.names[j]));
  drawNames(context, scene);
}

const words = (name) => name.replaceAll("_", " ");

// The joint that is chosen and the one that a press would take are marked; the latter is named, and what is beneath it.
function drawNames(context, { view, pose, names, chosen, hovered }) {
  const name = (j) => names[j].replaceAll("_", " ");
  const place = (j) => toScreen(view, pose[j]);
  const named = hovered && here(pose[hovered.joint]) ? hovered : { joint: chosen, beneath: chosen };
  if (here(pose[chosen])) drawRing(context, place(chosen), COLOURS.mark);
  if (!here(pose[named.joint])) return;
  if (named.joint !== chosen) drawRing(context, place(named.joint), "#fff");
  const more = named.beneath === named.joint ? "" : `, right button: ${name(named.beneath)}`;
  drawWords(context, view, place(named.joint), name(named.joint) + more);
}

function drawPicture(context, ratio, { view, bitmap }) {
  const [a, b, c, d, e, f] = transformOf(view);
  context.setTransform(ratio * a, ratio * b, ratio * c, ratio * d, ratio * e, ratio * f);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, -0.5, -0.5); // the first pixel's middle is at 0, 0
}

// Left limbs are dashed, right ones whole, so that both are seen where they lie on each other; limbs at an unsure joint
// are faint.
function drawLines(context, view, pose, scene, { alpha, width, rim, dash, colour }) {
  context.lineCap = "round";
  const limbs = scene.limbs.filter(([a, b]) => here(pose[a]) && here(pose[b])).map(([a, b]) => ({
    side: [a, b].map((j) => sideOf(scene.names[j])).find((s) => s !== "middle") ?? "middle",
    ends: [toScreen(view, pose[a]), toScreen(view, pose[b])],
    alpha: alpha * Math.min(fade(pose[a]), fade(pose[b])),
  }));
  const all = (side, colour, width, dash) => {
    context.setLineDash(dash);
    for (const limb of limbs.filter((l) => !side || l.side === side)) {
      context.globalAlpha = limb.alpha;
      stroke(context, ...limb.ends, colour, width);
    }
  };
  if (rim) all(null, COLOURS.rim, width + 2.5, []);
  for (const side of ["middle", "right", "left"]) all(side, colour ?? COLOURS[side], width, dash ?? (side === "left" ? [8, 9] : []));
  context.setLineDash([]);
  context.globalAlpha = 1;
}

function stroke(context, p, q, colour, width) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  context.moveTo(p.x, p.y);
  context.lineTo(q.x, q.y);
  context.stroke();
}

const fade = (joint) => (joint.by === "machine" ? 0.3 + 0.7 * Math.min(1, Math.max(0, joint.c / 0.6)) : 1);

// Round at the machine's, square at the person's, turned square between the person's; hollow where hidden.
function drawJoint(context, view, joint, name) {
  const p = toScreen(view, joint);
  const size = (joint.by === "machine" ? 4.5 : 5) + (sideOf(name) === "right" ? 1.5 : 0); // seen under a left one
  context.globalAlpha = fade(joint);
  context.beginPath();
  if (joint.by === "machine") context.arc(p.x, p.y, size, 0, 7);
  else if (joint.by === "hand") context.rect(p.x - size, p.y - size, 2 * size, 2 * size);
  else polygon(context, [[p.x, p.y - size - 2], [p.x + size + 2, p.y], [p.x, p.y + size + 2], [p.x - size - 2, p.y]]);
  context.fillStyle = joint.v === HIDDEN ? "rgba(0,0,0,.35)" : COLOURS[sideOf(name)];
  context.fill();
  context.lineWidth = joint.v === HIDDEN ? 2 : 1.25;
  context.strokeStyle = joint.v === HIDDEN ? COLOURS[sideOf(name)] : "rgba(0,0,0,.85)";
  context.stroke();
  context.globalAlpha = 1;
}

function polygon(context, corners) {
  corners.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.closePath();
}

function drawRing(context, p, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.beginPath();
  context.arc(p.x, p.y, 11, 0, 7);
  context.stroke();
}

function drawWords(context, view, p, words) {
  context.font = "600 13px system-ui, sans-serif";
  const wide = context.measureText(words).width;
  const x = Math.min(p.x + 16, view.width - wide - 8), y = Math.max(20, p.y - 12);
  context.fillStyle = "rgba(0,0,0,.7)";
  context.fillRect(x - 5, y - 14, wide + 10, 20);
  context.fillStyle = "#fff";
  context.fillText(words, x, y);
}
