/** How fast a training may go: as it can, or an epoch a frame, so that each can be seen. */
export type Pace = 'free' | 'frame';

/** A frame that has not come after so many milliseconds is not waited for: the page is behind others, and nobody sees it. */
const LATE = 100;

/** Whether the last frame that was asked for is still to come. */
let isLate = false;

/** Resolves with the next frame, or at once where nobody sees the page: training goes on in a hidden tab. */
export function paced(): Promise<void> {
  if (document.hidden || isLate) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      document.removeEventListener('visibilitychange', done);
      clearTimeout(timer);
      resolve();
    };
    requestAnimationFrame(() => {
      isLate = false;
      done();
    });
    const timer = setTimeout(() => {
      isLate = true;
      done();
    }, LATE);
    document.addEventListener('visibilitychange', done);
  });
}
