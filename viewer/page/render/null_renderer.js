// A renderer that draws nothing, for browsers without WebGL 2.

/** Stands in for three.js's renderer where there is none: takes what it is given and draws nothing. */
export class NullRenderer {
  constructor() {
    this.xr = { isPresenting: false, addEventListener() {} };
    this.extensions = { has: () => false };
    this.context = {
      ALIASED_POINT_SIZE_RANGE: "points",
      getParameter: (name) => (name === "points" ? [1, 64] : 512),
      fenceSync: () => null,
      flush() {},
      isContextLost: () => true, // so that nobody waits for what it draws
      deleteSync() {},
    };
    for (const name of NOTHING) this[name] = () => {};
  }

  getContext() {
    return this.context;
  }

  getPixelRatio() {
    return 1;
  }

  getSize(vector) {
    return vector.set(1, 1);
  }
}

const NOTHING = [
  ...["clear", "compile", "copyTextureToTexture", "render", "setAnimationLoop", "setClearColor", "setPixelRatio"],
  ...["setScissor", "setScissorTest", "setSize", "setViewport"],
];
