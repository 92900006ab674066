import { figure } from '../results/format.js';
import type { SearchEvent, TrialRecord } from '../table/search/records.js';
import { type ScoreName, scoreOf } from '../table/search/scores.js';
import { clock, count, fitted } from './progress.js';
import type { Show } from './terminal.js';

/** What is known of a running training. */
interface Running {
  trial: string;
  epoch: number;
  epochs: number;
  valLoss: number | null;
}

/** What is shown of a search; `now` tells the time in milliseconds. */
export function searchShow(now: () => number): Show<SearchEvent> {
  const started = now();
  const running = new Map<string, Running>();
  let begun: Extract<SearchEvent, { type: 'search' }> | null = null;
  let rung = { at: 0, trainings: 0, done: 0 };
  const line = (event: SearchEvent): string | null => {
    switch (event.type) {
      case 'search':
        return `Search: ${count(event.candidates, 'candidate')}, ${count(event.trainings, 'training')} each, compared by ${event.score}.`;
      case 'rung':
        if (begun!.rungs.length === 1) return null;
        return `Rung ${event.rung} of ${begun!.rungs.length}: ${count(event.candidates, 'candidate')}, up to ${count(event.epochs, 'epoch')}.`;
      case 'trial':
        return trialLine(event.record, begun!.score);
      case 'warning':
        return `Warning: ${event.message}`;
      case 'best':
        return begun!.candidates === 1 ? null : `The best is ${event.candidate}: its model is trained.`;
      default:
        return null;
    }
  };
  return {
    hear(event) {
      if (event.type === 'search') begun = event;
      if (event.type === 'rung') {
        rung = { at: event.rung, trainings: event.candidates * begun!.trainings, done: 0 };
      }
      if (event.type === 'start') {
        const { trial, epochs, finished } = event;
        running.set(trial, { trial, epochs, epoch: finished + 1, valLoss: null });
      }
      if (event.type === 'epoch') {
        const { epoch, valLoss } = event.figures;
        Object.assign(running.get(event.trial) ?? {}, { epoch: epoch + 1, valLoss: valLoss ?? null });
      }
      if (event.type === 'trial') {
        running.delete(event.record.id);
        rung.done += 1;
      }
    },
    line,
    lasting: (event) => (event.type === 'trial' ? null : line(event)),
    lines(width) {
      if (begun === null) return [];
      const whole = [
        `${Math.min(rung.done, rung.trainings)} of ${rung.trainings} trainings done`,
        ...(begun.rungs.length > 1 ? [`rung ${rung.at} of ${begun.rungs.length}`] : []),
        `elapsed ${clock((now() - started) / 1000)}`,
      ];
      return [...running.values()].map((one) => fitted(partsOf(one), width)).concat(fitted(whole, width));
    },
  };
}

function partsOf({ trial, epoch, epochs, valLoss }: Running): string[] {
  return [trial, `epoch ${Math.min(epoch, epochs)}/${epochs}`, `val loss ${figure(valLoss)}`];
}

function trialLine(record: TrialRecord, score: ScoreName): string {
  if (record.scores === null) return `Failed: ${record.id}. ${record.error}`;
  const found = scoreOf(record.scores, score);
  const value = `${score} ${figure(Number.isNaN(found) ? null : found)}`;
  return `Trained ${record.id}: ${count(record.epochs.length, 'epoch')}, ${value}, loss ${figure(record.scores.loss)}.`;
}
