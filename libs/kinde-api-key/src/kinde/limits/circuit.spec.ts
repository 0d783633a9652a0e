import { TestClock } from '../../testing/index.js';
import { VerificationFailure } from '../verification-failure.js';
import { Circuit } from './circuit.js';

const fail = () => Promise.reject(new VerificationFailure('kinde', 'down'));
const succeed = () => Promise.resolve('ok');

function newCircuit() {
  const clock = new TestClock(1_000_000);
  const openings: VerificationFailure[] = [];
  const circuit = new Circuit(clock, (refusal) => openings.push(refusal));
  const failTimes = async (times: number) => {
    for (let index = 0; index < times; index += 1) await circuit.run(fail).catch(() => undefined);
  };
  return { circuit, clock, openings, failTimes };
}

describe('Circuit', () => {
  it('stays closed for nine failures in a row', async () => {
    const { circuit, failTimes, openings } = newCircuit();
    await failTimes(9);
    expect(circuit.refusal()).toBeUndefined();
    await expect(circuit.run(succeed)).resolves.toBe('ok');
    expect(openings).toEqual([]);
  });

  it('opens at the tenth failure, calls onOpen once, and sends nothing', async () => {
    const { circuit, failTimes, openings } = newCircuit();
    await failTimes(10);
    const call = jest.fn(succeed);
    await expect(circuit.run(call)).rejects.toMatchObject({ kind: 'circuit_open', retryAfterSeconds: 1 });
    expect(call).not.toHaveBeenCalled();
    expect(openings).toEqual([expect.objectContaining({ kind: 'circuit_open', retryAfterSeconds: 1 })]);
  });

  it('counts from zero after a success', async () => {
    const { circuit, failTimes } = newCircuit();
    await failTimes(9);
    await circuit.run(succeed);
    await failTimes(9);
    expect(circuit.refusal()).toBeUndefined();
  });

  it('does not count failures that say nothing about Kinde', async () => {
    const { circuit } = newCircuit();
    for (let index = 0; index < 20; index += 1) {
      await expect(circuit.run(() => Promise.reject(new VerificationFailure('busy', 'full')))).rejects.toThrow('full');
    }
    expect(circuit.refusal()).toBeUndefined();
  });

  it('sends one probe after a second, and rejects every other call meanwhile', async () => {
    const { circuit, clock, failTimes } = newCircuit();
    await failTimes(10);
    clock.advance(999);
    await expect(circuit.run(succeed)).rejects.toMatchObject({ kind: 'circuit_open' });
    clock.advance(1);
    expect(circuit.refusal()).toBeUndefined();
    let finish = (_value: string): void => {};
    const probes: boolean[] = [];
    const probe = circuit.run((isProbe) => {
      probes.push(isProbe);
      return new Promise<string>((resolve) => (finish = resolve));
    });
    const others = await Promise.allSettled(Array.from({ length: 100 }, () => circuit.run(succeed)));
    expect(others.filter(({ status }) => status === 'rejected')).toHaveLength(100);
    expect(circuit.refusal()).toMatchObject({ retryAfterSeconds: 1 });
    finish('ok');
    await expect(probe).resolves.toBe('ok');
    await circuit.run(async (isProbe) => void probes.push(isProbe));
    expect(probes).toEqual([true, false]);
  });

  it('doubles the pause after each failed probe, up to 30 s', async () => {
    const { circuit, clock, failTimes, openings } = newCircuit();
    await failTimes(10);
    const pauses: (number | undefined)[] = [];
    for (let index = 0; index < 7; index += 1) {
      const seconds = circuit.refusal()?.retryAfterSeconds;
      pauses.push(seconds);
      clock.advance((seconds ?? 0) * 1_000);
      await failTimes(1);
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 30, 30]);
    expect(openings.map(({ retryAfterSeconds }) => retryAfterSeconds)).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
  });

  it('rounds retryAfterSeconds up', async () => {
    const { circuit, clock, failTimes } = newCircuit();
    await failTimes(10);
    clock.advance(1_000);
    await failTimes(1);
    clock.advance(300);
    expect(circuit.refusal()?.retryAfterSeconds).toBe(2);
    clock.advance(1_000);
    expect(circuit.refusal()?.retryAfterSeconds).toBe(1);
  });

  it('starts with a pause of a second again after a success', async () => {
    const { circuit, clock, failTimes } = newCircuit();
    await failTimes(10);
    clock.advance(1_000);
    await failTimes(1);
    clock.advance(2_000);
    await circuit.run(succeed);
    await failTimes(10);
    expect(circuit.refusal()?.retryAfterSeconds).toBe(1);
  });

  it('closes after a probe that was throttled or aborted, which says nothing about an outage', async () => {
    const { circuit, clock, failTimes } = newCircuit();
    await failTimes(10);
    clock.advance(1_000);
    await expect(circuit.run(() => Promise.reject(new VerificationFailure('throttled', '429')))).rejects.toThrow('429');
    expect(circuit.refusal()).toBeUndefined();
  });

  it('opens again at the first failure after such a probe', async () => {
    const { circuit, clock, failTimes } = newCircuit();
    await failTimes(10);
    clock.advance(1_000);
    await circuit.run(() => Promise.reject(new VerificationFailure('throttled', '429'))).catch(() => undefined);
    await failTimes(1);
    expect(circuit.refusal()).toMatchObject({ retryAfterSeconds: 1 });
  });

  it('ignores failures of calls that were sent before it opened, so that the probe alone decides', async () => {
    const { circuit, clock, failTimes, openings } = newCircuit();
    const fails: (() => void)[] = [];
    const late = Array.from({ length: 3 }, () =>
      circuit
        .run(
          () => new Promise((_resolve, reject) => fails.push(() => reject(new VerificationFailure('kinde', 'late')))),
        )
        .catch(() => undefined),
    );
    await failTimes(10);
    fails[0]?.();
    await late[0];
    clock.advance(1_000);
    let answer = (_value: string): void => {};
    const probe = circuit.run(() => new Promise<string>((resolve) => (answer = resolve)));
    for (const failLate of fails) failLate();
    await Promise.all(late);
    answer('ok');
    await probe;
    expect(openings).toHaveLength(1);
    expect(circuit.refusal()).toBeUndefined();
  });
});
