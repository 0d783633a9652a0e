import { get, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Controller, Get, Injectable, Sse, UseGuards, UseInterceptors } from '@nestjs/common';
import type { CallHandler, ExecutionContext, MessageEvent, NestInterceptor } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import {
  AnyValidKey,
  ApiKeyGuard,
  ApiKeyStreamInterceptor,
  ApiKeyVerificationService,
  PublicRoute,
  type PrincipalSource,
} from 'nestjs-kinde-api-key';
import { Observable, of, Subject } from 'rxjs';
import { fakeIntervals } from './support/fake-intervals.js';
import { describeAdapters, startScenario, type Scenario, type ScenarioOptions } from './support/scenario.js';

let events: Subject<MessageEvent>;

class Streams {
  @Sse()
  @AnyValidKey()
  stream(): Observable<MessageEvent> {
    return events;
  }

  @Sse('later')
  @AnyValidKey()
  async later(): Promise<Observable<MessageEvent>> {
    return events;
  }

  @Sse('public')
  @PublicRoute()
  publicStream(): Observable<MessageEvent> {
    return events;
  }

  @Get('plain')
  @AnyValidKey()
  plain(): Observable<unknown> {
    return of({ timers: jest.getTimerCount() });
  }
}

@Controller('events')
@UseGuards(ApiKeyGuard)
@UseInterceptors(ApiKeyStreamInterceptor)
class EventsController extends Streams {}

@Controller('events')
class UndecoratedController extends Streams {}

@Injectable()
class Sessions implements PrincipalSource {
  authenticate() {
    return { kind: 'session', id: 'user_1', scopes: [], orgCode: null, userId: 'user_1' };
  }
}

/** Closes the connection, and subscribes to the stream for ever. */
class LeftBefore implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<never> {
    context.switchToHttp().getRequest<{ socket: Socket }>().socket.destroy();
    return new Observable((subscriber) => {
      next.handle().subscribe();
      subscriber.complete();
    });
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

  static async open(url: string, headers: Record<string, string>): Promise<Reader> {
    return new Reader(
      await new Promise((resolve, reject) => get(url, { headers, agent: false }, resolve).on('error', reject)),
    );
  }

