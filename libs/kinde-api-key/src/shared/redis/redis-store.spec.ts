import { redisStore, type RedisStoreOptions } from './redis-store.js';

const method = (): undefined => undefined;
const client = { call: method, duplicate: method, on: method, subscribe: method, disconnect: method };

function store(options: object) {
  return redisStore({ client, ...options } as unknown as RedisStoreOptions);
}

describe('redisStore', () => {
  it('counts rate limits locally during an outage by default', () => {
    expect(store({})).toMatchObject({ name: 'redis', limitsOnOutage: 'local' });
    expect(store({ timeoutMs: 5, limitsOnOutage: 'refuse' })).toMatchObject({ limitsOnOutage: 'refuse' });
  });

  it.each([
    [{ timeoutMs: 4 }, 'redisStore({ timeoutMs }) must be a whole number from 5 to 5000'],
    [{ timeoutMs: 5_001 }, 'redisStore({ timeoutMs }) must be a whole number from 5 to 5000'],
    [{ timeoutMs: '50' }, 'redisStore({ timeoutMs }) must be a whole number from 5 to 5000'],
    [{ limitsOnOutage: 'deny' }, "redisStore({ limitsOnOutage }) must be 'local' or 'refuse'"],
    [
      { limitOnOutage: 'refuse' },
      'redisStore({ limitOnOutage }) is not an option; known here: timeoutMs, limitsOnOutage',
    ],
    [{ client: {} }, 'redisStore({ client }) takes a client of ioredis 5 or 6'],
  ])('throws a TypeError for %j', (options, message) => {
    expect(() => store(options)).toThrow(TypeError);
    expect(() => store(options)).toThrow(message);
  });
});
