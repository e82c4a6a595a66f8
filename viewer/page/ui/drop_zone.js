// Files that are dropped anywhere on the page.

import { dropped } from "../data/dropped_files.js";
import { isPicture } from "../data/upload_files.js";
import { find } from "./dom.js";

/** `take(files)` what is dropped; `similar(file)`, unless it is null, a picture that is dropped on the search. */
export function acceptDrops({ take, similar }) {
  let inside = 0; // elements that were entered and not left
  const drag = (event, step) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    inside += step;
    find("drop").hidden = inside <= 0;
  };
  window.addEventListener("dragenter", (event) => drag(event, 1));
  window.addEventListener("dragleave", (event) => drag(event, -1));
  window.addEventListener("dragover", (event) => event.preventDefault());
  window.addEventListener("drop", async (event) => {
    event.preventDefault();
    inside = 0;
    find("drop").hidden = true;
    const onSearch = /** @type {any} */ (event.target).closest?.("#search");
    const files = await dropped(event.dataTransfer);
    const picture = files.find(isPicture);
    if (onSearch && picture && similar) similar(picture);
    else if (files.length) take(files);
  });
}
