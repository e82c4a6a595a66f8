// Virtual reality, where the browser shows it: a button, and the cloud before whoever presses it.

import { find } from "./dom.js";
import * as notes from "./notes.js";

const HIGH = 1.4; // metres above the floor, or, where no floor is known, at the height of the eyes

export async function reality(stage) {
  if (!(await navigator.xr?.isSessionSupported("immersive-vr").catch(() => false))) return;
  stage.cloud.renderer.xr.addEventListener("sessionend", () => left(stage));
  const button = find("vr");
  button.hidden = false;
  button.addEventListener("click", () => enter(stage).catch(notes.complain));
}

async function enter(stage) {
  const { renderer } = stage.cloud;
  const session = await navigator.xr.requestSession("immersive-vr", { optionalFeatures: ["local-floor"] });
  const floor = session.enabledFeatures?.includes("local-floor") ?? true;
  stage.cloud.stand(floor ? HIGH : 0);
  renderer.xr.enabled = true;
  renderer.xr.setReferenceSpaceType(floor ? "local-floor" : "local");
  await renderer.xr.setSession(session);
  renderer.setAnimationLoop(() => stage.draw());
}

function left(stage) {
  const { renderer } = stage.cloud;
  renderer.setAnimationLoop(null);
  renderer.xr.enabled = false;
  stage.resize();
  stage.invalidate();
}
