// Faults at random moments: twelve models by way of a queue on three hosts with six workers, again and again. In each run a
// worker is killed, a host is cut off and comes back, Redis is killed and started, the producer is killed and resumed.
// The hosts are network namespaces on a bridge with a delay of 5 ms each way where the system allows it: by netem, else by a
// relay before Redis, through which workers speak. Else they are plain processes, where a worker that is cut off is stopped
// and woken. Prints how many runs ended with the bytes of a local one.
//
//   npm run test:faults -- --runs 20 --cut 60 --lock 30 --epochs 10 --samples 10000 --seed 1
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20' },
    cut: { type: 'string', default: '60' },
    lock: { type: 'string', default: '30' },
    epochs: { type: 'string', default: '10' },
    samples: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    plain: { type: 'boolean', default: false },
  },
});
const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const ROOT = mkdtempSync(join(tmpdir(), 'treadle-faults-'));
const HOSTS = [1, 2, 3];
const NET = '10.77.12';
const say = (line) => console.log(line);

let state = Number(values.seed) >>> 0;
/** A whole number below `below`. */
function random(below) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}

const ip = (...args) => spawnSync('ip', args, { encoding: 'utf8' });

/** Makes the hosts; whether the system allows it. */
function makeHosts() {
  if (values.plain) return 'plain processes, as asked for';
  const steps = [
    ['link', 'add', 'tfbr', 'type', 'bridge'],
    ['addr', 'add', `${NET}.1/24`, 'dev', 'tfbr'],
    ['link', 'set', 'tfbr', 'up'],
  ];
  for (const host of HOSTS) {
    const ns = `tfh${host}`;
    steps.push(
      ['netns', 'add', ns],
      ['link', 'add', `tfv${host}`, 'type', 'veth', 'peer', 'name', `tfp${host}`],
      ['link', 'set', `tfp${host}`, 'netns', ns],
      ['link', 'set', `tfv${host}`, 'master', 'tfbr'],
      ['link', 'set', `tfv${host}`, 'up'],
      ['-n', ns, 'addr', 'add', `${NET}.${10 + host}/24`, 'dev', `tfp${host}`],
      ['-n', ns, 'link', 'set', `tfp${host}`, 'up'],
      ['-n', ns, 'link', 'set', 'lo', 'up'],
    );
  }
  for (const step of steps) {
    const { status, stderr, error } = ip(...step);
    if (status === 0) continue;
    removeHosts();
    return `plain processes (ip ${step.join(' ')}: ${(stderr ?? error?.message ?? '').trim()})`;
  }
  const delays = HOSTS.map(
    (host) =>
      spawnSync('tc', ['qdisc', 'add', 'dev', `tfv${host}`, 'root', 'netem', 'delay', '5ms']).status === 0,
  );
  return { delay: delays.every(Boolean) };
}

function removeHosts() {
  for (const host of HOSTS) {
    ip('netns', 'del', `tfh${host}`);
    ip('link', 'del', `tfv${host}`);
  }
  ip('link', 'del', 'tfbr');
}

const made = makeHosts();
const hasHosts = typeof made !== 'string';
say(
  hasHosts
    ? `three network namespaces on a bridge, 5 ms delay by ${made.delay ? 'netem' : 'a relay (tc netem is not allowed)'}`
    : made,
);
const ADDRESS = hasHosts ? `${NET}.1` : '127.0.0.1';
const PORT = 20_000 + random(20_000);
const URL_ = `redis://${ADDRESS}:${PORT}/0`;
const RELAY = PORT + 1;
const WORKERS_URL = hasHosts && !made.delay ? `redis://${ADDRESS}:${RELAY}/0` : URL_;
const DELAY_MS = 5;

/** Passes on what comes at a port, a moment later each way. */
function startRelay() {
  const later = (from, to) => {
    from.on('data', (chunk) => setTimeout(() => to.write(chunk), DELAY_MS));
    from.on('error', () => {});
    from.on('close', () => setTimeout(() => to.destroy(), DELAY_MS));
  };
  const server = createServer((client) => {
    const redis = connect(PORT, ADDRESS);
    later(client, redis);
    later(redis, client);
  });
  return server.listen(RELAY, ADDRESS);
}

const children = new Set();
function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  children.add(child);
  child.ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  child.ended.then(() => children.delete(child));
  child.text = '';
  child.errors = '';
  child.stdout.on('data', (chunk) => {
    child.text += chunk;
  });
  child.stderr.on('data', (chunk) => {
    child.errors += chunk;
  });
  return child;
}

let redis;
async function startRedis() {
  redis = start(
    'redis-server',
    [
      '--port',
      PORT,
      '--bind',
      ADDRESS,
      '--protected-mode',
      'no',
      '--dir',
      ROOT,
      '--save',
      '',
      '--appendonly',
      'yes',
    ].map(String),
  );
  while (!/Ready to accept/i.test(redis.text)) await pause(20);
}

function startWorker(host, number) {
  const cache = join(ROOT, `cache-${host}-${number}`);
  const line = [
    process.execPath,
    CLI,
    'worker',
    '--queue',
    WORKERS_URL,
    '--threads',
    '1',
    '--lock',
    values.lock,
    '--cache',
    cache,
  ];
  const child = hasHosts
    ? start('ip', ['netns', 'exec', `tfh${host}`, ...line])
    : start(line[0], line.slice(1));
  return Object.assign(child, { host, number });
}

