// Requests to the server that printed this page's address. The token is in the address after #, which browsers do not
// send anywhere by themselves.

const token = location.hash.slice(1);
addEventListener("hashchange", () => location.reload()); // the address of a new run, opened in an old window

// An answer of the server's that is not a success: its status and what came with it.
export class Refused extends Error {
  constructor(status, answer) {
    super(answer.error || `the server answered ${status}`);
    this.status = status;
    this.answer = answer;
  }
}

async function ask(path, options = {}) {
  const response = await fetch(path, { ...options, headers: { "x-review-token": token, ...options.headers } });
  if (response.ok) return response;
  throw new Refused(response.status, await response.json().catch(() => ({})));
}

export const get = async (path) => (await ask(path)).json();
export const getBlob = async (path) => (await ask(path)).blob();
export const post = async (path, value) =>
  (await ask(path, { method: "POST", body: JSON.stringify(value), headers: { "content-type": "application/json" } })).json();

// Folder of a clip, whose video may have any letters in its name.
export const clipPath = (clip) => {
  const cut = clip.lastIndexOf("/");
  return `/api/clips/${encodeURIComponent(clip.slice(0, cut))}/${clip.slice(cut + 1)}`;
};
