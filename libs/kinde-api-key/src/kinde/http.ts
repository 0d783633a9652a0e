/** One call to Kinde. It carries secrets: pass it on to the HTTP client, and never store it. */
export interface KindeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Absolute, on Kinde's own origin. */
  readonly url: string;
  /** Lower-case names. `authorization` holds the M2M token. */
  readonly headers: Readonly<Record<string, string>>;
  /** The exact text to send. Unset: no body. */
  readonly body?: string | undefined;
  /** `true` for a request that must not reach Kinde twice, because each one changes something. Default `false`. */
  readonly once?: boolean | undefined;
  /** Maximum size of the answer in bytes, after decompression. Default 65,536. */
  readonly maxAnswerBytes?: number | undefined;
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
   * Sends one request. Does not follow redirects. Does not retry, unless a connection turns out to have died before the call. Even then
   * it does not send a request again that is to be sent `once`. Every call needs a signal, because there is no other deadline here.
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

const TRUST =
  'the certificate is not trusted. Behind a proxy that opens TLS, set NODE_EXTRA_CA_CERTS to its CA, or kinde.http.httpsAgent';
const DNS = 'the host name cannot be resolved. Check domain and DNS; behind a proxy, set kinde.http';
const NOT_TLS = 'the other side does not speak TLS as Kinde does. Check kinde.http.proxy and kinde.http.httpsAgent';

/** What an operator can do, by system error code (OpenSSL's verify errors, `dns` and `tls` of Node). */
const CURES: ReadonlyMap<string, string> = new Map([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', TRUST],
  ['SELF_SIGNED_CERT_IN_CHAIN', TRUST],
  ['UNABLE_TO_GET_ISSUER_CERT', TRUST],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', TRUST],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', TRUST],
  ['CERT_UNTRUSTED', TRUST],
  ['CERT_HAS_EXPIRED', "the certificate has expired. Check this machine's time, and the proxy's certificate"],
  ['CERT_NOT_YET_VALID', "the certificate is not valid yet. Check this machine's time"],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'the certificate belongs to another host. Check domain'],
  ['ENOTFOUND', DNS],
  ['EAI_AGAIN', DNS],
  ['EPROTO', NOT_TLS],
]);

/** A system error code. Digits occur in OpenSSL's alone, e.g. `ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION`; elsewhere they could be a key's. */
const SYSTEM_CODE = /^(?:[A-Z][A-Z_]{1,48}|ERR_SSL_[A-Z0-9_]{1,60})$/;

function isSystemCode(code: unknown): code is string {
  return typeof code === 'string' && SYSTEM_CODE.test(code);
}

function describeCode(code: unknown): string {
  if (!isSystemCode(code)) return '';
  const cure = CURES.get(code) ?? (code.startsWith('ERR_SSL_') ? NOT_TLS : undefined);
  return cure ? ` (${code}: ${cure})` : ` (${code})`;
}

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
    super(TEXTS[reason] + describeCode(systemCode));
    this.systemCode = isSystemCode(systemCode) ? systemCode : undefined;
  }

  /** E.g. `ECONNREFUSED`; `undefined` for what does not look like one. */
  readonly systemCode: string | undefined;

  /** Whether TLS could not be agreed on. */
  get isTls(): boolean {
    const cure = CURES.get(this.systemCode ?? '');
    return this.systemCode?.startsWith('ERR_SSL_') === true || (cure !== undefined && cure !== DNS);
  }

  /** Whether an answer arrived in time, and only its content cannot be used. */
  get isAnswer(): boolean {
    return this.reason === 'too_large' || this.reason === 'invalid_utf8';
  }
}
