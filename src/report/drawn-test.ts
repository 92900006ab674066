import { modelTitle } from '../results/format.js';
import type { TestRecord } from '../results/records.js';
import type { TestedModel } from '../results/results.js';

// By itself, without the chart library: texts are made of the same tests.

/** A test that is drawn: of a model, or of an ensemble. */
export interface DrawnTest {
  /** Its chart's, and of the files without their extension. */
  name: string;
  title: string;
  test: Pick<TestRecord, 'confusion' | 'accuracy' | 'macroF1'>;
}

/** A model's test. */
export function drawnModel(model: TestedModel): DrawnTest {
  return { name: `confusion-${model.id}`, title: modelTitle(model), test: model.test };
}
