import { EventEmitter } from 'node:events';
import type { VerifiedApiKey } from '../../api-key/verified-api-key.js';
import { Listeners } from '../../listeners.js';
import type { Invalidation } from '../../shared/shared-store.js';
import { OpenSockets } from './open-sockets.js';

const KEY = { keyId: 'api_key_1', orgCode: 'org_a', userId: null } as VerifiedApiKey;

class WsClient extends EventEmitter {
  readonly closed: [number, string][] = [];
  close(code: number, reason: string): void {
    this.closed.push([code, reason]);
  }
}

function openSockets() {
  const clock = { now: () => 1_000 };
  const verification = { verify: jest.fn(), onInvalidated: new Listeners<Invalidation>() };
  const sockets = new OpenSockets(verification, clock);
  const invalidate = (tag: string, atMs = clock.now()) => verification.onInvalidated.notify({ tag, atMs });
  return { sockets, invalidate, clock };
}

describe('the open sockets', () => {
  it.each(['keyId:api_key_1', 'orgCode:org_a', '*'])('are closed once by an invalidation of %s', (tag) => {
    const { sockets, invalidate } = openSockets();
    const client = new WsClient();
    sockets.note(client, KEY);
    sockets.note(client, KEY);
    invalidate('keyId:api_key_2');
    expect(client.closed).toEqual([]);
    invalidate(tag);
    invalidate(tag);
    expect(client.closed).toEqual([[1008, 'API key invalidated']]);
  });

  it('are kept open by an invalidation from before their last message', () => {
    const { sockets, invalidate } = openSockets();
    const client = new WsClient();
    sockets.note(client, KEY);
    invalidate('keyId:api_key_1', 999);
    expect(client.closed).toEqual([]);
  });

  it('go by what the key was when it was verified last', () => {
    const { sockets, invalidate } = openSockets();
    const client = new WsClient();
    sockets.note(client, KEY);
    sockets.note(client, { ...KEY, orgCode: 'org_b' });
    invalidate('orgCode:org_a');
    expect(client.closed).toEqual([]);
    invalidate('orgCode:org_b');
    expect(client.closed).toHaveLength(1);
  });

  it('are forgotten when they close, and are listened to once', () => {
    const { sockets, invalidate } = openSockets();
    const client = new WsClient();
    for (const orgCode of ['org_a', 'org_b', 'org_c']) sockets.note(client, { ...KEY, orgCode });
    expect(client.listenerCount('close')).toBe(1);
    client.emit('close');
    invalidate('*');
    expect(client.closed).toEqual([]);
  });

  it.each<[string, object]>([
    ['socket.io', { handshake: {}, disconnected: true }],
    ['ws', { readyState: 3 }],
  ])('of %s are not kept if the client left while its first message was decided', (_name, state) => {
    const { sockets, invalidate } = openSockets();
    const client = Object.assign(new WsClient(), state);
    sockets.note(client, KEY);
    expect(client.eventNames()).toEqual([]);
    invalidate('*');
    expect(client.closed).toEqual([]);
  });

  it('do not need a service that can be written to', () => {
    expect(() => new OpenSockets(Object.freeze({ verify: jest.fn() }), { now: () => 0 })).not.toThrow();
  });
});
