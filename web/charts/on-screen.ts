/** How long what nobody sees may be out of date, in milliseconds. */
const UNSEEN = 1000;

/** Resolves with the next frame for what is on the screen, or nearly; for what is not, when it comes there or after a second. */
export function onScreen(element: Element): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      observer.disconnect();
      clearTimeout(timer);
      resolve();
    };
    const observer = new IntersectionObserver(
      (entries) => entries.some(({ isIntersecting }) => isIntersecting) && done(),
      { rootMargin: '150px' },
    );
    observer.observe(element);
    const timer = setTimeout(done, UNSEEN);
  });
}
