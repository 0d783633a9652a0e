import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { HttpService } from '@nestjs/axios';
import axios from 'axios';
import { KindeTransportError, type KindeHttp, type KindeRequest, type KindeResponse } from './http.js';

/** Kinde's answers have about 500 bytes; a list of a thousand scopes still fits. Counted after decompression. */
const MAX_ANSWER_BYTES = 65_536;
/** A key has at most 512 characters; the rest is the token request. */
const MAX_REQUEST_BYTES = 16_384;
/** Shorter than the idle time of usual servers, so that a call seldom meets a connection that is just being closed. */
const AGENT_OPTIONS = { keepAlive: true, timeout: 15_000 };

/** How to get out of the network, and nothing that could weaken a check. */
export interface AxiosKindeHttpOptions {
  /** An HTTP proxy. Unset: none, and the environment's proxies are not read, because they would get the keys. */
  readonly proxy?: {
    readonly protocol?: string;
    readonly host: string;
    readonly port: number;
    readonly auth?: { readonly username: string; readonly password: string };
  };
  /** Agent for plain http. Unset: a keep-alive agent of our own. Not destroyed by {@link AxiosKindeHttp.close}. */
  readonly httpAgent?: HttpAgent;
  /** Agent for https. Unset: a keep-alive agent of our own. Not destroyed by {@link AxiosKindeHttp.close}. */
  readonly httpsAgent?: HttpsAgent;
}

/**
 * Carries Kinde's HTTP over `HttpService` of `@nestjs/axios`. Give it an instance of its own: an interceptor on a shared one sees
 * every key. Whatever that instance has as defaults, the settings that matter are set again on each request.
 */
export class AxiosKindeHttp implements KindeHttp {
  readonly #http: HttpService;
  readonly #proxy: NonNullable<AxiosKindeHttpOptions['proxy']> | false;
  readonly #ownAgents: (HttpAgent | HttpsAgent)[] = [];
  readonly #httpAgent: HttpAgent;
  readonly #httpsAgent: HttpsAgent;
  #closed = false;

  /**
   * @param http an `HttpService` that is shared with nobody
   * @param options see {@link AxiosKindeHttpOptions}
   */
  constructor(http: HttpService, options: AxiosKindeHttpOptions = {}) {
    this.#http = http;
    this.#proxy = options.proxy ?? false;
    this.#httpAgent = options.httpAgent ?? this.#own(new HttpAgent(AGENT_OPTIONS));
    this.#httpsAgent = options.httpsAgent ?? this.#own(new HttpsAgent(AGENT_OPTIONS));
  }

  /** @throws {KindeTransportError} see {@link KindeHttp.send} */
  async send(request: KindeRequest, signal: AbortSignal): Promise<KindeResponse> {
    if (this.#closed || signal.aborted) throw new KindeTransportError('aborted');
    let answer: { status: number; headers: object; data: unknown };
    try {
      answer = await this.#http.axiosRef.request<string>({
        adapter: 'http',
        method: request.method,
        url: request.url,
        headers: {
          accept: 'application/json',
          'accept-encoding': 'identity',
          'user-agent': 'nestjs-kinde-api-key',
          ...request.headers,
        },
        data: request.body,
        signal,
        maxRedirects: 0,
        validateStatus: () => true,
        // One character per byte: axios would otherwise repair what is not UTF-8 and drop a byte order mark.
        responseType: 'text',
        responseEncoding: 'latin1',
        transformRequest: [(body: unknown) => body],
        transformResponse: [(body: unknown) => body],
        maxContentLength: MAX_ANSWER_BYTES,
        maxBodyLength: MAX_REQUEST_BYTES,
        proxy: this.#proxy,
        httpAgent: this.#httpAgent,
        httpsAgent: this.#httpsAgent,
      });
    } catch (error) {
      throw transportErrorOf(error, signal);
    }
    return { status: answer.status, headers: plainHeaders(answer.headers), body: decodeStrictly(answer.data) };
  }

  close(): void {
    this.#closed = true;
    for (const agent of this.#ownAgents) agent.destroy();
  }

  #own<A extends HttpAgent | HttpsAgent>(agent: A): A {
    this.#ownAgents.push(agent);
    return agent;
  }
}

/**
 * An `HttpService` that nobody shares. It is not among Nest's providers, where `app.get(HttpService)` would find it and hang the app's
 * interceptors on it, and it has none of the defaults that the app may have given to axios itself.
 */
export function unsharedHttpService(): HttpService {
  const instance = axios.create();
  for (const name of Object.keys(instance.defaults)) Reflect.deleteProperty(instance.defaults, name);
  // axios declares its types twice, for ESM and for CommonJS, and the compiler takes the two for different ones.
  return new HttpService(instance as unknown as HttpService['axiosRef']);
}

/** Takes a word and a code out of axios's error and lets go of the rest, which holds the request. */
function transportErrorOf(error: unknown, signal: AbortSignal): KindeTransportError {
  if (signal.aborted) return new KindeTransportError('aborted');
  const { message, code, response } = error as { message?: unknown; code?: unknown; response?: unknown };
  if (typeof message === 'string' && message.startsWith('maxContentLength'))
    return new KindeTransportError('too_large');
  return response === undefined ? new KindeTransportError('network', code) : new KindeTransportError('cut_short');
}

function plainHeaders(headers: object): Record<string, string> {
  const plain = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string') plain[name.toLowerCase()] = value;
  }
  return plain;
}

function decodeStrictly(latin1: unknown): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(latin1 as string, 'latin1'));
  } catch {
    throw new KindeTransportError('invalid_utf8');
  }
}
