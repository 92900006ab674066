import { TreadleError } from '#bindings';
import { throwIfAborted } from '../../strict/abort.js';
import { featuresOf } from '../encoder.js';
import type { Table } from '../table.js';
import type { Candidate } from './candidates.js';
import type { Crew } from './crew.js';
import { divided, encodePart, fitOptionsOf, type PartData, specOf } from './parts.js';
import type { Plan, SearchOptions } from './plan.js';
import type { CandidateRecord, SearchEvent, TrialRecord } from './records.js';
import { compareScores, spreadOf } from './scores.js';
import type { TrialStore } from './store.js';
import {
  type Placed,
  runTrial,
  type SearchWorker,
  type Trial,
  type TrialContext,
  type TrialOutcome,
} from './trial.js';

/** One training of a rung. */
interface RungTask {
  candidate: Candidate;
  part: number;
  seed: number;
  until: number;
  /** Under which its record is kept. */
  name: string;
}

/** A search that goes on: its candidates climb from rung to rung. */
export class Search {
  readonly #records = new Map<string, TrialRecord>();
  readonly #halvedAt = new Map<string, number>();

  constructor(
    readonly plan: Plan,
    readonly store: TrialStore,
    readonly crew: Crew,
    readonly emit: (event: SearchEvent) => void,
    readonly signal: SearchOptions['signal'],
  ) {}

  /** Trains all candidates rung by rung; gives them the best first. */
  async candidates(): Promise<CandidateRecord[]> {
    const { candidates, rungs, parts, seeds, score, fit } = this.plan;
    let left = candidates;
    const most = Math.max(...candidates.map(({ settings }) => fitOptionsOf(fit, settings).epochs));
    this.emit({
      type: 'search',
      candidates: candidates.length,
      trainings: parts.length * seeds.length,
      rungs: rungs.map(({ epochs }, at) => ({
        epochs: Math.min(epochs, most),
        candidates: at === 0 ? candidates.length : rungs[at - 1]!.kept,
      })),
      score,
    });
    for (const message of this.plan.warnings) this.emit({ type: 'warning', message });
    for (const [at, { epochs, kept }] of rungs.entries()) {
      const isLast = at === rungs.length - 1;
      this.emit({ type: 'rung', rung: at + 1, candidates: left.length, epochs: Math.min(epochs, most) });
      await this.#climb(left, epochs, at);
      const ranked = this.#ranked(left);
      if (ranked.every(({ scores }) => scores === null)) throw failureOf(ranked[0]!);
      if (isLast) break;
      const going = new Set(
        ranked
          .filter(({ scores }) => scores !== null)
          .slice(0, kept)
          .map(({ id }) => id),
      );
      for (const candidate of left) {
        if (going.has(candidate.id)) continue;
        this.#halvedAt.set(candidate.id, at + 1);
        for (const task of this.#tasks(candidate, epochs, at))
          await this.store.dropCheckpoint(this.#id(task));
      }
      left = left.filter(({ id }) => going.has(id));
    }
    return this.#ranked(candidates);
  }

  /** Trains the model of a candidate on all rows but those that end its training. */
  async final(table: Table, { id, settings }: Candidate) {
    const data = encodePart(divided(table, this.plan.division), this.plan.asked, this.plan.whole);
    const [seed] = this.plan.seeds;
    const trial = this.#trial('final', data, settings, seed!, Number.POSITIVE_INFINITY);
    const outcomes: TrialOutcome[] = [];
    await this.crew.run(
      [{ part: -1 }],
      () => data,
      async (_, __, placed, worker) => {
        outcomes.push(await runTrial(trial, placed, worker, this.#context));
      },
    );
    const { bytes, ...found } = outcomes[0]!;
    const record: TrialRecord = {
      id: 'final',
      candidate: id,
      fold: null,
      seed: seed!,
      rows: data.rows,
      ...found,
    };
    this.emit({ type: 'trial', record });
    return { record, data, bytes };
  }

  /** Trains candidates up to a number of epochs: part by part, so that few are held at a time. */
  async #climb(candidates: readonly Candidate[], until: number, rung: number): Promise<void> {
    const all = candidates.flatMap((candidate) => this.#tasks(candidate, until, rung));
    const tasks: RungTask[] = [];
    for (const task of all) {
      const id = this.#id(task);
      const before = this.#records.get(id);
      // What has ended by itself has nothing to train on any rung above.
      if (before !== undefined && before.ended !== 'halved') continue;
      const known = await this.store.record(task.name);
      if (known === null) tasks.push(task);
      else this.#hear(known);
    }
    tasks.sort((a, b) => a.part - b.part);
    const { parts, asked, whole } = this.plan;
    await this.crew.run(
      tasks,
      (part) => encodePart(parts[part]!(), asked, whole),
      async (task, data, placed, worker) => {
        throwIfAborted(this.signal, 'The search');
        const id = this.#id(task);
        const trial = this.#trial(id, data, task.candidate.settings, task.seed, until);
        const record = { ...this.#blank(task, data), ...(await this.#outcome(trial, placed, worker)) };
        await this.store.keepRecord(task.name, record);
        if (record.ended !== 'halved') await this.store.dropCheckpoint(id);
        this.#hear(record);
      },
    );
  }

  /** What a trial came to; a training that cannot succeed is the candidate's failure, the others go on. */
  async #outcome(trial: Trial, placed: Placed, worker: SearchWorker) {
    try {
      const { bytes: _, ...found } = await runTrial(trial, placed, worker, this.#context);
      return found;
    } catch (error) {
      if (!(error instanceof TreadleError) || !['diverged', 'range'].includes(error.code)) throw error;
      return { ended: 'failed', error: error.message } as const;
    }
  }

  #hear(record: TrialRecord): void {
    this.#records.set(record.id, record);
    this.emit({ type: 'trial', record });
  }

  #tasks(candidate: Candidate, until: number, rung: number): RungTask[] {
    const { parts, seeds } = this.plan;
    return parts.flatMap((_, part) =>
      seeds.map((seed) => {
        const task = { candidate, part, seed, until, name: '' };
        return { ...task, name: `${this.#id(task)}-r${rung + 1}` };
      }),
    );
  }

  #id({ candidate, part, seed }: Pick<RungTask, 'candidate' | 'part' | 'seed'>): string {
    const { folds, seeds } = this.plan;
    return `${candidate.id}${folds === null ? '' : `-f${part + 1}`}${seeds.length === 1 ? '' : `-s${seed}`}`;
  }

  #blank(task: RungTask, data: PartData): TrialRecord {
    return {
      id: this.#id(task),
      candidate: task.candidate.id,
      fold: this.plan.folds === null ? null : task.part + 1,
      seed: task.seed,
      rows: data.rows,
      epochs: [],
      kept: null,
      ended: 'failed',
      scores: null,
    };
  }

  #trial(
    id: string,
    { encoder }: PartData,
    settings: Candidate['settings'],
    seed: number,
    until: number,
  ): Trial {
    const { fit, hidden } = this.plan;
    const spec = specOf(encoder, featuresOf(encoder.columns), settings.hidden ?? hidden, settings);
    return { id, spec, seed, fit: { ...fitOptionsOf(fit, settings), seed }, until };
  }

