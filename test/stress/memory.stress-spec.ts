import { KindeEmulator, type KindeEmulatorFault } from 'nestjs-kinde-api-key/testing';
import { messageWith, startChild } from '../support/child.js';

jest.setTimeout(300_000);

/** Maximum memory above idle, in MB. */
const ABOVE_IDLE_MB = 30;

describe('the memory of a process', () => {
  let emulator: KindeEmulator;
  let env: NodeJS.ProcessEnv;

  beforeEach(async () => {
    emulator = await KindeEmulator.start();
    const { clientId, clientSecret } = emulator.credentials;
    const { key } = emulator.createKey({ scopes: ['read:users'], orgCode: 'org_a' });
    env = { KINDE: emulator.domain, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret, GOOD_KEY: key };
  });
  afterEach(() => emulator.stop());

  it('stays under 30 MB above idle while Kinde sends 50 MB and endless bodies, and each is an outage', async () => {
    const child = startChild('subprocesses/big-bodies.ts', { env, nodeFlags: ['--expose-gc'] });
    await messageWith(child, 'ready');
    const faults: [name: string, fault: KindeEmulatorFault][] = [
      ['huge', { huge: 50_000_000 }],
      ['declared', { huge: 50_000_000, declared: true }],
      ['endless', { endless: true }],
    ];
    const end = messageWith<{ idle: unknown; idleMb: number; results: { aboveIdleMb: number; externalMb: number }[] }>(
      child,
      'results',
    );
    for (const [, fault] of faults) {
      const done = messageWith(child, 'done');
      emulator.failUntilCleared(fault, 'verify');
      child.send('go');
      await done;
      // The circuit opens after ten failures in a row: a success in between keeps it closed for the next eight.
      emulator.clearFaults();
    }
    const { idle, idleMb, results } = await end;
    expect(idle).toEqual({ accepted: 200 });
    expect(results).toMatchObject(faults.map(([fault]) => ({ fault, outcomes: { VERIFICATION_UNAVAILABLE: 8 } })));
    const peakMb = Math.max(...results.map(({ aboveIdleMb }) => aboveIdleMb));
    const externalMb = Math.max(...results.map((result) => result.externalMb));
    expect(peakMb).toBeLessThan(ABOVE_IDLE_MB);
    expect(externalMb).toBeLessThan(ABOVE_IDLE_MB);
    // oxlint-disable-next-line no-console -- prints the measured values
    console.log(
      `50 MB and endless bodies: ${peakMb.toFixed(1)} MB resident above the ${idleMb.toFixed(0)} MB of idle, ` +
        `${externalMb.toFixed(1)} MB external`,
    );
  });

  it('does not grow when a thousand modules are created and closed, and keeps no handle of them', async () => {
    interface Mark {
      readonly heapMb: number;
      readonly resources: string[];
    }
    const churn = (withoutLibrary: boolean) => {
      const child = startChild('subprocesses/module-churn.ts', {
        env: { ...env, WITHOUT_LIBRARY: String(withoutLibrary) },
        nodeFlags: ['--expose-gc'],
      });
      return messageWith<{ early: Mark; late: Mark }>(child, 'late');
    };
    const [{ early, late }, without] = await Promise.all([churn(false), churn(true)]);
    const grownMb = late.heapMb - early.heapMb;
    const nestMb = without.late.heapMb - without.early.heapMb;
    // oxlint-disable-next-line no-console -- prints the measured values
    console.log(
      `1,000 modules: heap ${early.heapMb.toFixed(1)} MB after 200, ${late.heapMb.toFixed(1)} MB after 1,000; Nest's part of ` +
        `that growth is ${nestMb.toFixed(1)} of ${grownMb.toFixed(1)} MB; handles ${late.resources.join(', ')}`,
    );
    // 2 KB for each of the 800 modules. A leaked cache, agent or registration is larger.
    expect(grownMb - nestMb).toBeLessThan(1.6);
    expect(late.resources).toEqual(early.resources);
    expect(late.resources).toEqual(without.late.resources);
  });
});
