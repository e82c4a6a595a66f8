// The way to the module that collections of millions of pictures take, and others do without.

import { clipMatrix } from "./render/projection.js";
import { TilePoints } from "./render/tile_points.js";

/** A layout of which only some points are loaded, with the first of them there. Raises `ApiError`. */
export async function openTiled(viewer, collection, layout) {
  const { TiledCloud } = await import("./tiled.js");
  return TiledCloud.open(viewer, collection, layout, { TilePoints, clipMatrix });
}
