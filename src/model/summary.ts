import { type Layer, type ModelSpec, parameterCount, sizeOf, tensorTable } from '#bindings';

/** A table of a model's layers, their output sizes and parameters, as text. */
export function summarize(model: ModelSpec): string {
  const counts = new Map<number, number>();
  for (const { layer, shape, trained } of tensorTable(model)) {
    if (trained) counts.set(layer, (counts.get(layer) ?? 0) + sizeOf(shape));
  }
  let width = model.input.features;
  const rows = [
    ['layer', 'output', 'parameters'],
    ['input', `${width} ${model.input.type}`, ''],
  ];
  model.layers.forEach((layer, index) => {
    if (layer.type === 'dense') width = layer.units;
    rows.push([
      `${index} ${inWords(layer)}`,
      String(width),
      (counts.get(index) ?? 0).toLocaleString('en-US'),
    ]);
  });
  if (model.output !== undefined) rows.push([model.output.head, String(width), '']);
  rows.push(['in all', '', parameterCount(model).toLocaleString('en-US')]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map(([name, size, count]) =>
      `${name!.padEnd(widths[0]!)}  ${size!.padStart(widths[1]!)}  ${count!.padStart(widths[2]!)}`.trimEnd(),
    )
    .join('\n');
}

function inWords(layer: Layer): string {
  if (layer.type === 'dense') return `dense ${layer.units}${layer.bias === false ? ', no bias' : ''}`;
  return layer.type === 'dropout' ? `dropout ${layer.rate}` : layer.type;
}
