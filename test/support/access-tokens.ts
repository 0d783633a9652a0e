import { createHmac, generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from 'node:crypto';
import type { ExecutionContext } from '@nestjs/common';
import type { Clock } from '../../libs/kinde-api-key/src/clock.js';
import { CONNECT } from '../../libs/kinde-api-key/src/api-key/principal.js';
import { type ConnectedPrincipalSource } from '../../libs/kinde-api-key/src/guard/principal-source.js';
import { AxiosKindeHttp, unsharedHttpService } from '../../libs/kinde-api-key/src/kinde/axios-http.js';
import type { KindeConnection } from '../../libs/kinde-api-key/src/kinde/kinde-connection.js';
import type { KindeEmulator } from '../../libs/kinde-api-key/src/testing/index.js';
import type { KindeAccessTokenPrincipal } from '../../libs/kinde-api-key/src/tokens/index.js';
import { newLog } from './key-verifier.js';

/** The audience that specs use: that of the emulator's API. */
export const AUDIENCE = 'https://api.example.com';

/** @returns a connection to the emulator over a socket, with the lines of its log. Close its `http` after the test */
export function connectionTo(
  emulator: Pick<KindeEmulator, 'domain'>,
  clock: Clock,
): KindeConnection & { readonly lines: readonly string[] } {
  const { log, lines } = newLog();
  // On a busy machine, a call that is merely late must not be sent again.
  const timeoutMs = 20_000;
  const http = new AxiosKindeHttp(unsharedHttpService(), {}, timeoutMs);
  return { origin: emulator.domain, timeoutMs, http, clock, log, lines };
}

/** @returns the context of a request with these headers, as sent */
export function contextOf(rawHeaders: readonly string[], type = 'http'): ExecutionContext {
  const request = { rawHeaders };
  return { getType: () => type, switchToHttp: () => ({ getRequest: () => request }) } as unknown as ExecutionContext;
}

/** @returns a function that authenticates a request with a token as its bearer */
export function connect(source: ConnectedPrincipalSource, connection: KindeConnection) {
  const connected = source[CONNECT](connection);
  return async (token: string): Promise<KindeAccessTokenPrincipal | null> =>
    (await connected.authenticate(contextOf(['Authorization', `Bearer ${token}`]))) as KindeAccessTokenPrincipal | null;
}

const encoded = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** An RSA key pair that signs whatever a spec wants. */
export class Signer {
  readonly publicKey: KeyObject;
  readonly #privateKey: KeyObject;

  constructor(
    readonly kid: string,
    modulusLength = 2_048,
  ) {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength });
    this.publicKey = publicKey;
    this.#privateKey = privateKey;
  }

  /** @returns the public key as Kinde publishes it */
  get jwk(): JsonWebKey & { readonly kid: string } {
    return { ...this.publicKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: this.kid };
  }

  /** @param payload claims, or a text that is not a JSON object */
  sign(payload: unknown, header: Readonly<Record<string, unknown>> = {}): string {
    const content = `${encoded({ alg: 'RS256', typ: 'JWT', kid: this.kid, ...header })}.${encoded(payload)}`;
    return `${content}.${sign('RSA-SHA256', Buffer.from(content), this.#privateKey).toString('base64url')}`;
  }
}

/** @returns a token that is authenticated with a shared secret */
export function signWithSecret(secret: string | Buffer, header: object, claims: object): string {
  const content = `${encoded(header)}.${encoded(claims)}`;
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
}
