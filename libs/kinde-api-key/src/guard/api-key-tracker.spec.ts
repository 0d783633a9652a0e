import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import { apiKeyTracker } from './api-key-tracker.js';
import { visitOf } from './visit.js';
import type { RouteRule } from '../rules/route-rule.js';

describe('apiKeyTracker', () => {
  it('gives the id of the key that was accepted', () => {
    const request = { ip: '192.0.2.1' };
    visitOf(request, Symbol('ours'), {} as RouteRule).apiKey = { keyId: 'api_key_1' } as VerifiedApiKey;
    expect(apiKeyTracker(request)).toBe('api_key_1');
  });

  it('gives the address of the client where there is no key, and never a header that a client could make up', () => {
    const headers = { 'x-forwarded-for': '203.0.113.7', authorization: 'Bearer k_live_1234567890abcdef' };
    expect(apiKeyTracker({ ip: '192.0.2.1', headers })).toBe('192.0.2.1');
  });

  it.each([{}, { ip: '' }, { ip: 7 }, undefined, null])('gives one tracker to all that have neither: %p', (request) => {
    expect(apiKeyTracker(request)).toBe('unknown');
  });
});
