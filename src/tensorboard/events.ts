import type { Bytes } from '#bindings';
import { encodeMessage, type Messages } from '../formats/protobuf.js';
import { recordOf } from './record.js';

// Events of TensorBoard (event.proto, summary.proto and its plugin "hparams") as the records of a file, on any platform.

/** A hyper-parameter: what a training was told. */
export type Hyperparameter = string | number | boolean;

const MESSAGES: Messages = {
  Event: {
    wallTime: [1, 'double'],
    step: [2, 'int'],
    fileVersion: [3, 'text'],
    summary: [5, ['Summary', false]],
  },
  Summary: { value: [1, ['Value', true]] },
  Value: {
    tag: [1, 'text'],
    simpleValue: [2, 'float'],
    image: [4, ['Image', false]],
    tensor: [8, ['Tensor', false]],
    metadata: [9, ['Metadata', false]],
  },
  Image: { height: [1, 'int'], width: [2, 'int'], colorspace: [3, 'int'], encoded: [4, 'bytes'] },
  Metadata: { pluginData: [1, ['PluginData', false]] },
  PluginData: { pluginName: [1, 'text'], content: [2, ['HParams', false]] },
  Tensor: { dtype: [1, 'int'], shape: [2, ['Shape', false]] },
  Shape: { dim: [2, ['Dimension', true]] },
  Dimension: {},
  HParams: {
    version: [1, 'int'],
    experiment: [2, ['Experiment', false]],
    start: [3, ['SessionStart', false]],
    end: [4, ['SessionEnd', false]],
  },
  Experiment: { infos: [4, ['HParamInfo', true]], metrics: [5, ['MetricInfo', true]] },
  HParamInfo: { name: [1, 'text'], type: [4, 'int'] },
  MetricInfo: { name: [1, ['MetricName', false]] },
  MetricName: { tag: [2, 'text'] },
  SessionStart: { hparams: [1, ['Entry', true]], startTime: [5, 'double'] },
  Entry: { key: [1, 'text'], value: [2, ['Any', false]] },
  Any: { number: [2, 'double'], text: [3, 'text'], flag: [4, 'int'] },
  SessionEnd: { status: [1, 'int'], endTime: [2, 'double'] },
};

/** What every file begins with. */
const FILE_VERSION = 'brain.Event:2';
const FLOAT = 1;
const RGBA = 4;
const STATUS = { done: 1, failed: 2 } as const;
const TYPES = { string: 1, boolean: 2, number: 3 } as const;

function recordOfEvent(event: object, time: number): Bytes {
  return recordOf(encodeMessage(MESSAGES, 'Event', { wallTime: time / 1000, ...event }));
}

/** The first record of a file; `time` is in milliseconds since 1970, here and below. */
export function versionRecord(time: number): Bytes {
  return recordOfEvent({ fileVersion: FILE_VERSION }, time);
}

/** Numbers of a step by their tags; what is not finite is left out. */
export function scalarsRecord(step: number, scalars: Readonly<Record<string, number>>, time: number): Bytes {
  const value = Object.entries(scalars).flatMap(([tag, simpleValue]) =>
    Number.isFinite(simpleValue) ? [{ tag, simpleValue }] : [],
  );
  return recordOfEvent({ step, summary: { value } }, time);
}

/** A picture of a step, a PNG. */
export function imageRecord(step: number, tag: string, png: Uint8Array, time: number): Bytes {
  // The header chunk is the first of a PNG: width and height stand at bytes 16 and 20.
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const image = { height: view.getUint32(20), width: view.getUint32(16), colorspace: RGBA, encoded: png };
  return recordOfEvent({ step, summary: { value: [{ tag, image }] } }, time);
}

/** A training's hyper-parameters, and the tags that it is compared by: what the view "HPARAMS" shows. */
export function hyperparametersRecords(
  given: Readonly<Record<string, Hyperparameter>>,
  tags: readonly string[],
  time: number,
): Bytes[] {
  const all = Object.entries(given);
  const infos = all.map(([name, value]) => ({ name, type: TYPES[typeof value as keyof typeof TYPES] }));
  const hparams = all.map(([key, value]) => ({ key, value: anyOf(value) }));
  const metrics = tags.map((tag) => ({ name: { tag } }));
  return [
    hparamsRecord('experiment', { infos, metrics }, time),
    hparamsRecord('session_start_info', { hparams, startTime: time / 1000 }, time),
  ];
}

/** How a training has ended. */
export function endingRecord(status: keyof typeof STATUS, time: number): Bytes {
  return hparamsRecord('session_end_info', { status: STATUS[status], endTime: time / 1000 }, time);
}

function anyOf(value: Hyperparameter): object {
  if (typeof value === 'string') return { text: value };
  return typeof value === 'number' ? { number: value } : { flag: value ? 1 : 0 };
}

const PARTS = { experiment: 'experiment', session_start_info: 'start', session_end_info: 'end' } as const;

function hparamsRecord(tag: keyof typeof PARTS, content: object, time: number): Bytes {
  const pluginData = { pluginName: 'hparams', content: { version: 0, [PARTS[tag]]: content } };
  const value = {
    tag: `_hparams_/${tag}`,
    // Its readers want a tensor beside the metadata, and look into none.
    tensor: { dtype: FLOAT, shape: { dim: [{}] } },
    metadata: { pluginData },
  };
  return recordOfEvent({ summary: { value: [value] } }, time);
}
