// The Embedding Projector's renderer, as its own README uses it, with the same points and no pictures.

import { Dataset, ScatterGL } from "scatter-gl";
import { measured } from "./measured.js";

const box = document.getElementById("box");
const features = await measured.features();
const scatter = new ScatterGL(box, { rotateOnStart: false, showLabelsOnHover: false, selectEnabled: false });
scatter.render(new Dataset(features));
performance.mark("points");
const plot = scatter.scatterPlot;
measured.frames(
  (angle) => {
    const camera = plot.camera;
    const far = Math.hypot(camera.position.x, camera.position.z);
    camera.position.x = far * Math.sin(angle);
    camera.position.z = far * Math.cos(angle);
    camera.lookAt(0, 0, 0);
    plot.render();
  },
  () => plot.renderer.getContext(),
);
