import { DEMO_KEYS } from '../demo/demo-keys.js';
import { SCOPES } from '../scopes.js';
import { KINDE_VARIABLES } from './settings.js';

/** The Kinde, real or emulated, that verifies the keys. */
export interface Kinde {
  /** Value of `KINDE_DOMAIN`. */
  readonly domain: string;
  readonly isEmulated: boolean;
  stop(): Promise<void>;
}

/** Returns a real Kinde, whose credentials are in the environment. */
export function realKinde(domain: string): Kinde {
  return { domain, isEmulated: false, stop: () => Promise.resolve() };
}

/**
 * Starts the emulator with the demo keys in this process. Sets the same environment variables as for a real Kinde, so the
 * rest of the app is the same.
 */
export async function startEmulatedKinde(): Promise<Kinde> {
  // imported here, so that a start with a real Kinde does not load code for tests
  const { KindeEmulator } = await import('nestjs-kinde-api-key/testing');
  const emulator = await KindeEmulator.start({
    apis: [{ name: 'Sample API', scopes: SCOPES }],
    keys: Object.values(DEMO_KEYS),
  });
  Object.assign(process.env, emulator.environment);
  delete process.env.KINDE_API_ID; // the emulator does not know the API ids of a real Kinde
  return {
    domain: emulator.domain,
    isEmulated: true,
    async stop(): Promise<void> {
      for (const name of KINDE_VARIABLES) delete process.env[name];
      await emulator.stop();
    },
  };
}
