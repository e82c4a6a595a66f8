// From where the cloud is seen: all of it in what nothing covers, or one picture of it.

import { fitCamera } from "./camera_fit.js";

const OFF = 40; // CSS pixels that a picture keeps from what would cover it
const EDGE = 10; // CSS pixels that the whole cloud keeps from what is beside it

export class Framing {
  constructor(viewer) {
    /** @type {import("../viewer.js").Viewer} */
    this.viewer = viewer;
  }

  /** Glide to where all is seen: the cloud, and what is around it. */
  overview() {
    this.viewer.cameraController.start = this.overviewPosition({ panels: false });
    this.viewer.cameraController.home = this.overviewPosition({ panels: true });
    this.viewer.cameraController.go(this.viewer.cameraController.home);
  }

  /** All is seen from elsewhere now: go there, unless someone has moved the camera. */
  refit({ still = false } = {}) {
    const { cameraController } = this.viewer;
    const follows = cameraController.isHome;
    if (!this.viewer.layoutView.layouts[this.viewer.layoutView.reducer]) return;
    cameraController.start = cameraController.home = this.overviewPosition({ panels: false });
    if (!follows) return;
    if (still) cameraController.set(cameraController.start);
    else cameraController.go(cameraController.start);
  }

  /** From where all of it is seen, in what nothing covers: a camera's six numbers. */
  overviewPosition({ panels }) {
    const area = this.viewer.free({ panels });
    const views = this.viewer.cloud.panes.flatMap((_, pane) => {
      const { rows, left, width, height, scale } = this.viewer.view(pane);
      const edge = (value, middle) => (value - middle) / scale;
      const right = Math.max(Math.min(area.right - left, width) - EDGE, width / 2);
      const sides = [Math.min(Math.max(area.left - left, 0) + EDGE, width / 2 - 1), right];
      const one = {
        rows,
        depth: 1 - this.viewer.flat.goal,
        half: this.viewer.size / 2,
        left: edge(sides[0], width / 2),
        right: edge(sides[1], width / 2),
        top: -edge(Math.min(area.top + EDGE, height / 2 - 1), height / 2),
        bottom: -edge(Math.max(Math.min(area.bottom, height) - EDGE, height / 2), height / 2),
      };
      const around = this.viewer.layoutView.around?.edges(
        pane === 1 ? this.viewer.layoutView.split : this.viewer.layoutView.reducer,
      );
      return around ? [one, { ...one, rows: around, half: 0 }] : [one];
    });
    const [x, y, z] = fitCamera(views);
    return [x, y, z, x, y, 0];
  }

  /** Two panes beside each other in what no panel covers. */
  halves() {
    const { clientWidth, clientHeight } = this.viewer.canvas;
    const { left, right, bottom } = this.viewer.free();
    const [x, width] = [left / clientWidth, (right - left) / 2 / clientWidth];
    const height = bottom < this.viewer.free({ panels: false }).bottom ? bottom / clientHeight : 1; // a panel lies below
    return [
      { x, width, height, morph: 0 },
      { x: x + width, width, height, morph: 1 },
    ];
  }

  /** A list came up beside the cloud: show all of it in what is left, unless someone has moved the camera. */
  makeRoomForList() {
    const { cameraController } = this.viewer;
    const { layouts, reducer, split } = this.viewer.layoutView;
    if (split || !layouts[reducer] || !cameraController.isHome) return;
    cameraController.home = this.overviewPosition({ panels: true });
    cameraController.go(cameraController.home);
  }

  /** A panel was opened or closed: panes that stand side by side make room for it, a single one takes back its own. */
  makeRoom() {
    if (!this.viewer.layoutView.split) {
      const { cameraController } = this.viewer;
      const [within, without] = [this.viewer.free(), this.viewer.free({ panels: false })];
      const isCovered = ["left", "right", "bottom"].some((side) => within[side] !== without[side]);
      if (!isCovered && cameraController.home !== cameraController.start && cameraController.isHome)
        cameraController.go((cameraController.home = cameraController.start));
      return;
    }
    const before = JSON.stringify(this.viewer.cloud.panes);
    this.viewer.cloud.panes = this.halves();
    if (JSON.stringify(this.viewer.cloud.panes) === before) return;
    this.viewer.emit("panes", this.viewer.cloud.panes);
    this.refit();
    this.viewer.invalidate();
    this.viewer.levelOfDetail.settle();
  }

  /**
   * Glide to a picture until it fills a part of the view, or is at a distance, in that `area` of the canvas that nothing
   * covers.
   */
  approach(row, area, distance = Math.max(0.06, this.viewer.size * 7)) {
    const position = this.viewer.cloud.positionOf(
      row,
      this.viewer.layoutView.layouts[this.viewer.layoutView.reducer].rows,
    );
    if (!position) {
      this.viewer.tiled?.locate([row]).then((found) => found && this.approach(row, area, distance));
      return;
    }
    const point = [...position];
    point[2] *= 1 - this.viewer.flat.goal;
    const { left, width, height, scale } = this.viewer.view();
    const [x, y] = nearest(this.inPane(area), left + width / 2, height / 2);
    /** @type {[number, number]} */
    const aside = [(x - left - width / 2) / scale, (y - height / 2) / scale];
    this.viewer.cameraController.approach(point, distance, aside);
  }

  /** What of an area of the canvas the first pane has. */
  inPane({ left, top, right, bottom }) {
    const pane = this.viewer.view();
    return { left: Math.max(left, pane.left), top, right: Math.min(right, pane.left + pane.width), bottom };
  }

  /** Glide aside, if something covers a picture, until it lies in that `area` of the canvas that nothing covers. */
  reveal(row, area) {
    this.makeRoom();
    const found = this.viewer.positionOf(row);
    if (
      !found ||
      this.viewer.layoutView.morph ||
      (this.viewer.cameraController.glide && this.viewer.cameraController.isHome)
    )
      return;
    const { scale } = this.viewer.view();
    const [x, y] = nearest(this.inPane(area), found.x, found.y);
    const [right, down] = [x - found.x, y - found.y].map((pixels) => (pixels * found.far) / scale);
    if (right || down) this.viewer.cameraController.shift(right, down);
  }
}

/** The point of an area, some pixels off its edge, that is nearest to a point. */
function nearest({ left, top, right, bottom }, x, y) {
  const within = (value, least, most) =>
    least + OFF > most - OFF ? (least + most) / 2 : Math.min(Math.max(value, least + OFF), most - OFF);
  return [within(x, left, right), within(y, top, bottom)];
}
