import { CLASSIFIER_FIGURES } from '../results/epochs.js';
import { figure, furtherTitle, rateText } from '../results/format.js';
import type { RunEvent } from '../results/records.js';

/** What is known of a running model. */
interface Running {
  job: string;
  model: string;
  learningRate: number;
  /** Epochs that were finished before it was started here. */
  before: number;
  epoch: number;
  step: number;
  steps: number;
  loss: number | null;
  samplesPerSecond: number | null;
  threads: number;
  startedAt: number;
}

/** What the progress lines of a run are made from. Times are in milliseconds. */
export interface Progress {
  models: number;
  epochs: number;
  done: number;
  failed: number;
  startedAt: number;
  /** Relative work of one epoch by model name. */
  costs: Readonly<Record<string, number>>;
  /** Work of the whole run in the same unit. */
  totalCost: number;
  finishedCost: number;
  running: Map<string, Running>;
}

/** A run's progress before its first event. */
export function newProgress(now: number): Progress {
  return {
    models: 0,
    epochs: 0,
    done: 0,
    failed: 0,
    startedAt: now,
    costs: {},
    totalCost: 0,
    finishedCost: 0,
    running: new Map(),
  };
}

/** Updates the progress by an event. */
export function updateProgress(progress: Progress, event: RunEvent, now: number): void {
  switch (event.type) {
    case 'run': {
      progress.costs = event.parameters;
      const costs = Object.values(event.parameters);
      progress.models = event.models;
      progress.epochs = event.epochs;
      progress.startedAt = now;
      progress.totalCost =
        (costs.reduce((sum, cost) => sum + cost, 0) / costs.length) * event.models * event.epochs;
      break;
    }
    case 'start': {
      const before = event.finished.length;
      // Epochs of a checkpoint are no work of this run; those that a restarted model has lost are trained again.
      const counted = (progress.running.get(event.job)?.epoch ?? 1) - 1;
      progress.totalCost -= costOf(progress, event.model) * (before - counted);
      progress.running.set(event.job, {
        job: event.job,
        model: event.model,
        learningRate: event.learningRate,
        before,
        epoch: before + 1,
        step: 0,
        steps: event.stepsPerEpoch,
        loss: null,
        samplesPerSecond: null,
        threads: 1,
        startedAt: now,
      });
      break;
    }
    case 'step':
      Object.assign(progress.running.get(event.job) ?? {}, {
        epoch: event.epoch,
        step: event.step,
        loss: event.loss,
        samplesPerSecond: event.samplesPerSecond,
        threads: event.threads,
      });
      break;
    case 'epoch':
      progress.finishedCost += costOf(progress, event.model);
      Object.assign(progress.running.get(event.job) ?? {}, { epoch: event.epoch + 1, step: 0 });
      break;
    case 'saved':
      progress.done += 1;
      progress.running.delete(event.job);
      break;
    case 'failed': {
      const running = progress.running.get(event.job);
      const epochsDone = running === undefined ? 0 : running.epoch - 1;
      progress.failed += 1;
      // The epochs that it will not train are taken off.
      progress.totalCost -= costOf(progress, event.model) * (progress.epochs - epochsDone);
      progress.running.delete(event.job);
      break;
    }
  }
}

/** The live lines: one for each running model and one for the whole, each at most `width` characters. */
export function liveLines(progress: Progress, now: number, width: number): string[] {
  const running = [...progress.running.values()];
  const nameWidth = Math.max(0, ...running.map((model) => nameOf(model).length));
  const lines = running.map((model) => fitted(modelParts(model, progress.epochs, nameWidth, now), width));
  return [...lines, fitted(wholeParts(progress, now), width)];
}

function modelParts(model: Running, epochs: number, nameWidth: number, now: number): string[] {
  const epoch = Math.min(model.epoch, epochs);
  const parts = [
    nameOf(model).padEnd(nameWidth),
    `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}`,
    `step ${String(model.step).padStart(String(model.steps).length)}/${model.steps}`,
    `loss ${model.loss === null ? '-'.padEnd(6) : figure(model.loss)}`,
  ];
  if (model.samplesPerSecond !== null) {
    parts.push(`${Math.round(model.samplesPerSecond).toLocaleString('en')} samples/s`);
    const done = (model.epoch - 1 - model.before) * model.steps + model.step;
    const share = done / ((epochs - model.before) * model.steps);
    parts.push(`left ${timeLeft((now - model.startedAt) / 1000, share)}`);
    parts.push(model.threads === 1 ? '1 thread' : `${model.threads} threads`);
  }
  return parts;
}

