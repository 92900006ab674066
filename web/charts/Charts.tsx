import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { drawCharts } from './drawing.ts';
import type { ChartsOf, DrawnChart } from './messages.ts';
import { onScreen } from './on-screen.ts';

/**
 * Charts of the report. They are drawn anew when `of` is another object: the latest one, once the drawing before is done, so
 * that no more than one is under way; where they are off the screen, once a second.
 */
export function Charts({ of }: { of: ChartsOf }) {
  const prefix = `c${useId().replace(/\W/g, '')}`;
  const [charts, setCharts] = useState<readonly DrawnChart[]>([]);
  const place = useRef<HTMLDivElement>(null);
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
        if (place.current !== null) await onScreen(place.current);
      } while (drawn !== latest.current);
      drawing.current = false;
    };
    void draw();
  }, [of]);
  return (
    <div class="panels" ref={place}>
      {charts.map(({ name, svg }) => (
        <figure key={name} dangerouslySetInnerHTML={{ __html: svg }} />
      ))}
    </div>
  );
}
