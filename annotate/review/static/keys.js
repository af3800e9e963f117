// The keys, what they are called, and what they do. The overlay of ? is made of this table.

import * as act from "./actions.js";
import { openDialog } from "./panels.js";

const set = (app, values) => (Object.assign(app, values), app.redraw());
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const DEGREES = Math.PI / 180;

// keys: as KeyboardEvent.key, with "Shift+", "Ctrl+" or "Alt+" before it; shown: how the overlay writes them
export const KEYS = [
  { group: "Go on", keys: [" "], shown: "Space", does: "the pose is right: accept it, next one", run: act.accept },
  { group: "Go on", keys: ["Enter"], shown: "Enter", does: "I checked every joint: all are mine, next one", run: act.confirmAll },
  { group: "Go on", keys: ["q"], shown: "Q", does: "on with the queue; before that, after A, D, G or a click, next is the next frame", run: (app) => app.resume() },
  { group: "Go on", keys: ["Backspace"], shown: "Backspace", does: "back in the queue", run: (app) => app.back() },
  { group: "Go on", keys: ["d", "."], shown: "D", does: "next frame", run: (app) => app.step(1) },
  { group: "Go on", keys: ["a", ","], shown: "A", does: "frame before", run: (app) => app.step(-1) },
  { group: "Go on", keys: ["g"], shown: "G", does: "go to another dive", run: (app) => openDialog(app, "clips") },

  { group: "A joint", keys: [], shown: "drag", does: "move the nearest joint" },
  { group: "A joint", keys: [], shown: "right drag", does: "... the one beneath it" },
  { group: "A joint", keys: [], shown: "Ctrl drag", does: "... and its limb follows" },
  { group: "A joint", keys: [], shown: "Ctrl Shift drag", does: "... on both sides" },
  { group: "A joint", keys: ["s"], shown: "S", does: "choose the next joint", run: (app) => act.choose(app, 1) },
  { group: "A joint", keys: ["w"], shown: "W", does: "choose the joint before", run: (app) => act.choose(app, -1) },
  { group: "A joint", keys: ["j"], shown: "J", does: "choose the least sure joint", run: act.chooseLeastSure },
  { group: "A joint", keys: ["e"], shown: "E", does: "choose an absent joint, to press where it is", run: act.chooseAbsent },
  { group: "A joint", keys: Object.keys(ARROWS), shown: "arrows", does: "move it 1 pixel", run: (app, e) => act.nudge(app, ...ARROWS[e.key]) },
  { group: "A joint", keys: Object.keys(ARROWS).map((k) => `Shift+${k}`), shown: "Shift arrows", does: "10 pixels", run: (app, e) => act.nudge(app, ...ARROWS[e.key].map((v) => 10 * v)) },
  { group: "A joint", keys: ["v"], shown: "V", does: "visible, hidden, absent", run: act.cycleVisibility },

  { group: "The pose", keys: ["x"], shown: "X", does: "left and right change places", run: (app) => act.swapSides(app) },
  { group: "The pose", keys: ["Shift+X"], shown: "Shift X", does: "... to the end of this run of frames", run: act.swapRun },
  { group: "The pose", keys: ["l"], shown: "L", does: "... of the chosen limb only", run: act.swapLimb },
  { group: "The pose", keys: ["n"], shown: "N", does: "no diver here", run: act.noDiver },
  { group: "The pose", keys: ["c"], shown: "C", does: "carry over the corrections of the frame before", run: act.carryOver },
  { group: "The pose", keys: ["i"], shown: "I", does: "fill in between the checked frames around", run: (app) => act.interpolate(app, false) },
  { group: "The pose", keys: ["Shift+I"], shown: "Shift I", does: "... in the whole dive", run: (app) => act.interpolate(app, true) },
  { group: "The pose", keys: [], shown: "Shift drag", does: "move the whole pose" },
  { group: "The pose", keys: [], shown: "Alt drag", does: "turn it" },
  { group: "The pose", keys: Object.keys(ARROWS).map((k) => `Alt+${k}`), shown: "Alt arrows", does: "move the whole pose 1 pixel", run: (app, e) => act.nudgePose(app, ...ARROWS[e.key]) },
  { group: "The pose", keys: ["["], shown: "[", does: "turn it left by 5 degrees", run: (app) => act.turnPose(app, -5 * DEGREES) },
  { group: "The pose", keys: ["]"], shown: "]", does: "turn it right", run: (app) => act.turnPose(app, 5 * DEGREES) },
  { group: "The pose", keys: ["Delete"], shown: "Delete", does: "back to the machine's pose", run: act.backToMachine },

  { group: "Two divers", keys: ["Tab"], shown: "Tab", does: "the other diver", run: act.otherDiver },
  { group: "Two divers", keys: ["p"], shown: "P", does: "exchange the two", run: act.exchangeDivers },
  { group: "Two divers", keys: ["Shift+P"], shown: "Shift P", does: "... to the end of this run of frames", run: act.exchangeRun },

  { group: "Say", keys: ["r"], shown: "R", does: "reject: wrong, and not mended", run: (app) => act.mark(app, "rejected") },
  { group: "Say", keys: ["u"], shown: "U", does: "unsure", run: (app) => act.mark(app, "unsure") },
  { group: "Say", keys: ["m"], shown: "M", does: "write a note; just after U or R, on the pose marked", run: (app) => openDialog(app, "note") },

  { group: "See", keys: ["h"], shown: "H (hold)", does: "hide the skeleton", run: (app) => set(app, { hidden: true }), up: (app) => set(app, { hidden: false }) },
  { group: "See", keys: ["f"], shown: "F", does: "the frame as it is, or the diver upright", run: (app) => (set(app, { whole: !app.whole }), app.turn()) },
  { group: "See", keys: [], shown: "wheel", does: "larger, smaller; until the next frame" },
  { group: "See", keys: ["o"], shown: "O", does: "neighbouring and proposed poses on or off", run: (app) => set(app, { onion: !app.onion }) },
  { group: "See", keys: ["b"], shown: "B", does: "the accepted pose beside a new estimator's", run: (app) => set(app, { before: !app.before }) },

  { group: "Undo", keys: ["z", "Ctrl+z"], shown: "Z", does: "undo, without limit", run: (app) => app.takeStep("undo") },
  { group: "Undo", keys: ["y", "Ctrl+y", "Ctrl+Shift+Z"], shown: "Y", does: "redo", run: (app) => app.takeStep("redo") },
  { group: "Undo", keys: ["?"], shown: "?", does: "these keys", run: (app) => set(app, { dialog: app.dialog === "keys" ? "" : "keys" }) },
];

