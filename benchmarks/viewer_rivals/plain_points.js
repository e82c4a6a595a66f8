// What three.js' documentation begins with: THREE.Points of one colour, with the same points and no pictures.

import { BufferAttribute, BufferGeometry, PerspectiveCamera, Points, PointsMaterial, Scene, WebGLRenderer } from "three-today";
import { measured } from "./measured.js";
import { normalise } from "./vectors.js";

const { rows } = normalise(new Float32Array((await measured.features()).flat()));
const renderer = new WebGLRenderer();
renderer.setSize(innerWidth, innerHeight);
document.getElementById("box").append(renderer.domElement);
const camera = new PerspectiveCamera(50, innerWidth / innerHeight, 0.01, 100);
const geometry = new BufferGeometry();
geometry.setAttribute("position", new BufferAttribute(rows, 3));
const scene = new Scene();
const { side, size } = measured;
scene.add(new Points(geometry, new PointsMaterial({ size: side || size, sizeAttenuation: !side })));
const draw = (angle) => {
  camera.position.set(2.5 * Math.sin(angle), 0, 2.5 * Math.cos(angle));
  camera.lookAt(0, 0, 0);
  renderer.render(scene, camera);
};
draw(0);
performance.mark("points");
measured.frames(draw, () => renderer.getContext());