const GRID = join(ROOT, 'grid.json');
const architectures = { large: [128, 64, 32], middle: [96, 48], small: [64, 32] };
writeFileSync(GRID, JSON.stringify({ architectures }));
const SETTINGS = [
  '--strict',
  '--json',
  '--config',
  GRID,
  '--epochs',
  values.epochs,
  '--train-samples',
  values.samples,
];

function startRun(name, more) {
  const folder = join(ROOT, name);
  return start(process.execPath, [
    CLI,
    'run-all',
    '--out',
    join(folder, 'runs'),
    '--weights',
    join(folder, 'weights'),
    ...more,
  ]);
}

/** SHA-256 over all weights files, and over the results without times and places. */
function digestOf(name) {
  const folder = join(ROOT, name);
  const hash = createHash('sha256');
  const files = readdirSync(join(folder, 'weights'))
    .filter((file) => /safetensors$|pkl$/.test(file))
    .sort();
  for (const file of files) hash.update(file).update(readFileSync(join(folder, 'weights', file)));
  const [run] = readdirSync(join(folder, 'runs'));
  const { models, best } = JSON.parse(readFileSync(join(folder, 'runs', run, 'results.json'), 'utf8'));
  const plain = models.map(({ id, epochs, kept, test }) => [
    id,
    epochs.map((epoch) => ({ ...epoch, seconds: 0 })),
    kept,
    test,
  ]);
  return { files: files.length, digest: hash.update(JSON.stringify([plain, best])).digest('hex') };
}

const eventsOf = (text) =>
  text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

/** Finished epochs that were trained again, and times that a job was begun again, by a producer's events. */
function repeatsOf(events) {
  const done = new Map();
  let epochs = 0;
  let begun = 0;
  for (const event of events) {
    if (event.type === 'epoch') done.set(event.job, event.epoch);
    if (event.type !== 'start') continue;
    if (done.has(event.job)) begun++;
    epochs += Math.max(0, (done.get(event.job) ?? 0) - event.finished.length);
    done.set(event.job, event.finished.length);
  }
  return { epochs, begun };
}

async function oneRun(number, expected) {
  const name = `run-${number}`;
  const began = performance.now();
  let producer = startRun(name, [...SETTINGS, '--queue', URL_]);
  while (!producer.text.includes('"type":"epoch"')) {
    if (producer.exitCode !== null) throw new Error(producer.errors);
    await pause(50);
  }
  const faults = {
    async kill() {
      const victim = workers[random(workers.length)];
      victim.kill('SIGKILL');
      await victim.ended;
      workers[workers.indexOf(victim)] = startWorker(victim.host, victim.number);
    },
    async cut() {
      const host = HOSTS[random(HOSTS.length)];
      const own = workers.filter((worker) => worker.host === host);
      if (hasHosts) ip('link', 'set', `tfv${host}`, 'down');
      else for (const worker of own) worker.kill('SIGSTOP');
      cutOff = pause(Number(values.cut) * 1000).then(() => {
        if (hasHosts) ip('link', 'set', `tfv${host}`, 'up');
        else for (const worker of own) worker.kill('SIGCONT');
      });
    },
    async redis() {
      redis.kill('SIGKILL');
      await redis.ended;
      await pause(500);
      await startRedis();
    },
    async producer() {
      producer.kill('SIGKILL');
      await producer.ended;
      producer = startRun(name, ['--json', '--resume', '--queue', URL_]);
    },
  };
  let cutOff = Promise.resolve();
  const order = Object.keys(faults).sort(() => random(2) - 0.5);
  const done = [];
  for (const fault of order) {
    await pause(200 + random(4000));
    if (producer.exitCode !== null) break;
    await faults[fault]();
    done.push(fault);
  }
  const { code } = await producer.ended;
  const seconds = (performance.now() - began) / 1000;
  await cutOff;
  const same = code === 0 && digestOf(name).digest === expected.digest;
  const repeats = repeatsOf(eventsOf(producer.text));
  say(
    `run ${number}: ${done.join(', ')}; exit code ${code}; ${same ? 'the same bytes' : 'OTHER BYTES'}; ` +
      `${repeats.begun} jobs begun again, ${repeats.epochs} finished epochs repeated; ${seconds.toFixed(0)} s`,
  );
  if (!same) say(producer.errors);
  return { same, faults: done.length, ...repeats };
}

let workers = [];
let relay = null;
try {
  const local = startRun('local', SETTINGS);
  if ((await local.ended).code !== 0) throw new Error(local.errors);
  const expected = digestOf('local');
  say(`local: ${expected.files} files, ${expected.digest}`);
  await startRedis();
  relay = WORKERS_URL === URL_ ? null : startRelay();
  workers = HOSTS.flatMap((host) => [1, 2].map((number) => startWorker(host, number)));
  const total = { same: 0, faults: 0, begun: 0, epochs: 0 };
  for (let number = 1; number <= Number(values.runs); number++) {
    const result = await oneRun(number, expected);
    for (const key of Object.keys(total)) total[key] += Number(result[key]);
  }
  say(
    `${total.same} of ${values.runs} runs ended with the same bytes; ${total.faults} faults, ${total.begun} jobs begun again, ${total.epochs} finished epochs repeated`,
  );
  process.exitCode = total.same === Number(values.runs) ? 0 : 1;
} finally {
  relay?.close();
  for (const child of children) child.kill('SIGKILL');
  await Promise.all([...children].map(({ ended }) => ended));
  if (hasHosts) removeHosts();
  rmSync(ROOT, { recursive: true, force: true });
}
process.exit();
