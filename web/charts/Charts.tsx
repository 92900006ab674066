import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { drawCharts } from './drawing.ts';
import type { ChartsOf, DrawnChart } from './messages.ts';

/**
 * Charts of the report. They are drawn anew when `of` is another object: the latest one, once the drawing before is done, so
 * that no more than one is under way.
 */
export function Charts({ of }: { of: ChartsOf }) {
  const prefix = `c${useId().replace(/\W/g, '')}`;
  const [charts, setCharts] = useState<readonly DrawnChart[]>([]);
  const drawing = useRef(false);
  const latest = useRef(of);
  latest.current = of;
  useEffect(() => {
    if (drawing.current) return;
    const draw = async () => {
      drawing.current = true;
      let drawn: ChartsOf;
      do {
        drawn = latest.current;
        setCharts(await drawCharts(prefix, drawn));
      } while (drawn !== latest.current);
      drawing.current = false;
    };
    void draw();
  }, [of]);
  return (
    <div class="panels">
      {charts.map(({ name, svg }) => (
        <figure key={name} dangerouslySetInnerHTML={{ __html: svg }} />
      ))}
    </div>
  );
}
