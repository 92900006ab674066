import { sentenceOf } from '../../app/problems.ts';
import type { Answer, Call } from './messages.ts';
import { service } from './service.ts';

/** Does what has to do with tables beside the page's own thread. */
self.onmessage = async ({ data: { id, method, args } }: MessageEvent<Call>) => {
  let answer: Answer;
  try {
    answer = { id, value: await (service[method] as (...args: unknown[]) => unknown)(...args) };
  } catch (error) {
    answer = { id, problem: sentenceOf(error) };
  }
  postMessage(answer);
};
