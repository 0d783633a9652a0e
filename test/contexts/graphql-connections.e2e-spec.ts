import { UseGuards, UseInterceptors, type INestApplication } from '@nestjs/common';
import {
  Field,
  ObjectType,
  Parent,
  Query,
  ResolveField,
  Resolver,
  Subscription,
  type GqlModuleOptions,
} from '@nestjs/graphql';
import { createClient, type Client } from 'graphql-ws';
import {
  ApiKeyGuard,
  ApiKeyStreamInterceptor,
  ApiKeyVerificationService,
  CurrentApiKey,
  OrgCode,
  RequireScopes,
  type ApiKeyDecision,
  type VerifiedApiKey,
} from 'nestjs-kinde-api-key';
import { WebSocket } from 'ws';
import { fakeIntervals } from '../support/fake-intervals.js';
import { startScenario, type Scenario } from '../support/scenario.js';
import { DRIVERS } from './support/graphql-drivers.js';

const BAD_KEY = 'k_live_bad_00000000000';

/** Events of which there is one, and then none for ever. */
class Ticks implements AsyncIterableIterator<{ ticks: string }> {
  returned = 0;
  #given = 0;

  next(): Promise<IteratorResult<{ ticks: string }>> {
    this.#given += 1;
    return this.#given > 1
      ? new Promise(() => undefined)
      : Promise.resolve({ done: false, value: { ticks: 'the first' } });
  }

  return(): Promise<IteratorResult<{ ticks: string }>> {
    this.returned += 1;
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}

let ticks: Ticks;

@ObjectType()
class Beat {
  @Field(() => String)
  at!: string;
}

@Resolver(() => Beat)
@UseGuards(ApiKeyGuard)
class BeatsResolver {
  @Subscription(() => Beat)
  @RequireScopes('read:events')
  async *beats(): AsyncGenerator<{ beats: Beat }> {
    for (const at of ['1', '2']) yield await Promise.resolve({ beats: { at } });
  }

  @ResolveField(() => String, { nullable: true })
  @RequireScopes('read:events')
  owner(@Parent() { at }: Beat, @OrgCode() orgCode: string) {
    return `${at} of ${orgCode}`;
  }

  @ResolveField(() => String, { nullable: true })
  @RequireScopes('read:secrets')
  secret() {
    return 'secret';
  }
}

@Resolver()
@UseGuards(ApiKeyGuard)
class EventsResolver {
  @Query(() => String)
  @RequireScopes('read:events')
  latest(): string {
    return 'latest';
  }

  @Subscription(() => String)
  @RequireScopes('read:events')
  async *events(@CurrentApiKey() apiKey: VerifiedApiKey): AsyncGenerator<{ events: string }> {
    await new Promise(setImmediate);
    yield { events: apiKey.keyId };
  }

  @Subscription(() => String)
  @RequireScopes('read:events')
  @UseInterceptors(ApiKeyStreamInterceptor)
  ticks() {
    return ticks;
  }
}

const SUBSCRIPTIONS: Readonly<Record<string, Partial<GqlModuleOptions>>> = {
  Apollo: { subscriptions: { 'graphql-ws': true } } as Partial<GqlModuleOptions>,
  Mercurius: { subscription: true } as Partial<GqlModuleOptions>,
};

/** Apollo's server sends a result with errors, the one of Mercurius a message of the type error. */
function errorsOf(told: unknown): unknown {
  return Array.isArray(told) ? told : (told as { readonly errors?: unknown }).errors;
}

/** A client of GraphQL over WebSocket. */
function connect(url: string, connectionParams: Record<string, unknown>): Client {
  return createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams,
    retryAttempts: 0,
  });
}

