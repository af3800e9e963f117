// The corrections of a frame beside this one, made to the machine's pose of this one: it repeats its mistakes from frame to
// frame, as the trunk sees them.

import { ABSENT, asSeen, here, round } from "./poses.js";
import { trunkAngle } from "./geometry.js";

// {joints, from}: an entry's joints, and the frame that they come from, the one before or else the one after; {why} where
// nothing can be carried over. Joints that the person placed here stay. Where the machine has no pose, that of the frame
// before as it is: then `copied` is true.
export function carried(clip, frame, person, flip) {
  const index = clip.frames.indexOf(frame), before = clip.frames[index - 1], after = clip.frames[index + 1];
  const own = clip.entry(frame, person).joints, machine = clip.machinePose(frame, person);
  if (!machine.some(here)) return copied(own, before === undefined ? [] : clip.pose(before, person), before);
  const from = [before, after].find((f) => f !== undefined && clip.entry(f, person).joints.some(Boolean));
  if (from === undefined) return { why: "you placed no joints in the frames beside this one" };
  const there = clip.machinePose(from, person), placed = clip.entry(from, person).joints;
  const angles = [trunkAngle(there), trunkAngle(machine)];
  const turn = angles.includes(null) ? null : angles[1] - angles[0];
  const joints = own.map((mine, j) => mine ??
    (placed[j]?.[3] === "machine" ? exchanged(clip, [from, frame], person, [flip[j], j], placed[j])
      : carriedJoint(placed[j], there[j], machine[j], turn)));
  return joints.every((joint, j) => joint === own[j]) ? { why: `no joint of frame ${from} can be carried over` } : { joints, from };
}

function copied(own, pose, from) {
  if (!pose.some(here)) return { why: "there is no pose in the frame before" };
  return { joints: own.map((mine, j) => mine ?? (here(pose[j]) ? [pose[j].x, pose[j].y, pose[j].v, "between"] : null)), from, copied: true };
}

// The machine's joint in the second frame that stands for the one exchanged in the first: the other diver's, else that of the other
// side; null where it can be neither.
function exchanged(clip, [from, to], person, sides, joint) {
  const was = clip.machinePose(from, 1 - person), side = sides.find((j) => `${asSeen(was[j])}` === `${joint}`);
  if (side !== undefined) return asSeen(clip.machinePose(to, 1 - person)[side]);
  return sides[0] === sides[1] ? null : asSeen(clip.machinePose(to, person)[sides[0]]);
}

// Deleted where it is deleted there; null where the machine lacks it in either frame.
function carriedJoint(placed, there, machine, turn) {
  if (!placed || placed[2] === ABSENT) return placed;
  if (turn === null || !here(there) || !here(machine)) return null;
  const [dx, dy, c, s] = [placed[0] - there.x, placed[1] - there.y, Math.cos(turn), Math.sin(turn)];
  return [round(machine.x + c * dx - s * dy), round(machine.y + s * dx + c * dy), placed[2], "between"];
}
