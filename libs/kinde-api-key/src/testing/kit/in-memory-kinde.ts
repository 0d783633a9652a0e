import { RawKey } from '../../api-key/raw-key.js';
import { type Clock, SystemClock } from '../../clock.js';
import { KindeApiKeyManagementError, KindeApiKeyUnavailableError } from '../../kinde-api-key.errors.js';
import { parseVerifyAnswer, refused } from '../../kinde/answers/verify-answer.js';
import type { KeyAnswer, KeyVerifier } from '../../kinde/key-verifier.js';
import { type KindeEmulatorKeyOptions, KeyStore } from '../emulator/key-store.js';
import { verificationAnswer } from '../emulator/verify-endpoint.js';

/** Stands for every registered API in the list of a key. Not an id that Kinde issues. */
const EVERY_API = '*';

/** Everything that a registration may ask of Kinde's client. */
type Verifier = Pick<KeyVerifier, keyof KeyVerifier>;

/** API keys in memory, and the answers that Kinde would give about them. It has no socket, timer or token. */
export class InMemoryKinde {
  isUnavailable = false;
  readonly #keys = new KeyStore(new SystemClock(), EVERY_API);

  /** Returns the raw key. @throws {TypeError} If an option is unknown or not valid, or the key or its id exists already. */
  createKey(options: KindeEmulatorKeyOptions): string {
    const { key, keyId } = this.#keys.create(options, 'test');
    if (RawKey.parse(key)) return key;
    throw new TypeError(`the key ${keyId} is no API key: 16 to 512 characters of A-Z a-z 0-9 - . _ ~ + / are accepted`);
  }

  /** @param key a raw key or a key id. @throws {TypeError} If it is unknown. */
  revokeKey(key: string): void {
    this.#keys.setStatus(this.#keys.find(key)?.keyId ?? key, 'revoked');
  }

  /** Returns what a registration verifies keys with, in place of Kinde's client. */
  verifierFor(apiId: string | null, clock: Clock): Verifier {
    const isDown = (): boolean => this.isUnavailable;
    return {
      verify: async (key) => this.#verify(key, apiId, clock),
      get isDown() {
        return isDown();
      },
      get health() {
        return { problems: isDown() ? (['kinde_unavailable'] as const) : [], isRecent: true };
      },
      token: () => Promise.reject(new Error('keys in memory need no M2M token: use KindeEmulator')),
      management: { apiId, send: () => Promise.reject(notInMemory()) },
      close() {},
    };
  }

  #verify(key: RawKey, apiId: string | null, clock: Clock): KeyAnswer {
    if (this.isUnavailable)
      throw new KindeApiKeyUnavailableError('set unavailable by a test', { retryAfterSeconds: 5 });
    const { body, ...answered } = verificationAnswer({ keys: this.#keys, invalidKeyAnswer: '200' }, key.reveal());
    const answer = parseVerifyAnswer({ ...answered, body: String(body) });
    if (answer.kind !== 'verdict') throw new Error(`the answer about a key is ${answer.kind}`);
    const { verdict } = answer;
    const isMember = !verdict.accepted || apiId === null || this.#isOf(apiId, verdict.apiKey.keyId);
    return { verdict: isMember ? verdict : refused('other_api'), sentAtMs: clock.now() };
  }

  #isOf(apiId: string, keyId: string): boolean {
    return this.#keys.get(keyId)?.apiIds.some((id) => id === apiId || id === EVERY_API) ?? false;
  }
}

function notInMemory(): KindeApiKeyManagementError {
  return new KindeApiKeyManagementError('UNAVAILABLE', 'ApiKeysService needs a Kinde: in a test, use KindeEmulator');
}
