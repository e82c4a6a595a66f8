// Pauses before something is tried again.

/**
 * As `setTimeout`, for a timer that stands for a pause while it is not 0. In a document that the browser has left,
 * `setTimeout` returns 0 and nothing ever follows, while each `fetch` fails at once: who took that for no pause would try
 * again without end, and keep the thread from all other documents of the tab.
 */
export function later(milliseconds, act) {
  return setTimeout(act, milliseconds) || -1;
}
