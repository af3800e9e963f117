// Frames as bitmaps, fetched and decoded before they are shown.

import { clipPath, getBlob } from "./api.js";

export class Pictures {
  constructor(most = 160) {
    this.most = most;
    this.bitmaps = new Map();
  }

  // A promise of the frame's bitmap.
  load(clip, frame) {
    const path = `${clipPath(clip.clip)}/${frame}.jpg?digest=${clip.digest}`;
    const known = this.bitmaps.get(path) ?? getBlob(path).then(createImageBitmap);
    this.bitmaps.delete(path);
    this.bitmaps.set(path, known);
    known.catch(() => this.bitmaps.delete(path));
    for (const old of [...this.bitmaps.keys()].slice(0, -this.most)) {
      this.bitmaps.get(old).then((bitmap) => bitmap.close(), () => {});
      this.bitmaps.delete(old);
    }
    return known;
  }
}
