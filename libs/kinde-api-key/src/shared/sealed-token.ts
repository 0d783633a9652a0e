import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { AccessToken } from '../kinde/token/access-token.js';
import { ownField, parseObject } from '../kinde/answers/wire.js';
import { MAX_VALUE_BYTES } from './shared-store.js';
import type { SharedSecrets } from './shared-secrets.js';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The fleet's M2M token. */
export interface SharedToken {
  readonly token: AccessToken;
  /** It was fetched because Kinde had not taken the one before. */
  readonly isForced: boolean;
}

/** @returns the token, encrypted and bound to its place (AES-256-GCM, the name as additional data) */
export function sealToken(keys: SharedSecrets, { token, isForced }: SharedToken): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, keys.revealTokenKey(), nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(keys.tokenName));
  const { sentAtMs, lifeMs } = token;
  const text = JSON.stringify({ value: token.reveal(), sentAtMs, lifeMs, isForced });
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url');
}

/** @returns the token, whatever its age; `undefined` for what was not sealed with these keys for this place */
export function openToken(keys: SharedSecrets, sealed: string): SharedToken | undefined {
  if (sealed.length > MAX_VALUE_BYTES) return undefined;
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length <= NONCE_BYTES + TAG_BYTES) return undefined;
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv(ALGORITHM, keys.revealTokenKey(), nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(keys.tokenName));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  let text: string;
  try {
    text = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    return undefined;
  }
  const fields = parseObject(text) ?? {};
  const [value, sentAtMs, lifeMs] = [
    ownField(fields, 'value'),
    ownField(fields, 'sentAtMs'),
    ownField(fields, 'lifeMs'),
  ];
  if (typeof value !== 'string' || typeof sentAtMs !== 'number' || typeof lifeMs !== 'number') return undefined;
  return { token: new AccessToken(value, sentAtMs, lifeMs), isForced: ownField(fields, 'isForced') === true };
}
