// The dive in one strip: stages, confidence, findings, and what was said of each frame.

import { at, here } from "./poses.js";

const STATES = { accepted: "--accepted", corrected: "--corrected", rejected: "--rejected", unsure: "--unsure" };
const EDGE = 8;

export function frameAt(app, canvas, x) {
  const share = (x - EDGE) / (canvas.clientWidth - 2 * EDGE);
  return app.clip.frames[Math.min(app.clip.frames.length - 1, Math.max(0, Math.floor(share * app.clip.frames.length)))];
}

export function drawStrip(canvas, ratio, app) {
  const context = canvas.getContext("2d"), css = getComputedStyle(document.documentElement);
  const colour = (name) => css.getPropertyValue(name);
  const { clip, person } = app, n = clip.frames.length;
  const width = canvas.clientWidth, step = (width - 2 * EDGE) / n, x = (i) => EDGE + i * step;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, canvas.clientHeight);
  drawStages(context, clip, x, colour);
  const found = new Set((clip.findings ?? []).map((f) => f.frame));
  clip.frames.forEach((frame, i) => {
    const wide = Math.max(1, step - 0.5);
    const sure = confidence(clip, frame, person);
    context.fillStyle = colour("--confidence");
    if (sure !== null) context.fillRect(x(i), 42 - 20 * Math.min(1, sure / 0.8), wide, 20 * Math.min(1, sure / 0.8));
    const state = STATES[clip.state(frame, person)];
    const between = clip.entry(frame, person).joints.some(Boolean); // filled in, or sides changed; nothing said of it
    context.fillStyle = colour(state ?? (between ? "--between" : "--open"));
    context.fillRect(x(i), 45, wide, 7);
    if (found.has(frame)) {
      context.fillStyle = colour("--finding");
      context.fillRect(x(i) - 1, 54, Math.max(3, wide + 2), 4);
    }
  });
  context.strokeStyle = colour("--text");
  context.lineWidth = 2;
  context.strokeRect(x(app.index) - 2, 17, step + 4, 43);
}

function drawStages(context, clip, x, colour) {
  context.font = "11px system-ui, sans-serif";
  clip.stages.forEach((stage, i) => {
    const from = x(stage.start), to = x(clip.stages[i + 1]?.start ?? clip.frames.length);
    context.fillStyle = colour(i % 2 ? "--stage-b" : "--stage-a");
    context.fillRect(from, 2, to - from - 1, 14);
    context.save();
    context.beginPath();
    context.rect(from, 2, to - from - 1, 14);
    context.clip();
    context.fillStyle = colour("--text");
    context.fillText(stage.name, from + 5, 13);
    context.restore();
  });
}

function confidence(clip, frame, person) {
  const joints = clip.machine.get(at(frame, person))?.joints.filter(Boolean);
  return joints?.length ? joints.reduce((sum, j) => sum + j[3], 0) / joints.length : null;
}

export const hasPose = (clip, frame, person) => clip.pose(frame, person).some(here);
