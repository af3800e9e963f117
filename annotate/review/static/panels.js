// Everything around the picture: where one is, whether it is saved, what is wrong with the pose, the keys.

import { html, render } from "/static/vendor/htm-preact.js";
import { at, here, HIDDEN } from "./poses.js";
import { KEYS, run } from "./keys.js";
import { noted, setNote } from "./actions.js";
import { get } from "./api.js";
import { COLOURS } from "./draw.js";

const part = (id) => document.getElementById(id);
const BUTTONS = ["Space", "Enter", "X", "L", "V", "N", "C", "I", "R", "U", "M", "Z", "Y", "F", "A", "D", "?"];
const SHORT = {
  Space: "accept", Enter: "confirm", X: "sides", L: "limb", V: "hidden", N: "no diver", C: "carry", I: "between",
  R: "reject", U: "unsure", M: "note", Z: "undo", Y: "redo", A: "‹", D: "›", F: "frame", "?": "keys", Tab: "other", P: "exchange",
};
const ENOUGH = 20;

export function showPanels(app) {
  render(html`<${Top} app=${app} />`, part("top"));
  render(html`<${Overlay} app=${app} />`, part("overlay"));
  render(app.clip ? html`<${Side} app=${app} />` : null, part("side"));
  render(app.clip ? html`<${Bottom} app=${app} />` : null, part("bottom"));
  render(html`<${Dialog} app=${app} />`, part("layer"));
}

function Top({ app }) {
  const { clip, queue, session } = app;
  const at = clip ? app.position() : queue.index, item = queue.items[at];
  const here = item && clip && item.clip === clip.clip && item.frame === app.frame && item.person === app.person;
  return html`
    <span class="clip">${clip ? clip.clip : "fdpose review"}</span>
    ${clip && html`<span class="quiet">${clip.title}</span>
      <span>frame <b>${app.frame}</b><span class="quiet">, the ${nth(app.index + 1)} of ${clip.frames.length}</span></span>
      ${clip.persons > 1 && html`<span>diver <b>${app.person + 1}</b> <span class="quiet">of 2</span></span>`}
      <span class="quiet queue">${session.queue} ${at + 1} of ${queue.items.length}${queue.complete ? "" : "+"}${here && item.why ? `: ${item.why}` : ""}</span>`}
    ${app.strays && html`<span><kbd>Q</kbd> <span class="quiet">back to it</span></span>`}
    <span class="space"></span>
    ${session && html`<span class="quiet">${session.annotator}</span><${Saved} app=${app} />`}`;
}

const ORDINALS = new Intl.PluralRules("en", { type: "ordinal" });
const nth = (n) => `${n}${{ one: "st", two: "nd", few: "rd", other: "th" }[ORDINALS.select(n)]}`;

function Saved({ app }) {
  const n = app.outbox?.waiting.length ?? 0;
  if (app.session.read_only) return html`<span class="saved bad" title=${app.session.read_only}>view only</span>`;
  if (app.outbox?.trouble) return html`<span class="saved bad">NOT SAVING: ${n} kept in this browser</span>`;
  return html`<span class="saved ${n ? "" : "good"}">${n ? "saving" : "saved"}</span>`;
}

function Overlay({ app }) {
  const trouble = app.outbox?.trouble;
  const lines = [
    app.error && html`<p class="bad">${app.error}</p>`,
    trouble && html`<p class="bad">not saving: ${trouble}. Go on, or wait: what you did is kept in this browser and sent again.</p>`,
    !trouble && app.problem && html`<p class="bad">the journal is saved, the layer is not yet: ${app.problem}</p>`,
    app.conflict && html`<p class="bad">changed in another window meanwhile. Shown is that pose; yours is dotted.
      <button onClick=${() => app.keepMine()}><kbd>K</kbd> take mine</button>
      <button onClick=${() => ((app.conflict = null), app.redraw())}><kbd>Esc</kbd> leave it</button></p>`,
    !app.conflict && app.clip && (app.message || !app.error) && hint(app),
  ];
  return html`<div class="notes">${lines.filter(Boolean)}</div>`;
}