const byKey = new Map(KEYS.flatMap((entry) => entry.keys.map((key) => [key, entry])));

function nameOf(e) {
  const ctrl = e.ctrlKey || e.metaKey ? "Ctrl+" : "";
  const key = e.key.length === 1 && !e.shiftKey ? e.key.toLowerCase() : e.key;
  const shift = e.shiftKey && (key.length > 1 || key.toLowerCase() !== key.toUpperCase()) ? "Shift+" : "";
  return `${ctrl}${e.altKey ? "Alt+" : ""}${shift}${shift && key.length === 1 ? key.toUpperCase() : key}`;
}

let last = Promise.resolve(); // ends with the last key

// Run an entry of the table after those before it have ended: a key pressed early waits for the picture it is about.
export function run(app, entry, e) {
  last = last.then(async () => {
    if (app.stepping) await app.outbox.send();
    app.message = "";
    if (app.clip) await entry.run(app, e);
    app.redraw();
  }).catch((error) => app.say(error.message));
  return last;
}

export const idle = () => last;

export function listenToKeys(app) {
  addEventListener("keydown", (e) => {
    if (e.key === "Escape" && (app.dialog || app.conflict)) return set(app, { dialog: "", conflict: null });
    if (e.target.matches("input, textarea, select") || /^(Shift|Control|Alt|Meta)$/.test(e.key)) return;
    if (app.dialog === "keys") return set(app, { dialog: "" });
    if (app.dialog) return;
    if (app.conflict && e.key.toLowerCase() === "k") return app.keepMine();
    const entry = byKey.get(nameOf(e));
    if (!entry?.run) return;
    e.preventDefault();
    if (e.repeat && entry.up) return;
    run(app, entry, e);
  });
  addEventListener("keyup", (e) => byKey.get(nameOf(e))?.up?.(app));
  addEventListener("blur", () => app.hidden && set(app, { hidden: false }));
}
