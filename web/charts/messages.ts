import type { EpochFigures } from 'treadle';
import type { Assessment } from 'treadle/tables';

/** What charts are drawn of. */
export type ChartsOf =
  | {
      kind: 'training';
      task: 'classification' | 'regression';
      epochs: readonly EpochFigures[];
      best: number;
      earlier: readonly EpochFigures[];
    }
  | { kind: 'classes'; assessment: Extract<Assessment, { task: 'classification' }> }
  | { kind: 'numbers'; assessment: Extract<Assessment, { task: 'regression' }> };

/** Asks for them; `prefix` keeps what is inside one drawing apart from another's. */
export interface ChartsRequest {
  id: number;
  prefix: string;
  of: ChartsOf;
}

/** A chart as SVG text in the page's own colours. */
export interface DrawnChart {
  name: string;
  svg: string;
}
