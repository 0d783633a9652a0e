import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Controller, Get } from '@nestjs/common';
import {
  AnyValidKey,
  auditLog,
  KeysOnly,
  OrgScoped,
  RequireAnyScope,
  RequireFreshVerification,
  RequireScopes,
  UserScoped,
  type ApiKeyAuditEntry,
  type ApiKeyDecision,
  type KindeApiKeyOptions,
} from 'nestjs-kinde-api-key';
import { KindeEmulator } from 'nestjs-kinde-api-key/testing';
import { messageWith, startChild } from './support/child.js';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

const CHANNEL = 'nestjs-kinde-api-key:decision';
const NOTHING = { scopes: [], anyOf: [], organization: false, user: false, keysOnly: false, maxAgeMs: null };

@Controller()
class RoutesController {
  @Get('any')
  @AnyValidKey()
  any() {
    return 'ok';
  }

  @Get('orgs/:orgCode')
  @RequireScopes('read:users')
  @RequireAnyScope('a', 'b')
  @OrgScoped()
  @UserScoped()
  @KeysOnly()
  @RequireFreshVerification({ maxAgeMs: 5_000 })
  everything() {
    return 'ok';
  }
}

describeAdapters('decisions', (adapter) => {
  let scenario: Scenario;
  const published: ApiKeyDecision[] = [];
  const onMessage = (message: unknown): void => void published.push(message as ApiKeyDecision);

  async function start(options: KindeApiKeyOptions = {}): Promise<void> {
    published.length = 0;
    scenario = await startScenario({
      adapter,
      controllers: [RoutesController],
      options: { globalGuard: true, ...options },
    });
    subscribe(CHANNEL, onMessage);
  }
  afterEach(async () => {
    unsubscribe(CHANNEL, onMessage);
    await scenario.close();
  });

  it('reach a subscriber of the channel without onDecision: accepted and refused, with an unknown key and without one', async () => {
    await start();
    const { key, keyId } = scenario.emulator.createKey({ orgCode: 'org_a' });
    await scenario.get('/any', key);
    await scenario.get('/any', 'k_live_unknown_to_kinde');
    await scenario.get('/any');
    await scenario.get('/orgs/org_a', key);
    expect(published).toMatchObject([
      { outcome: 'accepted', code: null, principal: { kind: 'api_key', id: keyId }, source: 'kinde' },
      { outcome: 'refused', code: 'INVALID_KEY', keyId: null, principal: null, source: 'kinde' },
      { outcome: 'refused', code: 'MISSING_KEY', keyId: null, principal: null, source: null },
      { outcome: 'refused', code: 'INSUFFICIENT_SCOPE', principal: { kind: 'api_key', id: keyId } },
    ]);
    expect(published.every(({ latencyMs }) => typeof latencyMs === 'number' && latencyMs >= 0)).toBe(true);
    expect(JSON.stringify(published)).not.toContain(key);
    expect(JSON.stringify(published)).not.toContain('k_live_unknown');
  });

  it('are one frozen object for onDecision and for subscribers', async () => {
    const heard: ApiKeyDecision[] = [];
    await start({ onDecision: (decision) => void heard.push(decision) });
    await scenario.get('/any');
    expect(published).toHaveLength(1);
    expect(heard[0]).toBe(published[0]);
    expect(Object.isFrozen(heard[0])).toBe(true);
  });

  it('say what the route requires, in one frozen object per route', async () => {
    await start();
    const { key } = scenario.emulator.createKey();
    for (const path of ['/any', '/orgs/org_a', '/orgs/org_b']) await scenario.get(path, key);
    expect(published.map(({ required }) => required)).toEqual([
      NOTHING,
      ...Array.from({ length: 2 }, () => ({
        scopes: ['read:users'],
        anyOf: [['a', 'b']],
        organization: true,
        user: true,
        keysOnly: true,
        maxAgeMs: 5_000,
      })),
    ]);
    expect(published[1]?.required).toBe(published[2]?.required);
    const { required } = published[1] ?? {};
    expect([required, required?.scopes, required?.anyOf, required?.anyOf[0]].every(Object.isFrozen)).toBe(true);
  });

  it('have the source kinde, then memory, then stale during an outage, then kinde again', async () => {
    await start();
    const { key } = scenario.emulator.createKey();
    const sourceOf = async (): Promise<unknown> => {
      expect(await scenario.get('/any', key)).toMatchObject({ status: 200 });
      const { source, cached } = published.at(-1) ?? {};
      return [source, cached];
    };
    expect(await sourceOf()).toEqual(['kinde', false]);
    expect(await sourceOf()).toEqual(['memory', true]);
    scenario.emulator.failUntilCleared({ status: 503 });
    scenario.clock.advance(60_001);
    expect(await sourceOf()).toEqual(['stale', false]); // waited for Kinde
    expect(await sourceOf()).toEqual(['stale', true]); // did not wait
    scenario.emulator.clearFaults();
    scenario.clock.advance(240_000);
    expect(await sourceOf()).toEqual(['kinde', false]);
  });

  it('have the source memory for a key that is refused from memory', async () => {
    await start();
    await scenario.get('/any', 'k_live_unknown_to_kinde');
    await scenario.get('/any', 'k_live_unknown_to_kinde');
    expect(published.map(({ source }) => source)).toEqual(['kinde', 'memory']);
  });

  it('of unknown callers are written to the audit log when the app shuts down', async () => {
    const entries: ApiKeyAuditEntry[] = [];
    await start({ onDecision: auditLog({ log: (entry) => entries.push(entry) }) });
    const { key } = scenario.emulator.createKey();
    for (const sent of [undefined, 'k_live_unknown_to_kinde', undefined, key]) await scenario.get('/any', sent);
    expect(entries).toMatchObject([{ event: 'api_key_decision', outcome: 'accepted' }]);
    await scenario.app.close();
    expect(entries.slice(1)).toMatchObject([
      { event: 'api_key_anonymous_refusals', code: 'MISSING_KEY', count: 2 },
      { event: 'api_key_anonymous_refusals', code: 'INVALID_KEY', count: 1 },
    ]);
    expect(JSON.stringify(entries)).not.toMatch(/k_live/);
  });

  it('have no source where Kinde gave no verdict', async () => {
    await start();
    scenario.emulator.failUntilCleared({ status: 503 });
    await scenario.get('/any', 'k_live_unknown_to_kinde');
    expect(published).toMatchObject([{ code: 'VERIFICATION_UNAVAILABLE', source: null, cached: null }]);
  });
});

describe('a subscriber that throws', () => {
  it('changes no answer and no other subscriber; Node reports its error as an uncaught exception', async () => {
    const emulator = await KindeEmulator.start();
    const { key } = emulator.createKey();
    const child = startChild('subprocesses/throwing-subscriber.ts', {
      env: { ...emulator.environment, GOOD_KEY: key },
    });
    try {
      const { told } = await messageWith<{ told: unknown }>(child, 'told');
      expect(told).toEqual({ statuses: [200, 401], uncaught: ['subscriber', 'subscriber'], later: 2 });
    } finally {
      child.disconnect();
      await emulator.stop();
    }
  });
});
