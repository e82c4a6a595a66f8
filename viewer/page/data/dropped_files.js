// Files that were dropped or chosen, and where they lay.

const paths = new WeakMap(); // of files that were dropped in a folder

/** Where a file lies in the folder that was chosen or dropped, `folder/…/name`; its name where there is none. */
export function pathOf(file) {
  return paths.get(file) ?? (file.webkitRelativePath || file.name);
}

/** What an upload of these files is called: as their folder is, or by the date. */
export function nameOf(files, otherwise) {
  const tops = new Set(files.map((file) => pathOf(file).split("/").slice(0, -1)[0]));
  return (tops.size === 1 && [...tops][0]) || otherwise;
}

/** Everything in a drop, folders included → `[File]`. Must be called while the event is handled. */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  return (await Promise.all(entries.map(walk))).flat();
}

async function walk(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    paths.set(file, entry.fullPath.replace(/^\//, ""));
    return [file];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!batch.length) return (await Promise.all(found.map(walk))).flat();
    found.push(...batch);
  }
}
