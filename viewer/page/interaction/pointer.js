// The mouse, a finger or a pen over the cloud: what it hovers over, clicks, and draws around.

const STILL = 5; // pixels that a click may slip

export class Pointer {
  /** `hover(row, x, y)`, `click(row, x, y)` and `outline(points, added)` are told what happened. */
  constructor(viewer, { hover, click, outline, shape }) {
    /** @type {import("../viewer.js").Viewer} */
    this.viewer = viewer;
    this.hover = hover;
    this.click = click;
    this.outline = outline;
    this.shape = shape;

    this.tool = "move";
    this.position = null;
    this.due = false;
    this.down = null;
    this.points = null;
    const { canvas } = viewer;
    canvas.addEventListener("pointermove", (event) => this.moved(event));
    canvas.addEventListener("pointerdown", (event) => this.pressed(event));
    canvas.addEventListener("pointerup", (event) => this.released(event));
    canvas.addEventListener("pointercancel", () => this.abandon());
    canvas.addEventListener("pointerleave", () => this.left());
    viewer.addEventListener("frame", () => this.later());
  }

  /** "move", "lasso" or "box". */
  use(tool) {
    this.tool = tool;
    this.viewer.cameraController.controls.enabled = tool === "move";
    this.viewer.canvas.classList.toggle("drawing", tool !== "move");
    this.abandon();
  }

  moved(event) {
    const hovers = event.pointerType !== "touch"; // a finger covers what is below it
    this.position = hovers || this.points ? [event.offsetX, event.offsetY] : null;
    if (this.points) this.draw();
    else this.later();
  }

  pressed(event) {
    this.viewer.canvas.focus({ preventScroll: true });
    if (event.button !== 0 || !event.isPrimary) {
      this.down = null;
      return;
    }
    this.down = [event.offsetX, event.offsetY];
    if (this.tool === "move") return;
    this.viewer.canvas.setPointerCapture(event.pointerId);
    this.points = [this.down];
    this.hover(-1);
  }

  released(event) {
    const at = [event.offsetX, event.offsetY];
    const { down, points } = this;
    this.abandon();
    if (!down) return;
    // A lasso may end where it began.
    const still = [...(points ?? []), at].every(([x, y]) => Math.hypot(x - down[0], y - down[1]) < STILL);
    if (points && points.length > 2 && !still) this.outline(points, event.shiftKey);
    else if (still) this.click(this.viewer.rowAt(...at), ...at);
  }

  draw() {
    const [x, y] = this.position;
    if (this.tool === "box") {
      const [left, top] = this.down;
      this.points = [this.down, [x, top], [x, y], [left, y]];
    } else {
      this.points.push([x, y]);
    }
    this.shape(this.points);
  }

  abandon() {
    this.down = null;
    if (this.points) this.shape([]);
    this.points = null;
  }

  left() {
    this.position = null;
    this.hover(-1);
  }

  /** At most once a frame, however many events there are. */
  later() {
    if (this.due || !this.position) return;
    this.due = true;
    requestAnimationFrame(() => {
      this.due = false;
      if (!this.position || this.points) return;
      const dragged =
        this.down && Math.hypot(this.position[0] - this.down[0], this.position[1] - this.down[1]) >= STILL;
      this.hover(dragged || this.tool !== "move" ? -1 : this.viewer.rowAt(...this.position), ...this.position);
    });
  }
}
