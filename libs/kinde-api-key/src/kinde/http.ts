import { cureOf } from './network-cures.js';

/** One call to Kinde. It carries secrets: pass it on to the HTTP client, and never store it. */
export interface KindeRequest {
  readonly method: 'GET' | 'POST';
  /** Absolute, on Kinde's own origin. */
  readonly url: string;
  /** Lower-case names. `authorization` holds the M2M token. */
  readonly headers: Readonly<Record<string, string>>;
  /** The exact text to send. Unset: no body. */
  readonly body?: string;
}

/** A complete answer within the size limit. Its content is not checked yet. */
export interface KindeResponse {
  readonly status: number;
  /** Lower-case names, without a prototype. Headers that arrive as a list are left out. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body's exact text, a byte order mark included. Bytes that are not UTF-8 are a {@link KindeTransportError}. */
  readonly body: string;
}

/** Kinde's HTTP. An interface, so that only one file knows the HTTP client. */
export interface KindeHttp {
  /**
   * Sends one request. Does not follow redirects. Does not retry, unless a connection turns out to have died before the call. Every call
   * needs a signal, because there is no other deadline here.
   *
   * @throws {KindeTransportError} for everything that is not a complete answer, and nothing else
   */
  send(request: KindeRequest, signal: AbortSignal): Promise<KindeResponse>;
  /** Drops the connections. Idempotent. */
  close(): void;
}

const TEXTS = {
  network: 'the connection to Kinde failed',
  cut_short: "Kinde's answer broke off",
  aborted: 'the call to Kinde was aborted',
  too_large: "Kinde's answer was larger than the limit",
  invalid_utf8: "Kinde's answer was not UTF-8",
  proxy_in_clear: 'the call was not sent, because this version of axios would send it to the proxy in clear',
} as const;

/**
 * A call to Kinde that brought no answer. It holds a word and at most a system error code, and never the HTTP client's own error as its
 * cause: that error carries the request, with the key in its body and the M2M token in its headers.
 */
export class KindeTransportError extends Error {
  override readonly name = 'KindeTransportError';

  /** @param systemCode e.g. `ECONNREFUSED` or `CERT_HAS_EXPIRED`; anything that does not look like one is dropped */
  constructor(
    readonly reason: keyof typeof TEXTS,
    systemCode?: unknown,
  ) {
    const code = typeof systemCode === 'string' && /^[A-Z][A-Z0-9_]{1,48}$/.test(systemCode) ? systemCode : undefined;
    const cure = code === undefined ? undefined : cureOf(code);
    super(TEXTS[reason] + (code === undefined ? '' : ` (${code})`) + (cure === undefined ? '' : `: ${cure}`));
  }

  /** Whether an answer arrived in time, and only its content cannot be used. */
  get isAnswer(): boolean {
    return this.reason === 'too_large' || this.reason === 'invalid_utf8';
  }
}
