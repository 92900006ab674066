// Runs command lines one after another in one process, for tests of many that end at once: takes a JSON list of lists
// of arguments, prints a JSON list of { code, stdout, stderr }.
import { main } from '../../dist/cli/program.js';

const lines = JSON.parse(process.argv[2]);
const print = process.stdout.write.bind(process.stdout);
process.stdout.setMaxListeners(0);
process.stderr.setMaxListeners(0);

const ended = [];
for (const args of lines) {
  const printed = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr']) {
    process[stream].write = (text, ...rest) => {
      printed[stream] += text;
      rest.at(-1)?.();
      return true;
    };
  }
  ended.push({ code: await main(args), ...printed });
}
print(JSON.stringify(ended));
