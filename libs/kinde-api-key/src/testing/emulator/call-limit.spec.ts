import { KindeEmulator, TestClock } from '../index.js';

describe('callLimit of the emulator', () => {
  const clock = new TestClock();
  let emulator: KindeEmulator;
  beforeAll(async () => {
    emulator = await KindeEmulator.start({ clock, callLimit: { calls: 2, windowMs: 5_000 } });
  });
  afterAll(() => emulator.stop());

  const list = async () => {
    const headers = { authorization: `Bearer ${emulator.issueToken()}` };
    const response = await fetch(`${emulator.domain}/api/v1/api_keys`, { headers });
    await response.arrayBuffer();
    return [response.status, response.headers.get('ratelimit-reset')];
  };

  it('answers calls beyond the limit of a window with 429 and the seconds until its end, and JWKS as usual', async () => {
    expect([await list(), await list()]).toEqual([
      [200, null],
      [200, null],
    ]);
    clock.advance(1_500);
    expect(await list()).toEqual([429, '4']);
    expect((await fetch(`${emulator.domain}/.well-known/jwks`)).status).toBe(200);
    clock.advance(3_500);
    expect(await list()).toEqual([200, null]);
  });

  it.each([
    { calls: 0, windowMs: 1 },
    { calls: 1, windowMs: 0 },
    { calls: 1.5, windowMs: 1 },
    { calls: '1', windowMs: 1 },
  ])('rejects %j', async (callLimit) => {
    await expect(KindeEmulator.start({ callLimit: callLimit as never })).rejects.toThrow('callLimit must be');
  });
});
