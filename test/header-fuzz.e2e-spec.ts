import { connect } from 'node:net';
import { Controller, Get, UseGuards } from '@nestjs/common';
import { ApiKeyGuard } from 'nestjs-kinde-api-key';
import { headerVariant, possibleKey, seeded } from './support/header-fuzzer.js';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

@Controller()
@UseGuards(ApiKeyGuard)
class AnyController {
  @Get()
  find(): string {
    return 'ok';
  }
}

const SAMPLES = 1_000;
/** Node reads header bytes as Latin-1. Only a raw socket sends all of them. */
const isSendable = (text: string) => text.split('').every((character) => character <= '\u00ff');

/** Sends the bytes of a request unchanged. Returns the status and the text of the answer. */
function sendRaw(port: number, rawHeaders: readonly string[]): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text }));
    const lines = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : []));
    socket.write(Buffer.from(['GET / HTTP/1.1', ...lines, 'Connection: close', '', ''].join('\r\n'), 'latin1'));
  });
}

/** Removes the spaces and tabs around a header's value, as Node does (RFC 9110 §5.5). */
const received = (value: string) => value.replaceAll(/^[ \t]+|[ \t]+$/g, '');

describeAdapters('1,000 header variants', (adapter) => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await startScenario({
      adapter,
      controllers: [AnyController],
      options: { credentials: [{ header: 'authorization', scheme: 'Bearer' }, { header: 'x-api-key' }] },
    });
  });
  afterAll(() => scenario.close());

  it('are answered with 400 or 401, and reach Kinde only when they contain a possible key', async () => {
    const random = seeded(4_711);
    const port = Number(new URL(scenario.url).port);
    const unexpected: unknown[] = [];
    const asked = new Set<string>();
    let sent = 0;
    while (sent < SAMPLES) {
      const { rawHeaders } = headerVariant(random);
      const raw = rawHeaders as string[] | undefined;
      if (!raw?.every((text) => isSendable(text)) || raw.some((text) => /[\r\n]/.test(text))) continue;
      sent += 1;
      const before = scenario.emulator.counters.verifies;
      const { status, text } = await sendRaw(port, raw);
      const reached = scenario.emulator.counters.verifies - before;
      const key = possibleKey({
        rawHeaders: raw.map((part, index) => (index % 2 === 0 ? part : received(part))),
        headers: {},
      });
      // Node's parser rejects control characters with 400 before the guard runs.
      const isOurs = text.includes('"code":"');
      const isExpected = key === undefined || !isOurs ? reached === 0 : reached === (asked.has(key) ? 0 : 1);
      if (key !== undefined && isOurs) asked.add(key);
      if (!isExpected || ![400, 401].includes(status)) unexpected.push({ raw, key, reached, status });
    }
    expect(unexpected.slice(0, 3)).toEqual([]);
    expect(asked.size).toBeGreaterThan(20);
  }, 60_000);
});