  async received(expected: string): Promise<void> {
    while (!this.#text.includes(expected)) await new Promise<void>((resolve) => (this.#onText = resolve));
  }
}

const macrotask = () => new Promise((resolve) => setImmediate(resolve));
const statusEvent = (code: string) => new RegExp(`event: status\\n(id: .*\\n)?data: \\{"code":"${code}"\\}\\n`);

describeAdapters('a stream of a key', (adapter) => {
  let scenario: Scenario;
  let key: string;
  let keyId: string;
  let idleTimers: number;

  const start = async (parts: Omit<ScenarioOptions, 'adapter'> = {}) => {
    scenario = await startScenario({ adapter, controllers: [EventsController], ...parts });
    ({ key, keyId } = scenario.emulator.createKey());
    idleTimers = jest.getTimerCount();
  };
  const open = async (path = '', headers: Record<string, string> = { authorization: `Bearer ${key}` }) => {
    const opening = Reader.open(`${scenario.url}/events${path}`, headers);
    // Some versions send the headers with the first event only.
    while (!events.observed) await macrotask();
    events.next({ data: 'first' });
    const reader = await opening;
    await reader.received('data: first');
    return reader;
  };
  const goesOn = async (reader: Reader) => {
    for (let turn = 0; turn < 5; turn += 1) await macrotask();
    const data = `sent at ${scenario.clock.now()} after ${scenario.emulator.counters.verifies}`;
    events.next({ data });
    await reader.received(data);
  };
  /** Lets five seconds pass, by the clock and for the timers. */
  const pass5s = () => {
    scenario.clock.advance(5_000);
    jest.advanceTimersByTime(5_000);
  };
  const keys = () => scenario.app.get(ApiKeyVerificationService);

  beforeEach(() => {
    fakeIntervals();
    events = new Subject();
  });
  afterEach(async () => {
    events.complete();
    await scenario.close();
    jest.useRealTimers();
  });

  it('goes on while the key is accepted, without a call to Kinde', async () => {
    await start();
    const reader = await open();
    pass5s();
    await goesOn(reader);
    expect(scenario.emulator.counters.verifies).toBe(1);
  });

  it.each(['', '/later'])(
    'ends at once with a status event when its key is invalidated: handler "%s"',
    async (path) => {
      await start();
      const reader = await open(path);
      await keys().invalidate({ keyId: 'another' });
      await goesOn(reader);
      await keys().invalidate({ keyId });
      expect(events.observed).toBe(false);
      expect(await reader.ended).toMatch(statusEvent('KEY_REVOKED'));
    },
  );

  it.each([
    ['revoked', 'KEY_REVOKED'],
    ['inactive', 'KEY_INACTIVE'],
  ])('ends within ttlMs and five seconds of the moment when its key is %s in Kinde', async (status, code) => {
    await start({ options: { cache: { ttlMs: 60_000 } } });
    const reader = await open();
    scenario.emulator.setKeyStatus(keyId, status);
    let passedMs = 0;
    while (events.observed && passedMs < 65_000) {
      pass5s();
      passedMs += 5_000;
      // The check may have to ask the emulator.
      for (let turn = 0; events.observed && turn < (passedMs < 60_000 ? 5 : 1_000); turn += 1) await macrotask();
    }
    expect(events.observed).toBe(false);
    expect(await reader.ended).toMatch(statusEvent(code));
  });

  it('goes on during an outage of Kinde for as long as cached keys are accepted, and no longer', async () => {
    await start();
    const reader = await open();
    scenario.emulator.failUntilCleared(503);
    scenario.clock.advance(299_000);
    jest.advanceTimersByTime(5_000);
    while (scenario.emulator.counters.verifies < 3) await macrotask();
    await goesOn(reader);
    scenario.clock.advance(1_000);
    jest.advanceTimersByTime(5_000);
    expect(await reader.ended).toMatch(statusEvent('VERIFICATION_UNAVAILABLE'));
  });

  it('leaves nothing behind when the client goes away', async () => {
    await start();
    const reader = await open();
    expect(jest.getTimerCount()).toBeGreaterThan(idleTimers);
    reader.response.destroy();
    while (events.observed || jest.getTimerCount() > idleTimers) await macrotask();
    expect(scenario.emulator.counters.verifies).toBe(1);
  });

  it('is not watched if the client left before it began, which older versions of Nest do not notice', async () => {
    await start({ providers: [{ provide: APP_INTERCEPTOR, useClass: LeftBefore }] });
    await expect(scenario.get('/events', key)).rejects.toThrow('socket hang up');
    expect(events.observed).toBe(false);
    expect(jest.getTimerCount()).toBe(idleTimers);
  });

  it('ends as its handler ends it', async () => {
    await start();
    const reader = await open();
    events.complete();
    expect(await reader.ended).not.toContain('event: status');
    expect(jest.getTimerCount()).toBe(idleTimers);
  });

  it('fails as its handler fails', async () => {
    await start();
    const reader = await open();
    events.error(new Error('the source failed'));
    const text = await reader.ended;
    expect(text).toContain('event: error');
    expect(text).not.toContain('event: status');
    expect(jest.getTimerCount()).toBe(idleTimers);
  });

  it('ends where the interceptor is registered for the whole app', async () => {
    await start({
      controllers: [UndecoratedController],
      providers: [{ provide: APP_INTERCEPTOR, useClass: ApiKeyStreamInterceptor }],
      options: { globalGuard: true },
    });
    const reader = await open();
    await keys().invalidateAll();
    expect(await reader.ended).toMatch(statusEvent('KEY_REVOKED'));
  });

  it('goes on where its route is public, and is not looked at', async () => {
    await start();
    const reader = await open('/public');
    await keys().invalidateAll();
    pass5s();
    await goesOn(reader);
    expect(scenario.emulator.counters.verifies).toBe(0);
  });

  it('goes on where the caller has no API key', async () => {
    await start({ options: { principals: [Sessions] }, providers: [Sessions] });
    const reader = await open('', {});
    await keys().invalidateAll();
    pass5s();
    await goesOn(reader);
    expect(scenario.emulator.counters.verifies).toBe(0);
  });

  it('is what the interceptor ends, and no other answer', async () => {
    await start();
    expect((await scenario.get('/events/plain', key)).body).toEqual({ timers: idleTimers });
  });
});
