// Which pictures are large enough on the canvas to be shown sharp: looked up when the view comes to rest, and now and
// then while it moves.

import { largest } from "./picking.js";

const SHARP_FROM = 22; // CSS pixels: below, the middle tiles are as good
const PAUSE = 220; // milliseconds
const KEPT = 40; // slots for what stands in front

export class Sharpness {
  constructor(stage) {
    this.stage = stage;
    this.rows = [];
    this.waiting = 0;
    this.seen = "";
  }

  forget() {
    this.rows = [];
    this.seen = "";
  }

  /** Look soon, unless a look is due already. */
  settle() {
    this.waiting ||= setTimeout(() => {
      this.waiting = 0;
      this.look();
    }, PAUSE);
  }

  look() {
    const { stage } = this;
    if (!stage.tiles || stage.morph) return;
    const seen = this.view();
    if (seen === this.seen) return; // nothing has moved: no frame for its own sake
    this.seen = seen;
    this.rows = stage.pictures ? this.near() : [];
    stage.wantSharp();
    stage.raise();
    stage.invalidate();
    stage.tell("settled");
  }

  /** All that decides which pictures are near. */
  view() {
    const { stage } = this;
    const { width, height } = stage.canvas;
    const loaded = stage.tiles.shaped.reduce((sum, there) => sum + there, 0);
    const kind = [stage.size, stage.pictures, stage.flat.now, stage.reducer, stage.split, stage.painted];
    // Rounded: a camera that comes to rest creeps on by less and less, and each look at it draws a frame.
    const camera = stage.rig.get().map((value) => value.toFixed(3));
    return [...camera, ...kind, width, height, loaded].join(" ");
  }

  /** The largest rows, in each pane, for which there is a slot. */
  near() {
    const { stage } = this;
    const { panes, textures } = stage.cloud;
    const most = Math.floor((textures.slots - KEPT) / panes.length);
    const rows = panes.flatMap((_, pane) => largest(stage.view(pane), stage.skip, SHARP_FROM, most));
    return [...new Set(rows)];
  }

  /** Tell the cloud which of them have a sharp tile; what stands back or is filtered out gets none. */
  show() {
    const { stage } = this;
    const { chosen, skip } = stage;
    const items = [];
    for (const row of stage.pictures ? this.rows : []) {
      const slot = stage.tiles.slot(row);
      if (slot === null || skip[row] || (chosen.size && !chosen.has(row))) continue;
      items.push({ row, slot, border: stage.borderOf(row) });
    }
    stage.cloud.raised.setNear(items);
  }
}
