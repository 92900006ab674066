// Makes random calls of the library: `npm run fuzz:library -- --help`. Ends with what came of them and exit code 0, or names
// the sequences of calls that ended otherwise than in a result or a TreadleError, and ends with exit code 1.
import { parseArgs } from 'node:util';
import { runSequence } from './calls.mjs';

const HELP = `npm run fuzz:library -- [options]

  --calls N      calls in all (default: 100000)
  --sequences N  sequences of calls, in place of a number of calls
  --seed N       seed of the sequences of calls (default: 1)
  --from N       number of the first sequence (default: 0)
  --only N       one sequence, such as one that was found`;

const MOST_FINDINGS = 20;

const { values: options } = parseArgs({
  options: {
    calls: { type: 'string', default: '100000' },
    sequences: { type: 'string' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

/** An option's whole number. */
function whole(name) {
  const value = Number(options[name]);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`error: --${name} is ${options[name]}; a whole number from 0 up is expected.`);
  process.exit(2);
}

if (options.help) {
  console.log(HELP);
  process.exit(0);
}

const seed = whole('seed');
const first = whole(options.only === undefined ? 'from' : 'only');
const count = options.only !== undefined ? 1 : options.sequences && whole('sequences');
const calls = count === undefined ? whole('calls') : Number.POSITIVE_INFINITY;
const end = first + (count ?? Number.POSITIVE_INFINITY);
const codes = {};
let made = 0;
let sequence = first;
let findings = 0;
const started = performance.now();
for (; made < calls && sequence < end && findings < MOST_FINDINGS; sequence++) {
  const outcome = await runSequence(seed, sequence);
  made += outcome.calls;
  for (const [code, count] of Object.entries(outcome.codes)) codes[code] = (codes[code] ?? 0) + count;
  if (outcome.finding === null) continue;
  findings++;
  console.log(`Sequence ${sequence} of seed ${seed}:`);
  for (const call of outcome.finding.calls) console.log(`  ${call}`);
  console.log(`  ${outcome.finding.error.replaceAll('\n', '\n  ')}\n`);
}
const refused = Object.values(codes).reduce((sum, count) => sum + count, 0);
const seconds = (performance.now() - started) / 1000;
console.log(`${made} calls in ${sequence - first} sequences, ${seconds.toFixed(1)} s; ${refused} refused:`);
for (const [code, count] of Object.entries(codes).sort(([, a], [, b]) => b - a))
  console.log(`  ${code} ${count}`);
console.log(findings === 0 ? 'Nothing was found.' : `${findings} sequences went wrong.`);
process.exitCode = findings === 0 ? 0 : 1;