// One line, not to hide the diver: the last message, else what is dotted, else what may be pressed.
function hint(app) {
  if (app.message) return html`<p>${app.message}</p>`;
  const before = app.clip.before.get(at(app.frame, app.person)), proposed = before ? null : app.proposed();
  if (before) return html`<p>you accepted the dotted pose; the estimator has moved it by ${before.pixels.toFixed(1)} pixels since.${" "}
    <kbd>Space</kbd> accepts the new one, <kbd>B</kbd> hides the old one</p>`;
  if (!proposed) return empty(app);
  if (!proposed.copied) return html`<p>dotted: corrected as frame ${proposed.from}; <kbd>C</kbd> takes it over</p>`;
  return html`<p>no pose yet; dotted: that of frame ${proposed.from}; <kbd>C</kbd> takes it over, <kbd>N</kbd> says that no diver is there,${" "}
    or press where the ${app.session.joints[app.chosen ?? 0].replaceAll("_", " ")} is</p>`;
}

function empty(app) {
  if (app.clip.isEmpty(app.frame, app.person)) return html`<p>no diver, you said</p>`;
  if (!app.pose.some(here) && app.clip.state(app.frame, app.person) === "accepted") return html`<p>no diver, as you accepted</p>`;
  const joint = app.session.joints[app.chosen ?? 0].replaceAll("_", " ");
  if (app.chosen !== null && app.pose.some(here))
    return here(app.pose[app.chosen]) ? null : html`<p>press where the ${joint} is; <kbd>S</kbd> passes it over</p>`;
  if (app.pose.some(here)) return null;
  return html`<p>no pose yet: press where the ${joint} is, then the others;${" "}
    <kbd>S</kbd> passes one over, <kbd>C</kbd> takes the pose of the frame before, <kbd>N</kbd> says that no diver is there</p>`;
}

function said({ clip, frame, person }) {
  const state = clip.state(frame, person) ?? "not looked at";
  return state === "corrected" && clip.isEmpty(frame, person) ? "no diver, you said" : state;
}

function Side({ app }) {
  const { clip } = app;
  return html`
    <section><h2>This pose</h2>
      <p><span class="state ${clip.state(app.frame, app.person) ?? "open"}">${said(app)}</span></p>
      <${JointFacts} app=${app} /></section>
    <${Findings} app=${app} />
    ${app.teachable >= ENOUGH && html`<section><h2>Teach the estimator</h2>
      <p>${app.teachable} frames of yours can teach it:</p><code>fdpose merge && fdpose finetune --name mine</code></section>`}
    <section class="legend"><h2>Legend</h2>
      <p><${Line} colour=${COLOURS.right} /> right, <${Line} colour=${COLOURS.left} dashed /> left of the diver<br />
        <${Line} colour="currentColor" thin /> thin: frames before and after</p>
      <p>● machine's, faint if unsure<br />■ yours, ◆ from your frames around, ○ hidden</p>
      <p><i class="bar accepted" /> accepted <i class="bar corrected" /> corrected <i class="bar between" /> filled in, exchanged<br />
        <i class="bar rejected" /> rejected <i class="bar unsure" /> unsure <i class="bar finding" /> finding</p></section>`;
}

const Line = ({ colour, dashed, thin }) => html`<svg width="30" height="8"><line x1="2" y1="4" x2="28" y2="4" stroke=${colour}
  stroke-width=${thin ? 1.2 : 3} stroke-dasharray=${dashed ? "7 5" : ""} stroke-linecap="round" /></svg>`;

function JointFacts({ app }) {
  const joint = app.pose[app.chosen];
  const { note } = app.clip.entry(app.frame, app.person), words = note && html`<p class="words">“${note}”</p>`;
  if (app.chosen === null || app.clip.isEmpty(app.frame, app.person)) return words;
  const exchanged = app.clip.entry(app.frame, app.person).joints[app.chosen] && ", exchanged by you";
  const who = {
    machine: `machine, confidence ${joint?.c?.toFixed(2)}${exchanged ?? ""}`,
    hand: here(joint) ? "placed by you" : "you said",
    between: "from your frames around",
  };
  const seen = here(joint) ? (joint.v === HIDDEN ? "hidden" : "visible") : "absent";
  return html`<p><b>${app.session.joints[app.chosen].replaceAll("_", " ")}</b>: ${seen}${joint && html`, ${who[joint.by]}`}</p>
    ${words}`;
}

