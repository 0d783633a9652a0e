// Over real sockets: a server on one core, autocannon on the other. Two equal servers differ by up to 8 % here, so this shows large effects only.
import { execFileSync, fork } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { CONTROL } from '../rounds.mjs';
import { round, table } from '../report.mjs';
import { median, shuffled } from '../statistics.mjs';

const CONNECTIONS = 50;
const SERVER = fileURLToPath(new URL('http-server.mjs', import.meta.url));

/** @returns {Promise<string>} a table in Markdown */
export async function reportHttp(quick) {
  const server = fork(SERVER, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const { url, routes, key } = await next(server);
  const pinned = pinToCores(server.pid);
  const measured = new Map(routes.map(({ name }) => [name, { us: [], perSecond: [] }]));
  for (let run = -1; run < (quick ? 1 : 6); run += 1) {
    for (const { name, path } of shuffled(routes)) {
      const result = await loadOf(server, `${url}${path}`, key, quick ? 1 : 3);
      if (run < 0) continue;
      measured.get(name).us.push(result.us);
      measured.get(name).perSecond.push(result.perSecond);
    }
  }
  server.kill();
  const base = median(measured.get(CONTROL[0]).us);
  const rows = routes.map(({ name }) => {
    const us = median(measured.get(name).us);
    return [name, round(us, 0), round(base / us), round(median(measured.get(name).perSecond), 0)];
  });
  const head = [
    'variant',
    'CPU µs of the server for a request',
    'requests per core, no guard = 1',
    'requests a second',
  ];
  const cores = pinned ? 'server and load each on a core of its own' : 'server and load not pinned to cores';
  return `## Over sockets\n\nFastify, autocannon with ${CONNECTIONS} connections, ${cores}.\n\n${table(head, rows)}`;
}

async function loadOf(server, url, key, seconds) {
  const before = await cpuOf(server);
  const result = await autocannon({
    url,
    connections: CONNECTIONS,
    duration: seconds,
    headers: { authorization: `Bearer ${key}` },
  });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${url}: ${result.non2xx} refused, ${result.errors} failed`);
  return { us: ((await cpuOf(server)) - before) / result.requests.total, perSecond: result.requests.average };
}

async function cpuOf(server) {
  const answer = next(server);
  server.send('cpu');
  return answer;
}

function next(child) {
  return new Promise((resolve) => child.once('message', resolve));
}

/** @returns whether it could be done: Linux with at least two cores */
function pinToCores(serverPid) {
  if (cpus().length < 2) return false;
  try {
    execFileSync('taskset', ['-acp', '0', String(serverPid)], { stdio: 'ignore' });
    execFileSync('taskset', ['-acp', '1', String(process.pid)], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
