// Virtual reality, where the browser shows it: a button, and the cloud before whoever presses it.

const HIGH = 1.4; // metres above the floor, or, where no floor is known, at the height of the eyes

/** Offer it by `button`, if it can be had; `failed(error)` when it could not be entered. */
export async function offerVirtualReality(viewer, button, failed) {
  if (!(await navigator.xr?.isSessionSupported("immersive-vr").catch(() => false))) return;
  viewer.cloud.renderer.xr.addEventListener("sessionend", () => left(viewer));
  button.hidden = false;
  button.addEventListener("click", () => enter(viewer).catch(failed));
}

async function enter(viewer) {
  const { renderer } = viewer.cloud;
  const session = await navigator.xr.requestSession("immersive-vr", { optionalFeatures: ["local-floor"] });
  const floor = session.enabledFeatures?.includes("local-floor") ?? true;
  viewer.cloud.standBefore(floor ? HIGH : 0);
  renderer.xr.enabled = true;
  renderer.xr.setReferenceSpaceType(floor ? "local-floor" : "local");
  await renderer.xr.setSession(session);
  renderer.setAnimationLoop(() => viewer.draw());
}

function left(viewer) {
  const { renderer } = viewer.cloud;
  renderer.setAnimationLoop(null);
  renderer.xr.enabled = false;
  viewer.resize();
  viewer.invalidate();
}
