/** A group of paths that a fault can be aimed at. */
export type KindeEmulatorEndpoint = 'token' | 'verify' | 'keys' | 'apis' | 'jwks';

/** Answers with a status of your choice instead of the right answer. */
export interface StatusFault {
  /** 200 to 599. */
  readonly status: number;
  /** A string or Buffer is sent as it is, anything else as JSON. Default: an error in the shape that Kinde uses there. */
  readonly body?: unknown;
  /** Added to the answer, or instead of its own. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Adds the header `RateLimit-Reset` with this many seconds, as Kinde does on a 429. */
  readonly rateLimitReset?: number | undefined;
  /** `true` repeats the request in the body (method, URL, headers, body: with its secrets). For tests of what leaks. */
  readonly echo?: boolean | undefined;
}

/** The right answer, made when the request arrives and sent this many milliseconds (real ones) later. */
export interface DelayFault {
  readonly delayMs: number;
}

/** The right answer, made when the request arrives and sent when the promise is fulfilled; if it rejects, the connection is reset. */
export interface HoldFault {
  readonly holdUntil: PromiseLike<unknown>;
}

/** The request is taken and never answered; the connection stays open until the client leaves or the emulator stops. */
export interface HangFault {
  readonly hang: true;
}

/** The connection is reset without an answer (`ECONNRESET`). */
export interface ResetFault {
  readonly reset: true;
}

/** 200 with a body that is not JSON although it says so. */
export interface MalformedFault {
  readonly malformed: true;
}

/** The right answer under a `Content-Length` that is larger, then the connection is cut. */
export interface TruncatedFault {
  readonly truncated: true;
}

/** 200 with a JSON object of this many bytes (at least 16), streamed in pieces, without a `Content-Length` unless `declared`. */
export interface HugeFault {
  readonly huge: number;
  /** `true` sends the `Content-Length`. Default `false`. */
  readonly declared?: boolean | undefined;
}

/** 200 with a JSON object that never ends, as fast as the client reads. */
export interface EndlessFault {
  readonly endless: true;
}

/** The right answer, one byte at a time with this many milliseconds (real ones, at least 1) between two. */
export interface TrickleFault {
  readonly trickleMs: number;
}

/** Sends the client to another URL. */
export interface RedirectFault {
  readonly redirect: string;
  /** Default 302. */
  readonly status?: 301 | 302 | 303 | 307 | 308 | undefined;
}

/** An OAuth error of the token endpoint, with its usual status: 401 for `invalid_client`, else 400. */
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

/** What can go wrong at Kinde, on command. A number is short for `{ status }`. */
export type KindeEmulatorFault = number | FaultObject;

/** Where and how often a fault happens. A string is short for `{ where }`, a number for `{ times }`. */
export type KindeEmulatorFaultTarget =
  | KindeEmulatorEndpoint
  | number
  | {
      /** How many requests it hits: an integer of at least 1. Default 1. */
      readonly times?: number | undefined;
      /** Only requests to this endpoint. Default: any request, the unknown paths included. */
      readonly where?: KindeEmulatorEndpoint | undefined;
    };
