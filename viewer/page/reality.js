// Virtual reality, where the browser shows it: a button, and the cloud around whoever presses it.

import { find } from "./dom.js";
import * as notes from "./notes.js";

export async function reality(stage) {
  if (!(await navigator.xr?.isSessionSupported("immersive-vr").catch(() => false))) return;
  const button = find("vr");
  button.hidden = false;
  button.addEventListener("click", () => enter(stage).catch(notes.complain));
}

async function enter(stage) {
  const { renderer } = stage.cloud;
  const session = await navigator.xr.requestSession("immersive-vr", { optionalFeatures: ["local-floor"] });
  session.addEventListener("end", () => {
    renderer.setAnimationLoop(null);
    renderer.xr.enabled = false;
    stage.resize();
    stage.invalidate();
  });
  renderer.xr.enabled = true;
  await renderer.xr.setSession(session);
  renderer.setAnimationLoop(() => stage.draw());
}
