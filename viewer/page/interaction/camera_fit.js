// From where all of a cloud is seen: the arithmetic of a camera that looks straight ahead.

const NEAREST = 1; // units from the middle: a few pictures need not fill the page

/**
 * The camera's `[x, y, z]`, which looks along −z and sees every picture of every view whole, from as near as that is
 * possible. A view is `{ rows, depth, half, left, right, top, bottom }`: a layout, `(n, 3)`; 0 where it is flat, else 1;
 * half of a picture's side; and the edges of what is free for it, as a distance of 1 sees them from the pane's middle, up
 * being more.
 */
export function fitCamera(views) {
  const across = views.map(({ rows, depth, half, left, right }) => extentOf(rows, 0, depth, half, left, right));
  const up = views.map(({ rows, depth, half, bottom, top }) => extentOf(rows, 1, depth, half, bottom, top));
  const z = Math.max(NEAREST, needed(across), needed(up));
  return [middle(across, z), middle(up, z), z];
}

/** The camera at a distance d must lie between `most` − `high` · d and `least` − `low` · d. */
function extentOf(rows, axis, depth, half, low, high) {
  let most = -Infinity;
  let least = Infinity;
  for (let at = 0; at < rows.length; at += 3) {
    const value = rows[at + axis];
    const z = rows[at + 2] * depth;
    most = Math.max(most, value + half + high * z);
    least = Math.min(least, value - half + low * z);
  }
  return { most, least, low, high };
}

function needed(views) {
  const distances = views.flatMap(({ most, high }) => views.map(({ least, low }) => (most - least) / (high - low)));
  return Math.max(...distances);
}

function middle(views, distance) {
  const from = Math.max(...views.map(({ most, high }) => most - high * distance));
  const to = Math.min(...views.map(({ least, low }) => least - low * distance));
  return (from + to) / 2;
}