describe.each(DRIVERS.filter(([name]) => name.includes('code first')))('a GraphQL connection of %s', (name, driver) => {
  let scenario: Scenario;
  let app: INestApplication;
  const decisions: ApiKeyDecision[] = [];

  beforeAll(async () => {
    scenario = await startScenario({
      adapter: driver.adapter,
      imports: [driver.module(SUBSCRIPTIONS[name.split(/[ ,]/)[0] ?? ''])],
      providers: [EventsResolver, BeatsResolver],
      options: { onDecision: (decision) => decisions.push(decision) },
    });
    ({ app } = scenario);
  });
  afterAll(() => scenario.close());
  beforeEach(() => {
    decisions.length = 0;
  });

  /** Subscribes once for each of the steps that precede it, and returns what the client is told. */
  const subscribe = async (
    connectionParams: Record<string, unknown> | undefined,
    headers: Record<string, string> = {},
    between: () => Promise<void> = async () => undefined,
  ) => {
    class Socket extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, { headers });
      }
    }
    const client = createClient({
      url: `${scenario.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: Socket,
      ...(connectionParams && { connectionParams }),
      retryAttempts: 0,
      lazy: false,
      onNonLazyError: () => undefined,
    });
    const once = () =>
      new Promise<unknown>((resolve) => {
        let told: unknown = 'nothing';
        client.subscribe(
          { query: 'subscription { events }' },
          { next: (value) => (told = value), error: resolve, complete: () => resolve(told) },
        );
      });
    const answers = [await once()];
    await between();
    answers.push(await once());
    await client.dispose();
    return answers;
  };
  const newKey = (scopes = ['read:events']) => scenario.emulator.createKey({ scopes, orgCode: 'org_a' });

  it('accepts the key in connectionParams, under the name of its header', async () => {
    const { key, keyId } = newKey();
    const answer = { data: { events: keyId } };
    expect(await subscribe({ authorization: `Bearer ${key}` })).toMatchObject([answer, answer]);
    expect(await subscribe({ Authorization: `Bearer ${key}` })).toMatchObject([answer, answer]);
    expect(decisions).toHaveLength(4);
  });

  it('accepts the key in a header of the request that opens the connection', async () => {
    const { key, keyId } = newKey();
    const answer = { data: { events: keyId } };
    expect(await subscribe(undefined, { authorization: `Bearer ${key}` })).toMatchObject([answer, answer]);
  });

  it.each([
    ['no key', () => undefined, 'MISSING_KEY'],
    ['a bad key', () => ({ authorization: `Bearer ${BAD_KEY}` }), 'INVALID_KEY'],
    ['a key that is no text', () => ({ authorization: [BAD_KEY] }), 'MALFORMED_REQUEST'],
    ['a missing scope', () => ({ authorization: `Bearer ${newKey([]).key}` }), 'INSUFFICIENT_SCOPE'],
    ['a key under another name', () => ({ token: newKey().key }), 'MISSING_KEY'],
  ])('refuses %s', async (_case, params, code) => {
    const [answer] = await subscribe(params());
    expect(errorsOf(answer)).toMatchObject([{ extensions: { code } }]);
    expect(decisions[0]).toMatchObject({ outcome: 'refused', code });
  });

  it('refuses two credentials, one in a header', async () => {
    const { key } = newKey();
    const [answer] = await subscribe({ authorization: `Bearer ${key}` }, { authorization: `Bearer ${key}` });
    expect(errorsOf(answer)).toMatchObject([{ extensions: { code: 'MALFORMED_REQUEST' } }]);
  });

  it('refuses the next subscription of an open connection, once the key is revoked and invalidated', async () => {
    const { key, keyId } = newKey();
    const revoke = async () => {
      scenario.emulator.revokeKey(keyId);
      await app.get(ApiKeyVerificationService).invalidate({ keyId });
    };
    const [before, after] = await subscribe({ authorization: `Bearer ${key}` }, {}, revoke);
    expect(before).toMatchObject({ data: { events: keyId } });
    expect(errorsOf(after)).toMatchObject([{ extensions: { code: 'KEY_REVOKED' } }]);
  });

  it('checks the fields of each event by their own rules', async () => {
    const { key } = newKey();
    const client = connect(scenario.url, { authorization: `Bearer ${key}` });
    const told: unknown[] = [];
    for await (const event of client.iterate({ query: 'subscription { beats { at owner secret } }' })) told.push(event);
    await client.dispose();
    expect(told).toMatchObject(
      ['1', '2'].map((at) => ({
        data: { beats: { at, owner: `${at} of org_a`, secret: null } },
        errors: [{ path: ['beats', 'secret'], extensions: { code: 'INSUFFICIENT_SCOPE' } }],
      })),
    );
  });

  describe('with a subscription that runs', () => {
    let idleTimers: number;

    beforeEach(() => {
      fakeIntervals();
      ticks = new Ticks();
      idleTimers = jest.getTimerCount();
    });
    afterEach(() => {
      jest.useRealTimers();
    });

    /** Subscribes, and resolves to what the client is told when it ends. */
    const run = async (onFirst: (keyId: string, unsubscribe: () => void) => unknown) => {
      const { key, keyId } = newKey();
      const client = connect(scenario.url, { authorization: `Bearer ${key}` });
      const told: unknown[] = [];
      await new Promise<void>((resolve) => {
        const unsubscribe = client.subscribe(
          { query: 'subscription { ticks }' },
          {
            next: (value) => {
              told.push(value);
              void onFirst(keyId, () => unsubscribe());
            },
            error: (error) => {
              told.push(error);
              resolve();
            },
            complete: resolve,
          },
        );
      });
      await client.dispose();
      while (ticks.returned === 0 || jest.getTimerCount() > idleTimers) await new Promise(setImmediate);
      return told;
    };
    const THE_FIRST = [{ data: { ticks: 'the first' } }];

    it('completes it at once when its key is invalidated', async () => {
      expect(await run((keyId) => app.get(ApiKeyVerificationService).invalidate({ keyId }))).toEqual(THE_FIRST);
      expect(ticks.returned).toBe(1);
    });

    it('completes it when its key is revoked in Kinde, after ttlMs', async () => {
      const told = await run((keyId) => {
        scenario.emulator.revokeKey(keyId);
        scenario.clock.advance(60_000);
        jest.advanceTimersByTime(5_000);
      });
      expect(told).toEqual(THE_FIRST);
    });

    it('leaves nothing behind when the client unsubscribes', async () => {
      expect(await run((_keyId, unsubscribe) => unsubscribe())).toEqual(THE_FIRST);
    });
  });
});

describe.each(DRIVERS.filter(([name]) => /Apollo.*code first/.test(name)))(
  'GraphQL connections of %s with one context object for all',
  (_name, driver) => {
    it('accept nobody by the connection before', async () => {
      const shared: { req?: unknown } = {};
      // What an object as `context` amounts to in @nestjs/apollo up to 13.
      const context = (given: unknown) => Object.assign(shared, { req: shared.req ?? given });
      const scenario = await startScenario({
        adapter: driver.adapter,
        imports: [driver.module({ ...SUBSCRIPTIONS.Apollo, context })],
        providers: [EventsResolver],
      });
      const { key, keyId } = scenario.emulator.createKey({ scopes: ['read:events'] });
      const told: unknown[] = [];
      for (const connectionParams of [{ authorization: `Bearer ${key}` }, {}]) {
        const client = connect(scenario.url, connectionParams);
        const events = client.iterate({ query: 'subscription { events }' });
        told.push(await events.next().then(({ value }) => value as unknown));
        await client.dispose();
      }
      expect(told).toMatchObject([
        { data: { events: keyId } },
        { errors: [{ extensions: { code: 'UNSUPPORTED_CONTEXT' } }] },
      ]);
      await scenario.close();
    });
  },
);
