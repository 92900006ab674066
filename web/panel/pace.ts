/** How fast a training may go: as it can, or an epoch a frame, so that each can be seen. */
export type Pace = 'free' | 'frame';

/** Resolves with the next frame, or at once where nobody sees the page: training goes on in a hidden tab. */
export function paced(): Promise<void> {
  if (document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      document.removeEventListener('visibilitychange', done);
      cancelAnimationFrame(frame);
      resolve();
    };
    const frame = requestAnimationFrame(done);
    document.addEventListener('visibilitychange', done);
  });
}