function wholeParts(progress: Progress, now: number): string[] {
  const elapsed = (now - progress.startedAt) / 1000;
  const parts = [`${progress.done} of ${progress.models} models done`];
  if (progress.failed > 0) parts.push(`${progress.failed} failed`);
  parts.push(`elapsed ${clock(elapsed)}`);
  const share = doneCost(progress) / progress.totalCost;
  if (share > 0) parts.push(`left ${timeLeft(elapsed, share)}`);
  return parts;
}

/** Time left, when a share (above 0) of the work took `elapsed` seconds. */
function timeLeft(elapsed: number, share: number): string {
  return clock((elapsed * (1 - Math.min(share, 1))) / share);
}

function doneCost(progress: Progress): number {
  const inEpoch = [...progress.running.values()].map(
    ({ model, step, steps }) => (costOf(progress, model) * step) / steps,
  );
  return inEpoch.reduce((sum, cost) => sum + cost, progress.finishedCost);
}

function costOf(progress: Progress, model: string): number {
  return progress.costs[model] ?? 1;
}

function nameOf({ job, model, learningRate }: { job: string; model: string; learningRate: number }): string {
  return `${model} ${rateText(learningRate)}${furtherTitle(job)}`;
}

/** Joins as many of the parts as fit, the first ones first; cuts the very first when it alone does not. */
export function fitted(parts: string[], width: number): string {
  const line = parts.reduce((whole, part) => {
    const longer = `${whole}  ${part}`;
    return longer.length <= width ? longer : whole;
  });
  return line.slice(0, Math.max(width, 0)).trimEnd();
}

/** Seconds as `m:ss`, from an hour on as `h:mm:ss`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const twoDigits = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${twoDigits(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${twoDigits(minutes % 60)}:${twoDigits(whole % 60)}`;
}

/** The lasting line of an event, without a line end; null for events that have none. */
export function eventLine(event: RunEvent, epochs: number): string | null {
  switch (event.type) {
    case 'run':
      return `Run ${event.id}${event.resumed ? ' resumed' : ''}: ${count(event.models, 'model')}, ${count(event.epochs, 'epoch')} each; build ${event.build}, ${count(event.jobs, 'job')} at once, ${count(event.threads, 'thread')}.`;
    case 'epoch':
      return [
        `${nameOf(event)}  epoch ${event.epoch}/${epochs}`,
        ...CLASSIFIER_FIGURES.map(
          ({ name, title }) => `${title[0]!.toLowerCase()}${title.slice(1)} ${figure(event[name])}`,
        ),
        `${event.seconds.toFixed(1)} s`,
      ].join('  ');
    case 'saved':
      if (event.weights.length === 0) {
        return `Trained ${event.job} (epoch ${event.kept.epoch}, validation macro-F1 ${figure(event.kept.valMacroF1)}).`;
      }
      return `Saved ${event.weights.join(' and ')} (epoch ${event.kept.epoch}, validation macro-F1 ${figure(event.kept.valMacroF1)}).`;
    case 'warning':
      return `Warning: ${event.message}`;
    case 'failed':
      return `Failed: ${event.message}`;
    case 'test':
      return `${nameOf(event)}  test accuracy ${figure(event.accuracy)}  macro-F1 ${figure(event.macroF1)}`;
    case 'ensemble':
      return `The mean of ${count(event.members.length, 'model')}  test accuracy ${figure(event.test.accuracy)}  macro-F1 ${figure(event.test.macroF1)}`;
    case 'done':
      return `Done in ${clock(event.seconds)}: ${event.results}${event.report === null ? '' : ` and ${event.report}`}.`;
    default:
      return null;
  }
}

/** A number of things: `1 model`, `3 models`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
