// Virtual reality, where the browser shows it: a button, and the cloud before whoever presses it.

import { IN_FRONT } from "./cloud.js";
import { find } from "./dom.js";
import * as notes from "./notes.js";

const HIGH = 1.4; // metres above the floor, or, where no floor is known, at the height of the eyes

export async function reality(stage) {
  if (!(await navigator.xr?.isSessionSupported("immersive-vr").catch(() => false))) return;
  const { xr } = stage.cloud.renderer;
  xr.addEventListener("sessionstart", () => place(xr));
  xr.addEventListener("sessionend", () => left(stage));
  const button = find("vr");
  button.hidden = false;
  button.addEventListener("click", () => enter(stage).catch(notes.complain));
}

async function enter(stage) {
  const { renderer } = stage.cloud;
  const session = await navigator.xr.requestSession("immersive-vr", { optionalFeatures: ["local-floor"] });
  const floor = session.enabledFeatures?.includes("local-floor") ?? true;
  renderer.xr.enabled = true;
  renderer.xr.setReferenceSpaceType(floor ? "local-floor" : "local");
  await renderer.xr.setSession(session);
  renderer.setAnimationLoop(() => stage.draw());
}

/** The cloud's middle, which is the origin, lies in front of the eyes. */
function place(xr) {
  const space = xr.getReferenceSpace();
  const floor = xr.getSession().enabledFeatures?.includes("local-floor") ?? true;
  const origin = { x: 0, y: floor ? HIGH : 0, z: -IN_FRONT };
  xr.setReferenceSpace(space.getOffsetReferenceSpace(new XRRigidTransform(origin)));
}

function left(stage) {
  const { renderer } = stage.cloud;
  renderer.setAnimationLoop(null);
  renderer.xr.enabled = false;
  stage.resize();
  stage.invalidate();
}
