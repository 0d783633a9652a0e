import { TestClock } from '../../testing/index.js';
import { NewKeyPace } from './new-key-pace.js';

/** Sends calls about new keys as fast as the pace allows, and returns how many. */
function sendFor(pace: NewKeyPace, clock: TestClock, ms: number): number {
  let sent = 0;
  for (let atMs = 0; atMs < ms; atMs += 100) {
    for (; pace.waitMs() === 0 && sent < 10_000; sent += 1) pace.sent(true);
    clock.advance(100);
  }
  return sent;
}

function start() {
  const clock = new TestClock();
  return { clock, pace: new NewKeyPace(clock) };
}

describe('NewKeyPace', () => {
  it('does not hold back anything before a 429', () => {
    const { pace } = start();
    for (let index = 0; index < 10_000; index += 1) pace.sent(true);
    expect(pace.waitMs()).toBe(0);
  });

  it('halves what Kinde took per second, until its reset, and rises back to it within about a minute', () => {
    const { clock, pace } = start();
    for (let index = 0; index < 100; index += 1) pace.sent(true);
    clock.advance(1_000);
    pace.slowDown(4_000);
    clock.advance(4_000);
    const first = sendFor(pace, clock, 10_000);
    expect(first).toBeGreaterThanOrEqual(100);
    expect(first).toBeLessThan(115);
    clock.advance(50_000);
    const later = sendFor(pace, clock, 1_000);
    expect(later).toBeGreaterThanOrEqual(20);
    expect(later).toBeLessThan(45);
  });

  it('halves again at each later 429, and once for several answers to calls of the same time', () => {
    const { clock, pace } = start();
    const rates: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      if (round === 0) for (let index = 0; index < 800; index += 1) pace.sent(true);
      for (let answer = 0; answer < 20; answer += 1) pace.slowDown(10_000);
      clock.advance(10_000);
      rates.push(sendFor(pace, clock, 1_000));
    }
    expect(rates[0]).toBeGreaterThanOrEqual(35);
    expect(rates[1]).toBeLessThan(rates[0] as number);
    expect(rates[2]).toBeLessThan(rates[1] as number);
  });

  it('sends a call right after the pause, and recovers from a 429 to the first call', () => {
    const { clock, pace } = start();
    pace.slowDown(60_000);
    clock.advance(60_000);
    expect(pace.waitMs()).toBe(0);
    pace.sent(true);
    expect(pace.waitMs()).toBe(2_000);
    expect(sendFor(pace, clock, 600_000)).toBeGreaterThan(3_000);
  });

  it('counts calls about known keys, and does not delay new ones for them', () => {
    const { clock, pace } = start();
    for (let index = 0; index < 60; index += 1) pace.sent(false);
    pace.slowDown(1_000);
    clock.advance(1_000);
    for (let index = 0; index < 60; index += 1) pace.sent(false);
    expect(pace.waitMs()).toBe(0);
    expect(sendFor(pace, clock, 1_000)).toBeGreaterThanOrEqual(25);
  });

  it('does not stop if the clock is set back', () => {
    const { clock, pace } = start();
    pace.slowDown(60_000);
    clock.set(clock.now() - 3_600_000);
    sendFor(pace, clock, 1_000);
    expect(sendFor(pace, clock, 60_000)).toBeGreaterThan(30);
  });
});
