// The camera's moves: around the cloud, or through it; by mouse, touch and keys.

import { MOUSE, TOUCH, Vector3 } from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";

const FARTHEST = 50; // units: the camera goes no further
const GLIDE = 0.7; // seconds of a move
const SAME = 1e-3; // units by which a camera that is at rest may differ

const AHEAD = 0.05; // where a flying camera looks: so near that turning around it is turning the head

const KEYS = {
  KeyW: [0, 0, -1],
  KeyS: [0, 0, 1],
  KeyA: [-1, 0, 0],
  KeyD: [1, 0, 0],
  KeyE: [0, 1, 0],
  KeyQ: [0, -1, 0],
};
const TURNS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class CameraController {
  /** `invalidate` asks for a frame. */
  constructor(camera, canvas, invalidate) {
    this.camera = camera;
    this.canvas = canvas;
    this.invalidate = invalidate;
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.controls = new OrbitControls(camera, canvas);
    this.controls.enableDamping = !this.still;
    this.controls.dampingFactor = 0.12;
    this.controls.zoomToCursor = true;
    this.controls.minDistance = 0.01;
    this.controls.maxDistance = FARTHEST;
    this.controls.addEventListener("change", invalidate);
    this.held = new Set();
    this.flying = false;
    this.flat = false;
    this.glide = null;
    this.start = [0, 0, 3, 0, 0, 0]; // from where all is seen, once there is something
    this.home = this.start; // the same, where a panel was open
    canvas.addEventListener("keydown", (event) => this.keyDown(event));
    canvas.addEventListener("keyup", ({ code }) => this.held.delete(code));
    canvas.addEventListener("blur", () => this.held.clear());
    canvas.addEventListener("pointerdown", () => this.stop());
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.set(this.start);
  }

  /** Whether it is, or is on its way to, where all is seen: nobody has moved it since. */
  get isHome() {
    if (this.glide) return this.glide.to === this.home || this.glide.to === this.start;
    return [this.home, this.start].some((there) => this.get().every((value, at) => Math.abs(value - there[at]) < SAME));
  }

  keyDown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!(event.code in KEYS) && !(event.code in TURNS)) return;
    event.preventDefault();
    this.stop();
    this.held.add(event.code);
    if (event.shiftKey) this.held.add("Shift");
    else this.held.delete("Shift");
    this.invalidate();
  }

  wheel(event) {
    if (!this.flying) return;
    event.preventDefault();
    this.move(new Vector3(0, 0, Math.sign(event.deltaY) * 0.08));
    this.invalidate();
  }

  /** Fly, or look at the cloud from outside. */
  fly(on) {
    this.flying = on;
    this.controls.enableZoom = !on;
    const ahead = this.camera.getWorldDirection(new Vector3());
    const distance = on ? AHEAD : Math.max(this.camera.position.length(), 0.3);
    this.controls.target.copy(this.camera.position).addScaledVector(ahead, distance);
    this.controls.rotateSpeed = on ? -0.4 : 1;
    this.invalidate();
  }

  /** Look at the flat cloud from the front, and move along it; or turn freely. */
  plane(on) {
    this.flat = on;
    this.controls.enableRotate = !on;
    this.controls.mouseButtons.LEFT = on ? MOUSE.PAN : MOUSE.ROTATE;
    this.controls.touches.ONE = on ? TOUCH.PAN : TOUCH.ROTATE;
  }

  /** One frame's step. Returns whether there is more to come. */
  step(seconds) {
    if (this.glide) this.slide(seconds);
    if (this.held.size) this.pressed(seconds);
    const moved = this.controls.update();
    return moved || this.glide !== null || [...this.held].some((code) => code !== "Shift");
  }

  pressed(seconds) {
    const move = new Vector3();
    for (const code of this.held) if (KEYS[code]) move.add(new Vector3(...KEYS[code]));
    const speed = this.held.has("Shift") ? 2.4 : 0.8;
    const distance = this.flying ? 0.6 : Math.max(0.15, this.camera.position.distanceTo(this.controls.target));
    this.move(move.multiplyScalar(seconds * speed * distance));
    for (const code of this.held) if (TURNS[code]) this.turn(...TURNS[code], seconds * (speed > 1 ? 2 : 1));
  }

  /** Along the camera's own axes, with what it looks at. */
  move(step) {
    const along = step.applyQuaternion(this.camera.quaternion);
    this.camera.position.add(along);
    this.controls.target.add(along);
  }

  turn(right, down, angle) {
    if (this.flat) return this.move(new Vector3(right * angle, -down * angle, 0));
    const offset = this.camera.position.clone().sub(this.controls.target);
    const sense = this.flying ? -1 : 1;
    offset.applyAxisAngle(new Vector3(0, 1, 0), sense * right * angle);
    const side = new Vector3(1, 0, 0).applyQuaternion(this.camera.quaternion);
    const tilted = offset.clone().applyAxisAngle(side, sense * down * angle);
    const steep = Math.abs(tilted.y) / tilted.length() > 0.995;
    this.camera.position.copy(this.controls.target).add(steep ? offset : tilted);
    this.camera.lookAt(this.controls.target);
  }

  /** Position and target, six numbers. */
  get() {
    return [...this.camera.position.toArray(), ...this.controls.target.toArray()];
  }

  /** Where it glides to, or else where it is. */
  goal() {
    return this.glide?.to ?? this.get();
  }

  set(numbers) {
    this.stop();
    this.camera.position.fromArray(numbers);
    this.controls.target.fromArray(numbers, 3);
    this.camera.lookAt(this.controls.target);
    this.controls.update();
    this.invalidate();
  }

  /** The same, in a glide of so many seconds. */
  go(numbers, { seconds = GLIDE } = {}) {
    if (this.still) return this.set(numbers);
    this.glide = { from: this.get(), to: numbers, done: 0, seconds };
    this.invalidate();
  }

  /** Glide towards a point until it is at this distance, and so far right of and below the middle, of the distance. */
  approach(point, distance, [right, down]) {
    const target = new Vector3(...point);
    const back = this.camera.position.clone().sub(target);
    if (this.flat) back.set(0, 0, 1);
    back.setLength(Math.min(distance, Math.max(back.length(), 1e-3)));
    const eye = this.camera.clone();
    eye.position.copy(target).add(back);
    eye.lookAt(target);
    const aside = new Vector3(-right, down, 0).multiplyScalar(back.length()).applyQuaternion(eye.quaternion);
    this.go([...eye.position.add(aside).toArray(), ...target.add(aside).toArray()]);
  }

  /** Glide aside, so that what is looked at moves right and down by so many of the cloud's units. */
  shift(right, down) {
    const aside = new Vector3(-right, down, 0).applyQuaternion(this.camera.quaternion);
    const { target } = this.controls;
    this.go([...this.camera.position.clone().add(aside).toArray(), ...target.clone().add(aside).toArray()]);
  }

  slide(seconds) {
    const { from, to } = this.glide;
    this.glide.done = Math.min(1, this.glide.done + seconds / this.glide.seconds);
    const eased = ease(this.glide.done);
    const now = from.map((value, index) => value + (to[index] - value) * eased);
    this.camera.position.fromArray(now);
    this.controls.target.fromArray(now, 3);
    this.camera.lookAt(this.controls.target);
    if (this.glide.done >= 1) this.glide = null;
  }

  stop() {
    this.glide = null;
  }
}

export function ease(t) {
  return t < 0.5 ? 4 * t * t * t : 1 - (-2 * t + 2) ** 3 / 2;
}