  get #context(): TrialContext {
    return {
      store: this.store,
      model: this.plan.model,
      ...(this.signal && { signal: this.signal }),
      onStart: ({ id, fit: { epochs }, until }, finished) =>
        this.emit({ type: 'start', trial: id, finished, epochs: Math.min(epochs, until) }),
      onEpoch: ({ id }, figures) => this.emit({ type: 'epoch', trial: id, figures }),
    };
  }

  /** Those given up stand behind the others, as they were trained less; each sort by score. */
  #ranked(candidates: readonly Candidate[]): CandidateRecord[] {
    const { score } = this.plan;
    const rung = ({ halvedAt }: CandidateRecord) => halvedAt ?? Number.POSITIVE_INFINITY;
    return candidates
      .map((candidate) => this.#candidate(candidate))
      .sort((a, b) => {
        if (a.scores === null || b.scores === null)
          return Number(a.scores === null) - Number(b.scores === null);
        return (
          (rung(a) === rung(b) ? 0 : rung(b) - rung(a)) ||
          compareScores(score, a.scores[score]!.mean, b.scores[score]!.mean) ||
          compareScores('loss', a.scores.loss!.mean, b.scores.loss!.mean)
        );
      });
  }

  #candidate(candidate: Candidate): CandidateRecord {
    const trials = this.#tasks(candidate, 0, 0).map((task) => this.#records.get(this.#id(task))!);
    const found = trials.flatMap(({ scores }) => (scores === null ? [] : [scores]));
    return {
      ...candidate,
      scores: found.length < trials.length ? null : spreadOf(found),
      halvedAt: this.#halvedAt.get(candidate.id) ?? null,
      trials,
    };
  }
}

function failureOf({ trials }: CandidateRecord): TreadleError {
  const message = trials.find(({ error }) => error !== undefined)!.error!;
  const sentence = `No candidate could be trained. ${message}`;
  return new TreadleError('diverged', sentence, {
    subject: 'the candidates',
    found: message,
    expected: 'one that trains',
  });
}
