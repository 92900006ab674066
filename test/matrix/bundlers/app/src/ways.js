/** Options of createModel for each way to train in a page. */
export const WAYS = {
  page: () => ({}),
  worker: () => ({ worker: true }),
  threads: () => ({ worker: true, threads: 2 }),
};
