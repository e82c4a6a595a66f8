// Nodes of points as three.js draws them, beside the cloud's own points: dots at their steps across a box.

import { BufferAttribute, BufferGeometry, Group, Points } from "three";
import { tileMaterial } from "./materials.js";

export class TilePoints {
  constructor(cloud) {
    this.cloud = cloud;
    this.material = tileMaterial(cloud.shared);
    this.group = new Group();
    this.group.matrixWorldAutoUpdate = false;
    cloud.scene.add(this.group);
  }

  /** A node's points, drawn while `visible`; `remove` forgets them. */
  add({ least, size }, { steps, colours }) {
    const geometry = new BufferGeometry();
    geometry.setAttribute("position", new BufferAttribute(steps, 3, true));
    if (colours) geometry.setAttribute("colour", new BufferAttribute(colours, 3, true));
    const points = new Points(geometry, this.material);
    points.frustumCulled = false;
    points.matrixWorldAutoUpdate = false;
    const { uDepth } = this.cloud.shared;
    points.onBeforeRender = () => {
      const [x, y, z] = least;
      const depth = uDepth.value; // flat, or in space
      points.matrixWorld.set(size[0], 0, 0, x, 0, size[1], 0, y, 0, 0, depth * size[2], depth * z, 0, 0, 0, 1);
    };
    this.group.add(points);
    return points;
  }

  remove(points) {
    this.group.remove(points);
    points.geometry.dispose();
  }

  clear() {
    for (const points of [...this.group.children]) this.remove(points);
    this.cloud.scene.remove(this.group);
    this.material.dispose();
  }
}
