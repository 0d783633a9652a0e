import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import { apiKeyTracker } from './api-key-tracker.js';
import { keepState, stateOf } from './request-state.js';
import type { RouteRule } from '../rules/route-rule.js';

describe('apiKeyTracker()', () => {
  it('returns the id of the accepted key', () => {
    const request = { ip: '192.0.2.1' };
    const state = stateOf(request, Symbol('ours'), {} as RouteRule);
    keepState(Object.assign(state, { apiKey: { keyId: 'api_key_1' } as VerifiedApiKey, isAccepted: true }));
    expect(apiKeyTracker(request)).toBe('api_key_1');
  });

  it('returns the client’s address without a key, never a header that a client can choose', () => {
    const headers = { 'x-forwarded-for': '203.0.113.7', authorization: 'Bearer k_live_1234567890abcdef' };
    expect(apiKeyTracker({ ip: '192.0.2.1', headers })).toBe('192.0.2.1');
  });

  it.each([{}, { ip: '' }, { ip: 7 }, undefined, null])(
    'returns “unknown” without a key and an address: %p',
    (request) => {
      expect(apiKeyTracker(request)).toBe('unknown');
    },
  );
});