function Findings({ app }) {
  const all = app.clip.findings;
  if (all === null) return html`<section><h2>Findings</h2><p class="quiet">looking</p></section>`;
  const mine = all.filter((f) => f.frame === app.frame);
  const others = all.filter((f) => f.frame !== app.frame).sort((a, b) => (a.frame ?? -1) - (b.frame ?? -1));
  const line = (f) => html`<li class=${f.severity}><button onClick=${() => show(app, f)}>${f.frame !== app.frame && f.frame !== null && html`<b>${f.frame}</b> `}${f.message}</button></li>`;
  return html`<section class="findings"><h2>Findings</h2>
    ${mine.length ? html`<ul>${mine.map(line)}</ul>` : html`<p class="quiet">none in this frame</p>`}
    ${others.length > 0 && html`<h3>elsewhere in this dive</h3><ul>${others.map(line)}</ul>`}</section>`;
}

function show(app, finding) {
  const joint = app.session.joints.indexOf(finding.joints[0]);
  if (joint >= 0) app.chosen = joint;
  if (finding.frame !== null) app.move(app.clip.clip, finding.frame);
}

function Bottom({ app }) {
  const entries = BUTTONS.map((shown) => KEYS.find((entry) => entry.shown === shown));
  if (app.clip.persons > 1) entries.splice(2, 0, ...["Tab", "P"].map((s) => KEYS.find((entry) => entry.shown === s)));
  return entries.map((entry) => html`<button title=${entry.does} tabindex="-1" onClick=${(e) => (e.currentTarget.blur(), run(app, entry, e))}>
    <kbd>${entry.shown}</kbd> ${SHORT[entry.shown] ?? entry.does}</button>`);
}

// -- dialogs --------------------------------------------------------------------------------------------------------------

function Dialog({ app }) {
  const close = () => ((app.dialog = ""), app.redraw());
  if (app.dialog === "keys") return html`<div class="veil" onClick=${close}><div class="box keys">${keyGroups()}
    <p><b>A run</b> of frames ends before a frame without a pose, before one in which you placed joints, and for <kbd>Shift X</kbd>${" "}
      before one that you said something of and where the machine changes sides itself. <b>Checked</b> is what you accepted or corrected.
      The strip of frames and the findings can be clicked: they lead to their frame.</p>
    <p class="quiet">Nothing has to be saved: each change is on the disk when it says “saved”. Any key closes this.</p></div></div>`;
  if (app.dialog === "note") return html`<div class="veil"><form class="box" onSubmit=${(e) => write(e, app)}>
    <h2>Note on ${app.marked ? `frame ${app.marked.frame}, marked ${app.marked.state}` : "this pose"}</h2><input name="note" maxlength="2000" />
    <p class="quiet"><kbd>Enter</kbd> keeps it, <kbd>Esc</kbd> leaves it</p></form></div>`;
  if (app.dialog === "clips") return html`<div class="veil"><form class="box" onSubmit=${(e) => open(e, app)}>
    <h2>Go to a dive</h2><input name="clip" list="clips" placeholder="video/index" />
    <datalist id="clips">${(app.names ?? []).map((name) => html`<option value=${name} />`)}</datalist>
    <p class="quiet"><kbd>Enter</kbd> goes there, <kbd>Esc</kbd> stays</p></form></div>`;
  return null;
}

function keyGroups() {
  const groups = [...new Set(KEYS.map((entry) => entry.group))];
  return html`<div class="columns">${groups.map((group) => html`<section><h2>${group}</h2><table>
    ${KEYS.filter((entry) => entry.group === group).map((entry) => html`<tr><td>${entry.shown.split(" ").map((k) => html`<kbd>${k}</kbd> `)}</td><td>${entry.does}</td></tr>`)}
  </table></section>`)}</div>`;
}

// At once, not with the next picture: the next key is for its field.
export function openDialog(app, name) {
  app.dialog = name;
  showPanels(app);
  const field = document.querySelector("#layer input");
  field.focus();
  if (name === "clips") return listClips(app);
  const { clip, frame, person } = noted(app);
  field.value = clip.entry(frame, person).note;
}

function write(e, app) {
  e.preventDefault();
  app.dialog = "";
  setNote(app, e.target.elements.note.value.trim());
  app.redraw();
}

async function listClips(app) {
  if (app.names) return;
  app.names = [];
  app.names = await get("/api/clips");
  app.redraw();
}

async function open(e, app) {
  e.preventDefault();
  const name = e.target.elements.clip.value.trim();
  if (!app.names.includes(name)) return app.say(`no dive ${name}`);
  app.dialog = "";
  const clip = await app.clips.load(name).catch((error) => app.fail(error, name));
  if (clip) await app.move(name, clip.frames[0]);
}
