import { get, type IncomingMessage } from 'node:http';
import { Controller, Req, Sse, UseGuards, type MessageEvent } from '@nestjs/common';
import { ApiKeyGuard, ApiKeyVerificationService, AnyValidKey } from 'nestjs-kinde-api-key';
import { Subject, type Observable } from 'rxjs';
import { DOCS, read } from './support/markdown.js';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';
import { whileAccepted } from './support/stream-recipe.js';

let events: Subject<MessageEvent>;
let checks: Subject<void>;

@Controller('events')
@UseGuards(ApiKeyGuard)
class EventsController {
  constructor(private readonly keys: ApiKeyVerificationService) {}

  @Sse()
  @AnyValidKey()
  stream(@Req() request: { headers: { authorization: string } }): Observable<MessageEvent> {
    return whileAccepted(events, this.keys, request.headers.authorization.slice('Bearer '.length), checks);
  }
}

/** A stream as a client reads it. */
class Reader {
  #text = '';
  #onText = (): void => {};
  readonly ended: Promise<string>;

  constructor(readonly response: IncomingMessage) {
    response.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text;
      this.#onText();
    });
    this.ended = new Promise((resolve) => response.on('end', () => resolve(this.#text)));
  }

  static async open(url: string, key: string): Promise<Reader> {
    const headers = { authorization: `Bearer ${key}` };
    return new Reader(await new Promise((resolve, reject) => get(url, { headers }, resolve).on('error', reject)));
  }

  async received(expected: string): Promise<void> {
    while (!this.#text.includes(expected)) await new Promise<void>((resolve) => (this.#onText = resolve));
  }
}

describeAdapters('a stream of a key', (adapter) => {
  let scenario: Scenario;
  let keyId: string;
  let reader: Reader;

  beforeEach(async () => {
    events = new Subject();
    checks = new Subject();
    scenario = await startScenario({ adapter, controllers: [EventsController] });
    const created = scenario.emulator.createKey();
    ({ keyId } = created);
    const opening = Reader.open(`${scenario.url}/events`, created.key);
    // Some versions send the headers with the first event only.
    while (!events.observed) await new Promise((resolve) => setImmediate(resolve));
    events.next({ data: 'first' });
    reader = await opening;
    await reader.received('data: first');
  });
  afterEach(() => scenario.close());

  it('goes on while the key is accepted, without a call to Kinde', async () => {
    checks.next();
    events.next({ data: 'second' });
    await reader.received('data: second');
    expect(scenario.emulator.counters.verifies).toBe(1);
    events.complete();
    expect(await reader.ended).not.toContain('event: status');
  });

  it.each([
    ['revoked', 'KEY_REVOKED'],
    ['inactive', 'KEY_INACTIVE'],
  ])('ends with a status event once the key is %s and that is known', async (status, code) => {
    scenario.emulator.setKeyStatus(keyId, status);
    await scenario.app.get(ApiKeyVerificationService).invalidate({ keyId });
    checks.next();
    const text = await reader.ended;
    expect(text).toMatch(new RegExp(`event: status\\n(id: .*\\n)?data: \\{"code":"${code}"\\}\\n`));
    expect(events.observed).toBe(false);
    expect(checks.observed).toBe(false);
  });

  it('ends with a status event in an outage that is longer than cached keys are accepted', async () => {
    scenario.emulator.failUntilCleared(503);
    scenario.clock.advance(299_000);
    checks.next();
    events.next({ data: 'during the outage' });
    await reader.received('data: during the outage');
    scenario.clock.advance(1_000);
    checks.next();
    expect(await reader.ended).toContain('data: {"code":"VERIFICATION_UNAVAILABLE"}');
  });

  it('leaves nothing behind when the client goes away', async () => {
    reader.response.destroy();
    while (checks.observed || events.observed) await new Promise((resolve) => setImmediate(resolve));
  });
});

it('the recipe in routes.md is the code that is tested here', () => {
  expect(read(`${DOCS}/routes.md`)).toContain(read('test/support/stream-recipe.ts'));
});
