import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { newVerifier, unknownKey } from '../../../../test/support/key-verifier.js';
import { SystemClock } from '../clock.js';

// Long enough for twenty calls to arrive on a busy machine.
const TIMEOUT_MS = 1_500;

/** A Kinde in a thread of its own, which goes on while the event loop of the spec stands still. Keys with `slow` get no answer. */
const KINDE = `
const { parentPort } = require('node:worker_threads');
const server = require('node:http').createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  const isToken = request.url === '/oauth2/token';
  if (!isToken) parentPort.postMessage('asked');
  if (body.includes('slow')) return;
  response.setHeader('content-type', 'application/json');
  const token = { access_token: 'a', expires_in: 3600 };
  const verdict = { is_valid: true, status: 'active', key_id: 'api_key_1', scopes: [] };
  response.end(JSON.stringify(isToken ? token : verdict));
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

/** Blocks this thread, as a long computation of the app would. */
function blockEventLoop(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('KeyVerifier, when the event loop stands still for longer than kinde.timeoutMs', () => {
  let worker: Worker;
  let domain: string;

  beforeAll(async () => {
    worker = new Worker(KINDE, { eval: true });
    const [port] = (await once(worker, 'message')) as [number];
    domain = `http://127.0.0.1:${port}`;
  });
  afterAll(() => worker.terminate());

  function start() {
    const credentials = { clientId: 'id', clientSecret: 'secret' };
    return newVerifier({ domain, credentials }, new SystemClock(), { timeoutMs: TIMEOUT_MS });
  }
  /** Starts verifications, and resolves when all their calls have arrived. */
  async function ask(verify: (key: string) => Promise<unknown>, keys: readonly string[]) {
    let arrived = 0;
    const allArrived = new Promise<void>((resolve) => {
      const count = (): void => {
        arrived += 1;
        if (arrived < keys.length) return;
        worker.off('message', count);
        resolve();
      };
      worker.on('message', count);
    });
    const asked = keys.map((key) => verify(key).catch((error: unknown) => error));
    await allArrived;
    return asked;
  }

  it('takes the answers that arrived meanwhile', async () => {
    const { verify, verifier } = start();
    await verify(unknownKey());
    const asked = await ask(
      verify,
      Array.from({ length: 20 }, (_, index) => unknownKey(index)),
    );
    blockEventLoop(TIMEOUT_MS + 200);
    const answers = await Promise.all(asked);
    expect(answers).toEqual(answers.map(() => expect.objectContaining({ verdict: expect.anything() as unknown })));
    verifier.close();
  });

  it('does not open the circuit, and says what to look for', async () => {
    const { verify, verifier, lines } = start();
    await verify(unknownKey());
    const asked = await ask(
      verify,
      Array.from({ length: 20 }, (_, index) => `k_live_slow_slow_slow_${index}`),
    );
    blockEventLoop(TIMEOUT_MS + 200);
    await Promise.all(asked);
    await expect(verify(unknownKey())).resolves.toMatchObject({ verdict: { accepted: true } });
    expect(lines).toEqual([expect.stringContaining('Look for code that blocks the event loop')]);
    verifier.close();
  });
});
