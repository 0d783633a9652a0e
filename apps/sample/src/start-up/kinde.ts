import { DEMO_KEYS } from '../demo/demo-keys.js';
import { KINDE_VARIABLES } from './settings.js';

/** Who verifies the keys. */
export interface Kinde {
  /** As in `KINDE_DOMAIN`. */
  readonly domain: string;
  readonly isEmulated: boolean;
  stop(): Promise<void>;
}

/** @returns a Kinde that is already there, with its credentials in the environment */
export function realKinde(domain: string): Kinde {
  return { domain, isEmulated: false, stop: () => Promise.resolve() };
}

/**
 * Starts the emulator with the demo keys, in this process, and points the environment at it as it would point at a real Kinde: the
 * rest of the app cannot tell the difference.
 */
export async function startEmulatedKinde(): Promise<Kinde> {
  // imported here, so that a start with a real Kinde loads nothing that is made for tests
  const { KindeEmulator } = await import('nestjs-kinde-api-key/testing');
  const emulator = await KindeEmulator.start({ keys: Object.values(DEMO_KEYS) });
  process.env.KINDE_DOMAIN = emulator.domain;
  process.env.KINDE_MANAGEMENT_CLIENT_ID = emulator.credentials.clientId;
  process.env.KINDE_MANAGEMENT_CLIENT_SECRET = emulator.credentials.clientSecret;
  delete process.env.KINDE_API_ID; // the id of an API in a real Kinde means nothing here
  return {
    domain: emulator.domain,
    isEmulated: true,
    async stop(): Promise<void> {
      for (const name of KINDE_VARIABLES) delete process.env[name];
      await emulator.stop();
    },
  };
}
