// What both rivals are given, and how their frames are timed: until the drawing is done, not only asked for.

const query = new URLSearchParams(location.search);

export const measured = {
  side: Number(query.get("side")), // pixels
  size: Number(query.get("size")), // or of the cloud's units

  async features() {
    return (await (await fetch(query.get("points"))).json()).features;
  },

  frames(draw, context) {
    const gl = context();
    const pixel = new Uint8Array(4);
    window.frameTimes = (count) => {
      const times = [];
      for (let frame = 0; frame < count; frame++) {
        const began = performance.now();
        draw(0.03 * frame);
        gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
        times.push(performance.now() - began);
      }
      return times;
    };
  },
};
