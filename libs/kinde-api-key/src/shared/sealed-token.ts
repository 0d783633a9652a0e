import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { AccessToken } from '../kinde/token/access-token.js';
import { parseObject, type WireObject } from '../kinde/answers/wire.js';
import { MAX_VALUE_BYTES } from './shared-store.js';
import type { SharedSecrets } from './shared-secrets.js';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The M2M token that the instances share. */
export interface SharedToken {
  readonly token: AccessToken;
  /** Whether it was fetched because Kinde rejected the one before. */
  readonly isForced: boolean;
}

/** Returns the token, encrypted with AES-256-GCM and bound to its name in the store. */
export function sealToken(secrets: SharedSecrets, { token, isForced }: SharedToken): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, secrets.revealTokenSecret(), nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(secrets.tokenName));
  const { sentAtMs, lifeMs } = token;
  const text = JSON.stringify({ value: token.reveal(), sentAtMs, lifeMs, isForced });
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url');
}

/** Returns the token, of any age, or `undefined` if it was not sealed with these secrets under this name. */
export function openToken(secrets: SharedSecrets, sealed: string): SharedToken | undefined {
  const { value, sentAtMs, lifeMs, isForced }: WireObject = parseObject(decrypt(secrets, sealed)) ?? {};
  if (typeof value !== 'string' || typeof sentAtMs !== 'number' || typeof lifeMs !== 'number') return undefined;
  return { token: new AccessToken(value, sentAtMs, lifeMs), isForced: isForced === true };
}

/** Returns the text, or an empty one if it cannot be authenticated. */
function decrypt(secrets: SharedSecrets, sealed: string): string {
  if (sealed.length > MAX_VALUE_BYTES) return '';
  const bytes = Buffer.from(sealed, 'base64url');
  const nonce = bytes.subarray(0, NONCE_BYTES);
  try {
    const decipher = createDecipheriv(ALGORITHM, secrets.revealTokenSecret(), nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(secrets.tokenName)).setAuthTag(bytes.subarray(-TAG_BYTES));
    return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    return '';
  }
}
