/** Resolves when the card has drawn what it was asked for: calls return long before. */
export function allDrawn(gl) {
  const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
  gl.flush();
  return /** @type {Promise<void>} */ (
    new Promise((resolve) => {
      const look = () => {
        if (gl.isContextLost() || gl.getSyncParameter(fence, gl.SYNC_STATUS) === gl.SIGNALED) resolve();
        else setTimeout(look, 4);
      };
      look();
    })
  ).finally(() => gl.deleteSync(fence));
}
