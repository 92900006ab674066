import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { BUILD_NAMES, ERROR_CODES, MAX_WIDTH } from '#bindings';
import { CHECKS } from '../experiment/checks.js';
import { dropout, hidden, learningRate } from '../experiment/settings.js';
import { formatError } from '../formats/tensor.js';
import { CLASSIFIER_FIGURES } from '../results/epochs.js';
import { jobId } from '../results/job-id.js';
import type { Job, RunEvent } from '../results/records.js';
import { type JsonLimits, structureProblem } from '../strict/json.js';
import { quote } from '../strict/text.js';
import { count, id, name, notNegative, number, positive } from '../strict/values.js';

// Everything that comes out of Redis is from strangers: each record is one line of JSON of a strict form.

const text = (most: number) =>
  v.pipe(v.string('a text'), v.maxLength(most, `a text of at most ${most} characters`));
const upTo = ([least, most]: readonly [number, number]) =>
  v.pipe(count, v.minValue(least, `at least ${least}`), v.maxValue(most, `at most ${most}`));
const sha256 = v.pipe(v.string('a SHA-256'), v.regex(/^[0-9a-f]{64}$/, 'a SHA-256 of 64 hex digits'));
const spec = v.strictObject({
  inputs: upTo([1, MAX_WIDTH]),
  hidden,
  classes: upTo([2, 256]),
  dropout,
  shape: v.optional(v.pipe(v.array(upTo([1, MAX_WIDTH]), 'a list'), v.maxLength(3, 'at most 3 sizes'))),
});

const job = v.strictObject({
  id,
  model: name,
  learningRate,
  pass: CHECKS.passes,
  schedule: CHECKS.schedule,
  spec,
  epochs: CHECKS.epochs,
  batchSize: CHECKS.batchSize,
  augment: CHECKS.augment,
  seed: CHECKS.seed,
  keep: CHECKS.keep,
  build: v.picklist(BUILD_NAMES, `one of ${BUILD_NAMES.join(', ')}`),
  from: v.nullable(sha256),
  parent: v.nullable(id),
});

/** A job as it travels: with the run that it is of. */
const JobRecord = v.strictObject({ schema: v.literal(1, 'schema 1'), run: id, job });

const dataFile = v.strictObject({ sha256, bytes: upTo([8, 2 ** 30]) });

/** What workers have to know of a run, and agree to. */
const QueuedRun = v.strictObject({
  schema: v.literal(1, 'schema 1'),
  run: id,
  /** The version of treadle, the build of the core and the SHA-256 of its binary. */
  treadle: text(64),
  build: v.picklist(BUILD_NAMES, `one of ${BUILD_NAMES.join(', ')}`),
  core: sha256,
  /** Where checkpoints and results are kept. */
  store: text(1024),
  /** The two IDX files that are trained on, and the number of classes. */
  data: v.strictObject({ images: dataFile, labels: dataFile, classes: upTo([2, 256]) }),
  split: v.strictObject({
    validationSize: CHECKS.validationSize,
    trainSamples: CHECKS.trainSamples,
    seed: CHECKS.seed,
  }),
  /** How many jobs it has, and the SHA-256 of their records. */
  jobs: positive,
  digest: sha256,
  /** Milliseconds since 1970. */
  created: count,
});

const FIGURES = Object.fromEntries(CLASSIFIER_FIGURES.map(({ name }) => [name, number])) as Record<
  (typeof CLASSIFIER_FIGURES)[number]['name'],
  typeof number
>;
const epoch = { epoch: positive, ...FIGURES, seconds: notNegative };
const model = { job: id, model: name, learningRate };

const event = v.variant('type', [
  v.strictObject({
    type: v.literal('start'),
    ...model,
    epochs: positive,
    stepsPerEpoch: count,
    finished: v.array(v.strictObject(epoch), 'a list of epochs'),
  }),
  v.strictObject({ type: v.literal('epoch'), ...model, threads: positive, ...epoch }),
  v.strictObject({
    type: v.literal('step'),
    job: id,
    epoch: positive,
    step: count,
    steps: count,
    loss: number,
    samplesPerSecond: notNegative,
    threads: positive,
  }),
  v.strictObject({ type: v.literal('warning'), job: id, message: text(2000) }),
]);

/** Something that happened at a worker. `attempt` counts how often the job was begun. */
const EventRecord = v.union([
  v.strictObject({ attempt: count, worker: text(200), event }),
  /** The job has ended: what it ended with is in the queue. */
  v.strictObject({ attempt: count, worker: text(200), ended: id }),
]);

/** What a job that ended well leaves in the queue: where its weights are. */
const Outcome = v.strictObject({ schema: v.literal(1, 'schema 1'), attempt: positive });

