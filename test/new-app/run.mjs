// Does what README tells a new user, as on a machine with nothing but Node and npm: makes an app with the Nest CLI, adds the library by hand and
// in a second app with `nest add`, starts each beside the emulator, calls it, and runs the app's own tests. Prints how long each step took.
//
//     npm run test:new-app          Nest 12
//     npm run test:new-app -- 11    another major version of Nest
//
// Fails if a step fails, or if one of the two ways takes over five minutes. npm's cache is empty at the start.
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { serveAsPublished } from './registry.mjs';

const REPOSITORY = join(import.meta.dirname, '../..');
const README = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');
const LIMIT_SECONDS = 300;
const PORTS = { app: 3917, emulator: 4917 };

const [nest = '12'] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'nestjs-kinde-api-key-new-app-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const started = new Set();
const registry = await serveAsPublished(packLibrary(), npm('config', 'get', 'registry'));
const env = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|KINDE_|NODE_(ENV|OPTIONS)$)/i.test(name)),
  ),
  npm_config_registry: `http://127.0.0.1:${registry.address().port}/`,
  npm_config_cache: join(folder, 'cache'),
  PORT: String(PORTS.app),
};

try {
  console.log(`Node ${process.version}, Nest ${nest}\n`);
  const created = await timed(`npx @nestjs/cli@${nest} new my-app --package-manager npm --skip-git`, (command) =>
    run(`${command.replace('npx', 'npx --yes')}`, folder),
  );
  cpSync(join(folder, 'my-app'), join(folder, 'my-other-app'), { recursive: true });
  const byHand = await addByHand(join(folder, 'my-app'));
  const withNestAdd = await addWithNestAdd(join(folder, 'my-other-app'));
  for (const [way, seconds] of Object.entries({
    'by hand': created + byHand,
    'with nest add': created + withNestAdd,
  })) {
    console.log(`${way}: ${seconds.toFixed(0)} s`);
    if (seconds > LIMIT_SECONDS) process.exitCode = 1;
  }
} finally {
  for (const child of started) stop(child);
  registry.close();
}

/** The install line of README, its first example, and its call. */
async function addByHand(app) {
  const [install] = README.split('\n').filter((line) => /^npm install .*# Nest/.test(line) && line.includes(nest));
  const [, example] = /```ts\n([^]*?)```/.exec(README);
  const [, path, key] = /^curl -i http:\/\/localhost:3000(\S+) -H "Authorization: Bearer (\S+)"/m.exec(README);
  let seconds = await timed(install.replace(/ *#.*/, ''), (command) => run(command, app));
  writeFileSync(join(app, 'src/app.module.ts'), example);
  seconds += await callBesideEmulator(app, path, key);
  return seconds + (await timed('npm test', (command) => run(command, app)));
}

async function addWithNestAdd(app) {
  let seconds = await timed('npx nest add nestjs-kinde-api-key', (command) => run(command, app));
  seconds += await callBesideEmulator(app, '/api-key-example');
  for (const command of ['npm test', 'npm run test:e2e']) seconds += await timed(command, () => run(command, app));
  return seconds;
}

/** Starts the emulator and the app, and calls a route with a key (by default the first of the emulator) and without. */
async function callBesideEmulator(app, path, key) {
  return timed(`emulator, npm run start, curl ${path}`, async () => {
    const emulator = start(`npx nestjs-kinde-api-key emulator --port ${PORTS.emulator}`, app, env);
    const printed = await emulator.prints(/Ctrl\+C stops it/);
    const exported = Object.fromEntries(
      [...printed.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
    );
    const server = start('npm run start', app, { ...env, ...exported });
    await server.prints(/successfully started/);
    const [firstKey] = /k_live_\w+/.exec(printed);
    const url = `http://127.0.0.1:${PORTS.app}${path}`;
    const { status } = await fetch(url, { headers: { authorization: `Bearer ${key ?? firstKey}` } });
    const refused = await (await fetch(url)).json();
    for (const child of [server, emulator]) stop(child.process);
    if (status !== 200 || refused.code !== 'MISSING_KEY')
      throw new Error(`${url}: ${status}, ${JSON.stringify(refused)}`);
  });
}

/** Returns the seconds that a step took, and prints them. */
async function timed(name, step) {
  const begin = performance.now();
  await step(name);
  const seconds = (performance.now() - begin) / 1_000;
  console.log(`${seconds.toFixed(1).padStart(6)} s  ${name}`);
  return seconds;
}

/** Runs a command to its end. Throws what it printed, if it fails. */
function run(command, cwd) {
  return new Promise((resolve, reject) => {
    const child = start(command, cwd, env);
    child.process.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${command}\n${child.output()}`)),
    );
  });
}

/** Starts a command in a process group of its own. */
function start(command, cwd, environment) {
  const child = spawn(command, {
    cwd,
    env: environment,
    shell: true,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.add(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part) => (text += part));
  return {
    process: child,
    output: () => text,
    async prints(pattern) {
      for (let waited = 0; !pattern.test(text); waited += 100) {
        if (child.exitCode !== null || waited > 120_000)
          throw new Error(`${command} did not print ${pattern}\n${text}`);
        await setTimeout(100);
      }
      return text;
    },
  };
}

function stop(child) {
  started.delete(child);
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}

function packLibrary() {
  npm('pack', '--workspace', 'nestjs-kinde-api-key', '--pack-destination', folder);
  return join(
    folder,
    readdirSync(folder).find((file) => file.endsWith('.tgz')),
  );
}

function npm(...args) {
  return execFileSync('npm', args, {
    cwd: REPOSITORY,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}
