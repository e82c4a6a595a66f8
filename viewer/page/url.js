// What is looked at, written into the address: it can be sent to somebody, or opened again.

const MOST_CHOSEN = 400; // rows: longer addresses are cut by mail programs

export function read() {
  const query = new URLSearchParams(location.search);
  const camera = (query.get("camera") ?? "").split(",").map(Number);
  const chosen = (query.get("selected") ?? "")
    .split(".")
    .filter(Boolean)
    .map((part) => parseInt(part, 36));
  let last = 0;
  return {
    dataset: query.get("dataset") ?? "",
    reducer: query.get("view") ?? "",
    split: query.get("beside") ?? "",
    mode: query.get("as") ?? "pictures",
    space: query.get("move") ?? "orbit",
    among: query.get("among") === "catalogue",
    camera: camera.length === 6 && camera.every(Number.isFinite) ? camera : null,
    picture: query.has("picture") ? Number(query.get("picture")) : -1,
    chosen: chosen.every(Number.isInteger) ? chosen.map((step) => (last += step)) : [],
  };
}

export function write(state, { push = false } = {}) {
  const query = new URLSearchParams();
  const put = (name, value, usual) => value && value !== usual && query.set(name, value);
  put("dataset", state.dataset);
  put("view", state.reducer, state.firstReducer);
  put("beside", state.split);
  put("as", state.mode, "pictures");
  put("move", state.space, "orbit");
  put("among", state.among && "catalogue");
  if (state.camera) query.set("camera", state.camera.map((value) => Number(value.toFixed(4))).join(","));
  if (state.picture >= 0) query.set("picture", state.picture);
  if (state.chosen.length && state.chosen.length <= MOST_CHOSEN) {
    const rows = [...state.chosen].sort((a, b) => a - b);
    query.set("selected", rows.map((row, at) => (row - (rows[at - 1] ?? 0)).toString(36)).join("."));
  }
  const text = query.toString().replaceAll("%2C", ",");
  const address = text ? `?${text}` : location.pathname;
  if (push) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}