/** What one that did not leaves there. */
const Failure = v.strictObject({ code: v.picklist(ERROR_CODES, 'a code of errors'), message: text(4000) });

/** What a worker says of itself. */
const WorkerRecord = v.strictObject({
  worker: text(200),
  treadle: text(64),
  jobs: count,
  threads: positive,
  /** Samples a second of all it trains. */
  samplesPerSecond: notNegative,
  running: v.pipe(
    v.array(v.strictObject({ run: id, job: id }), 'a list of jobs'),
    v.maxLength(1024, 'at most 1024 jobs'),
  ),
  at: count,
});

/** The forms of records, by what they are called in errors. */
const FORMS = {
  'The record of a job': { form: JobRecord, limits: { depth: 5, values: 1000 } },
  'The record of a run': { form: QueuedRun, limits: { depth: 4, values: 100 } },
  'The record of an event': { form: EventRecord, limits: { depth: 5, values: 4_000_000 } },
  'The outcome of a job': { form: Outcome, limits: { depth: 1, values: 10 } },
  'The failure of a job': { form: Failure, limits: { depth: 1, values: 10 } },
  'The record of a worker': { form: WorkerRecord, limits: { depth: 3, values: 5000 } },
} as const satisfies Record<string, { form: v.GenericSchema; limits: JsonLimits }>;

/** The longest record that is read. An event that lists a hundred thousand epochs is the longest that there is. */
const MAX_CHARACTERS = 2 ** 25;

/** A job with the run that it is of. */
export type JobRecord = { schema: 1; run: string; job: Job };
/** See the schema of the same name. */
export type QueuedRun = v.InferOutput<typeof QueuedRun>;
/** See the schema of the same name. */
export type WorkerRecord = v.InferOutput<typeof WorkerRecord>;
/** Something that happened at a worker. */
export type EventRecord =
  | { attempt: number; worker: string; event: WorkerEvent }
  | { attempt: number; worker: string; ended: string };
/** The events that workers send. */
export type WorkerEvent = Extract<RunEvent, { type: 'start' | 'epoch' | 'step' | 'warning' }>;
/** See the schema of the same name. */
export type Outcome = v.InferOutput<typeof Outcome>;
/** See the schema of the same name. */
export type Failure = v.InferOutput<typeof Failure>;

/** What each record is, by what it is called. */
interface Records {
  'The record of a job': JobRecord;
  'The record of a run': QueuedRun;
  'The record of an event': EventRecord;
  'The outcome of a job': Outcome;
  'The failure of a job': Failure;
  'The record of a worker': WorkerRecord;
}

/**
 * The record in a text out of the queue. It is what the text says, key by key in its order, once its form is checked.
 * Throws `format` for any other.
 */
export function readRecord<Kind extends keyof Records>(kind: Kind, text: unknown): Records[Kind] {
  const { form, limits } = FORMS[kind];
  if (typeof text !== 'string') throw formatError(kind, 'it is no text', 'one line of JSON');
  if (text.length > MAX_CHARACTERS)
    throw formatError(kind, `it has ${text.length} characters`, `${MAX_CHARACTERS}`);
  const problem = structureProblem(text, limits);
  if (problem !== null) throw formatError(kind, `it ${problem}`, 'less');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw formatError(kind, 'it is no JSON', 'one line of JSON');
  }
  const result = v.safeParse(form, json);
  if (!result.success) {
    const issue = result.issues[0];
    const place = v.getDotPath(issue as v.BaseIssue<unknown>) ?? 'it';
    throw formatError(kind, `${quote(place)} is wrong`, issue.message);
  }
  const record = json as Records[Kind];
  if (kind === 'The record of a job') expectConsistent((record as JobRecord).job);
  return record;
}

/** What spans several fields of a job: its id is made of them, and a job has at most one beginning. */
function expectConsistent(job: Job): void {
  const kind = 'The record of a job';
  const seeds = [undefined, job.seed];
  if (!seeds.some((seed) => jobId({ ...job, seed }) === job.id))
    throw formatError(kind, `its id is ${quote(job.id)}`, 'the id of its model, rate, seed and pass');
  if (job.parent !== null && (job.from !== null || job.parent === job.id))
    throw formatError(kind, 'it starts from several weights', 'one beginning at most');
  const { shape, inputs } = job.spec;
  if (shape !== undefined && shape.reduce((product, size) => product * size, 1) !== inputs)
    throw formatError(kind, `its shape is ${shape.join(' x ')}`, `${inputs} inputs`);
}

/** SHA-256 (hex) of a run's jobs: two runs of one id are the same only where it is the same. */
export function jobsDigest(jobs: readonly Job[]): string {
  return createHash('sha256').update(JSON.stringify(jobs)).digest('hex');
}
