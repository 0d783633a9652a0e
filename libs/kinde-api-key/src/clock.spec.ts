import { KINDE_API_KEY_CLOCK, SystemClock, Wait } from './clock.js';
import { TestClock } from './testing/test-clock.js';

const WALL_START_MS = 1_700_000_000_000;

describe('SystemClock', () => {
  let wallMs: number;
  let monotonicMs: number;

  beforeEach(() => {
    wallMs = WALL_START_MS;
    monotonicMs = 5_000;
    jest.spyOn(Date, 'now').mockImplementation(() => wallMs);
    jest.spyOn(performance, 'now').mockImplementation(() => monotonicMs);
  });

  afterEach(() => jest.restoreAllMocks());

  it('starts at the wall clock', () => {
    expect(new SystemClock().now()).toBe(WALL_START_MS);
  });

  it('advances with both', () => {
    const clock = new SystemClock();
    wallMs += 1_000;
    monotonicMs += 1_000;
    expect(clock.now()).toBe(WALL_START_MS + 1_000);
  });

  it('goes on when the wall clock is set back', () => {
    const clock = new SystemClock();
    wallMs -= 3_600_000;
    monotonicMs += 1_000;
    expect(clock.now()).toBe(WALL_START_MS + 1_000);
  });

  it('never goes back, and is a millisecond late at most', () => {
    const clock = new SystemClock();
    let last = clock.now();
    for (let step = 0; step < 400; step += 1) {
      monotonicMs += 0.25;
      wallMs = WALL_START_MS + Math.floor(monotonicMs - 5_000);
      const now = clock.now();
      expect(now).toBeGreaterThanOrEqual(last);
      expect(WALL_START_MS + monotonicMs - 5_000 - now).toBeLessThan(1);
      last = now;
    }
  });

  it('counts the time for which the process was suspended and the monotonic clock stood still', () => {
    const clock = new SystemClock();
    wallMs += 3_600_000;
    expect(clock.now()).toBe(WALL_START_MS + 3_600_000);
  });
});

describe('Wait', () => {
  it('is over after its length, and before it is started', () => {
    const clock = new TestClock(0);
    const wait = new Wait(clock);
    expect(wait.remainingMs).toBe(0);
    wait.start(1_000);
    expect(wait.remainingMs).toBe(1_000);
    clock.advance(999);
    expect(wait.remainingMs).toBe(1);
    clock.advance(1);
    expect(wait.remainingMs).toBe(0);
    wait.start(1_000);
    wait.start(0);
    expect(wait.remainingMs).toBe(0);
  });

  it('is over when the clock is set back to before its beginning', () => {
    const clock = new TestClock(3_600_000);
    const wait = new Wait(clock);
    wait.start(1_000);
    clock.set(0);
    expect(wait.remainingMs).toBe(0);
  });
});

describe('the token of the clock', () => {
  it('is the same in every copy of the library', () => {
    expect(KINDE_API_KEY_CLOCK).toBe(Symbol.for('nestjs-kinde-api-key:clock'));
  });
});
