import { useId, useMemo, useState } from 'preact/hooks';
import { Slider } from '../../app/Field.tsx';
import { Scroll } from '../../app/Scroll.tsx';
import { Term } from '../../app/Term.tsx';
import { signed } from '../../panel/words.ts';
import { CLASS_NAMES } from './colours.ts';
import {
  passOf,
  type SmallNetwork,
  type SmallUnit,
  smallNetwork,
  stepped,
  type UnitPass,
} from './one-step.ts';
import type { Point } from './points.ts';

const UNITS = 3;
/** What is shown after each press: nothing, then forward, backward, the new weights. */
const NEXT = ['Forward', 'Backward', 'Change the weights', 'Next point'] as const;

interface Props {
  points: readonly Point[];
  outputs: number;
  isNumber: boolean;
}

/** One step at a time: a network of three hidden units and one point, with every number of its way forward and back. */
export function OneStep({ points, outputs, isNumber }: Props) {
  const start = useMemo(() => smallNetwork(UNITS, outputs, 1), [outputs]);
  const [at, setAt] = useState<{ from: SmallNetwork; network: SmallNetwork; steps: number; phase: number }>({
    from: start,
    network: start,
    steps: 0,
    phase: 0,
  });
  const [rate, setRate] = useState(0.5);
  // Another number of outputs is another network.
  const { network, steps, phase } = at.from === start ? at : { network: start, steps: 0, phase: 0 };
  const point = points[(steps * 37) % Math.max(1, points.length)];
  if (point === undefined) return null;
  const pass = passOf(network, point, isNumber);
  const after = stepped(network, pass, rate);
  const advance = () =>
    setAt(
      phase < 3
        ? { from: start, network, steps, phase: phase + 1 }
        : { from: start, network: after, steps: steps + 1, phase: 0 },
    );
  const targetName = isNumber ? signed(point.target.toFixed(3)) : CLASS_NAMES[point.target]!;
  const outputName = (index: number) => (isNumber ? 'Output' : CLASS_NAMES[index]!);
  return (
    <section class="one-step" aria-labelledby="one-step-title">
      <h2 id="one-step-title">One step at a time</h2>
      <p>
        The same thing in a network small enough to read: two inputs, {UNITS} tanh units and{' '}
        {isNumber ? 'one output' : `${outputs} outputs`}, one point, plain gradient descent.
      </p>
      <div class="controls">
        <div class="buttons">
          <button type="button" class="main" onClick={advance}>
            {NEXT[phase]}
          </button>
          <button type="button" onClick={() => setAt({ from: start, network: start, steps: 0, phase: 0 })}>
            From the start
          </button>
        </div>
        <div class="rate">
          <Slider
            label="Learning rate"
            term="rate"
            value={rate}
            least={0.05}
            most={1}
            step={0.05}
            shown={rate.toFixed(2)}
            onChange={setRate}
          />
        </div>
      </div>
      <p role="status">
        Step {steps + 1}: the point lies at x = {show(point.x)}, y = {show(point.y)}; it is{' '}
        {isNumber ? 'worth' : 'of'} {targetName}.{' '}
        {phase >= 1 && (
          <>
            The <Term name="loss">loss</Term> is <strong data-loss>{show(pass.loss)}</strong>
            {phase >= 3 && `, and after this step ${show(passOf(after, point, isNumber).loss)}`}.
          </>
        )}
      </p>
      <LayerTable
        phase={phase}
        title="Hidden units: sum = weights × inputs + bias, value = tanh(sum)"
        names={network.hidden.map((_, index) => `Unit ${index + 1}`)}
        inputs={['x', 'y']}
        units={network.hidden}
        passes={pass.hidden}
        after={after.hidden}
      />
      <LayerTable
        phase={phase}
        title={
          isNumber
            ? 'Output: sum = weights × units + bias; loss = (output − target)²'
            : 'Outputs: value = softmax of the sums; loss = −log of the true class’s value'
        }
        names={network.output.map((_, index) => outputName(index))}
        inputs={network.hidden.map((_, index) => `unit ${index + 1}`)}
        units={network.output}
        passes={pass.output}
        after={after.output}
      />
    </section>
  );
}

/** Four digits behind the point. */
const show = (value: number) => signed(value.toFixed(4));

function LayerTable({
  title,
  names,
  inputs,
  units,
  passes,
  after,
  phase,
}: {
  title: string;
  names: readonly string[];
  inputs: readonly string[];
  units: readonly SmallUnit[];
  passes: readonly UnitPass[];
  after: readonly SmallUnit[];
  phase: number;
}) {
  const id = useId();
  return (
    <>
      {/* Not a caption, which would be as wide as the table, and scroll with it. */}
      <p id={id} class="note formula">
        {title}
      </p>
      <Scroll label={title}>
        <table class="numbers" aria-labelledby={id}>
          <thead>
            <tr>
              <th scope="col" class="name">
                Unit
              </th>
              <th scope="col" class="name">
                <Term name="weight">Of</Term>
              </th>
              {[...inputs, 'bias'].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
              <th scope="col">Sum</th>
              <th scope="col">Value</th>
            </tr>
          </thead>
          {names.map((name, at) => {
            const { weights, bias } = units[at]!;
            const { sum, value, delta, gradients } = passes[at]!;
            return (
              <tbody key={name}>
                <tr>
                  <th scope="rowgroup" rowSpan={3} class="name">
                    {name}
                  </th>
                  <th scope="row">Weight</th>
                  <Numbers values={[...weights, bias]} isShown />
                  <Numbers values={[sum, value]} isShown={phase >= 1} />
                </tr>
                <tr class="gradient">
                  <th scope="row">Gradient</th>
                  <Numbers values={[...gradients, delta]} isShown={phase >= 2} />
                  <Numbers values={[delta]} isShown={phase >= 2} />
                  <td />
                </tr>
                <tr>
                  <th scope="row">New weight</th>
                  <Numbers values={[...after[at]!.weights, after[at]!.bias]} isShown={phase >= 3} />
                  <td />
                  <td />
                </tr>
              </tbody>
            );
          })}
        </table>
      </Scroll>
    </>
  );
}

function Numbers({ values, isShown }: { values: readonly number[]; isShown: boolean }) {
  return (
    <>
      {values.map((value, at) => (
        <td key={at}>{isShown ? show(value) : '·'}</td>
      ))}
    </>
  );
}
