/** Group of paths that a fault can be limited to. */
export type KindeEmulatorEndpoint = 'token' | 'verify' | 'keys' | 'apis' | 'jwks';

/** Answers with a chosen status instead of the correct answer. */
export interface StatusFault {
  /** 200 to 599. */
  readonly status: number;
  /** A string or Buffer is sent unchanged, anything else as JSON. Default: an error in the shape of Kinde's endpoint. */
  readonly body?: unknown;
  /** Added to the headers of the answer. Replaces a header of the same name. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Adds the header `RateLimit-Reset` with this many seconds, as Kinde does on a 429. */
  readonly rateLimitReset?: number | undefined;
  /** `true` repeats the request in the body, secrets included (method, URL, headers, body). For tests of leaks. Default `false`. */
  readonly echo?: boolean | undefined;
}

/** Computes the correct answer when the request arrives and sends it this many real milliseconds later. */
export interface DelayFault {
  readonly delayMs: number;
}

/** Computes the correct answer when the request arrives and sends it when the promise is fulfilled. Resets the connection if it rejects. */
export interface HoldFault {
  readonly holdUntil: PromiseLike<unknown>;
}

/** Never answers. The connection stays open until the client disconnects or the emulator stops. */
export interface HangFault {
  readonly hang: true;
}

/** Resets the connection without an answer (`ECONNRESET`). */
export interface ResetFault {
  readonly reset: true;
}

/** Answers 200 with broken JSON under a JSON content type. */
export interface MalformedFault {
  readonly malformed: true;
}

/** Sends the correct answer under a larger `Content-Length`, then closes the connection. */
export interface TruncatedFault {
  readonly truncated: true;
}

/** Answers 200 with a JSON object of this many bytes (at least 16), streamed, with a `Content-Length` only if `declared`. */
export interface HugeFault {
  readonly huge: number;
  /** `true` sends the `Content-Length`. Default `false`. */
  readonly declared?: boolean | undefined;
}

/** Answers 200 with a JSON object that never ends, as fast as the client reads. */
export interface EndlessFault {
  readonly endless: true;
}

/** Sends the correct answer byte by byte, with this many real milliseconds (at least 1) between two bytes. */
export interface TrickleFault {
  readonly trickleMs: number;
}

/** Redirects the client to another URL. */
export interface RedirectFault {
  readonly redirect: string;
  /** Default 302. */
  readonly status?: 301 | 302 | 303 | 307 | 308 | undefined;
}

/** Answers with an OAuth error of the token endpoint: 401 for `invalid_client`, else 400. */
export interface TokenErrorFault {
  readonly tokenError: 'invalid_client' | 'unauthorized_client' | 'invalid_scope' | 'invalid_request';
}

/** A fault in its long form. */
export type FaultObject =
  | StatusFault
  | DelayFault
  | HoldFault
  | HangFault
  | ResetFault
  | MalformedFault
  | TruncatedFault
  | HugeFault
  | EndlessFault
  | TrickleFault
  | RedirectFault
  | TokenErrorFault;

/** A fault on command. A number is short for `{ status }`. */
export type KindeEmulatorFault = number | FaultObject;

/** Endpoint and number of requests of a fault. A string is short for `{ where }`, a number for `{ times }`. */
export type KindeEmulatorFaultTarget =
  | KindeEmulatorEndpoint
  | number
  | {
      /** Number of requests that fail, an integer of at least 1. Default 1. */
      readonly times?: number | undefined;
      /** Only requests to this endpoint. Default: any request, unknown paths included. */
      readonly where?: KindeEmulatorEndpoint | undefined;
    };
