import type { Bytes } from '#bindings';
import {
  type ExportFormat,
  type ExportOptions,
  exportWithFronts,
  type Fronts,
  type FrontsOf,
} from '../../formats/export/formats.js';
import { type HubOptions, hubWithFronts } from '../../formats/hub/hub.js';
import { TEST_KEY, testIn } from '../../formats/hub/test-figures.js';
import { ENCODER_KEY, type StoredModel } from '../../formats/model-bytes.js';
import { formatError } from '../../formats/tensor.js';
import { expectFits, type TableEncoder } from '../encoder.js';
import { encoderOf } from '../table-model.js';
import { cardFront } from './card.js';
import { jsFront } from './javascript.js';
import { onnxFront } from './onnx.js';

/**
 * A model of a table as the bytes of a file that other programs read, as `exportModel` gives them of other models. `onnx` and
 * `js` take the table's columns: their encoders are part of the file. `safetensors` is what `save` gives, `npz` has the
 * encoders as JSON in `treadle_table`, and `pkl` and `c` are of the network alone, which takes the features that
 * `featureNames` lists. Throws as `exportModel`, and `format` for a model without encoders.
 *
 * @example await writeFile('visits.mjs', exportTable(model, 'js'));
 */
export function exportTable(
  model: Uint8Array | { save(): Uint8Array },
  format: ExportFormat,
  options: ExportOptions = {},
): Bytes {
  return exportWithFronts(model, format, options, tableFronts);
}

/**
 * A model of a table as the files of a folder, as `exportHub` gives them of other models. Throws as {@link exportTable}.
 *
 * @example for (const [name, bytes] of exportTableHub(model, { name: 'visits' })) await writeFile(`visits/${name}`, bytes);
 */
export function exportTableHub(
  model: Uint8Array | { save(): Uint8Array },
  options: HubOptions = {},
): Map<string, Bytes> {
  return hubWithFronts(model, options, tableFronts);
}

const tableFronts: FrontsOf = (bytes, stored, source) => {
  const encoder = encoderOf(bytes, source);
  if (encoder === null) throw formatError(source, `its metadata has no ${ENCODER_KEY}`, 'a model of a table');
  const fronts = frontsOf(encoder, stored, source);
  const test = testIn(bytes, source);
  return test === null ? fronts : { ...fronts, texts: { ...fronts.texts, [TEST_KEY]: JSON.stringify(test) } };
};

function frontsOf(encoder: TableEncoder, { spec }: StoredModel, source: string): Fronts {
  expectFits(encoder, spec.input, source);
  return {
    onnx: onnxFront(encoder.columns),
    js: jsFront(encoder),
    card: cardFront(encoder),
    texts: { [ENCODER_KEY]: JSON.stringify(encoder) },
  };
}
