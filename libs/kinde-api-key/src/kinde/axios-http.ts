import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { HttpService } from '@nestjs/axios';
import axios, { type AxiosRequestConfig } from 'axios';
import { firstValueFrom, fromEvent } from 'rxjs';
// Before rxjs 7.2 operators are exported here only.
import { takeUntil } from 'rxjs/operators';
import type { ResolvedOptions } from '../config/resolved-options.js';
import { responseOf, transportErrorOf } from './http-answer.js';
import { KindeTransportError, type KindeHttp, type KindeRequest, type KindeResponse } from './http.js';
import { closeIdleConnections, WatchedTransport } from './watched-transport.js';

/**
 * Injection token of the `HttpService` that carries every call to Kinde. It belongs to one registration, and `app.get(HttpService)` does
 * not find it. Override it in tests with `{ request: (config) => of({ status, headers, data }) }`.
 */
export const KINDE_API_KEY_HTTP = Symbol.for('nestjs-kinde-api-key:http');

/** The part of an `HttpService` that the library uses. */
export type KindeHttpService = Pick<HttpService, 'request'>;

/** Maximum size of an answer unless the request names another. Kinde's have about 500 bytes; a list of a thousand scopes still fits. */
const MAX_ANSWER_BYTES = 65_536;
/** A key has at most 512 characters; the rest is the token request. */
const MAX_REQUEST_BYTES = 16_384;
/** Shorter than the idle timeout of usual servers, so that a call seldom meets a connection that is being closed. */
const AGENT_OPTIONS = { keepAlive: true, timeout: 15_000 };
const UNKEPT = { ...AGENT_OPTIONS, keepAlive: false };

/** Sends Kinde's HTTP through an `HttpService`. Sets everything that matters for security again on each request. */
export class AxiosKindeHttp implements KindeHttp {
  readonly #ownHttpAgent = new HttpAgent(AGENT_OPTIONS);
  readonly #ownHttpsAgent = new HttpsAgent(AGENT_OPTIONS);
  /** For requests that are sent once: a kept connection may have died, and they cannot be sent again over another. */
  readonly #unkeptHttpAgent = new HttpAgent(UNKEPT);
  readonly #unkeptHttpsAgent = new HttpsAgent(UNKEPT);
  /** The proxy may have a password, and the sockets of the agents hold requests. */
  readonly #connection: Pick<AxiosRequestConfig, 'proxy' | 'httpAgent' | 'httpsAgent'>;
  readonly #unkeptConnection: Pick<AxiosRequestConfig, 'proxy' | 'httpAgent' | 'httpsAgent'>;
  #closed = false;

  /**
   * @param http not shared with the app, whose interceptors would see every key
   * @param options proxy and agents. Without a proxy, those of the environment are not read, because they would get the keys. Agents
   *   that are given are not destroyed by {@link close}
   * @param patienceMs time in milliseconds after which a kept connection without an answer is no longer trusted. Default 1,000
   */
  constructor(
    private readonly http: KindeHttpService,
    options: Partial<ResolvedOptions['http']> = {},
    private readonly patienceMs = 1_000,
  ) {
    this.#connection = {
      proxy: options.proxy ?? false,
      httpAgent: options.httpAgent ?? this.#ownHttpAgent,
      httpsAgent: options.httpsAgent ?? this.#ownHttpsAgent,
    };
    this.#unkeptConnection = {
      ...this.#connection,
      httpAgent: options.httpAgent ?? this.#unkeptHttpAgent,
      httpsAgent: options.httpsAgent ?? this.#unkeptHttpsAgent,
    };
  }

  async send(request: KindeRequest, signal: AbortSignal): Promise<KindeResponse> {
    if (this.#closed || signal.aborted) throw new KindeTransportError('aborted');
    const first = this.#attempt(request, signal);
    if (request.once || !(await first.needsFreshConnection)) return first.answer;
    // The others were kept as long as this one.
    closeIdleConnections(this.#connection.httpAgent as HttpAgent);
    closeIdleConnections(this.#connection.httpsAgent as HttpsAgent);
    const second = this.#attempt(request, signal);
    try {
      // The first may be slow and alive.
      return await Promise.any([first.answer, second.answer]);
    } catch {
      return await second.answer;
    } finally {
      first.abort();
      second.abort();
    }
  }

  close(): void {
    this.#closed = true;
    for (const agent of [this.#ownHttpAgent, this.#ownHttpsAgent]) agent.destroy();
    for (const agent of [this.#unkeptHttpAgent, this.#unkeptHttpsAgent]) agent.destroy();
  }

  #attempt(request: KindeRequest, signal: AbortSignal): Attempt {
    const controller = new AbortController();
    const transport = new WatchedTransport(new URL(request.url));
    const answer = this.#exchange(request, AbortSignal.any([signal, controller.signal]), transport);
    const needsFreshConnection = new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(transport.isSuspect), this.patienceMs).unref();
      answer.then(
        () => resolve(false),
        () => resolve(transport.isSuspect && !signal.aborted),
      );
      void answer.catch(() => undefined).finally(() => clearTimeout(timer));
    });
    return { answer, needsFreshConnection, abort: () => controller.abort() };
  }

  async #exchange(request: KindeRequest, signal: AbortSignal, transport: WatchedTransport): Promise<KindeResponse> {
    try {
      const answers = this.http.request<unknown>({
        adapter: 'http',
        transport,
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
        // Bytes: axios would otherwise repair what is not UTF-8, and drop a byte order mark.
        responseType: 'arraybuffer',
        transformRequest: [(body: unknown) => body],
        transformResponse: [(body: unknown) => body],
        maxContentLength: request.maxAnswerBytes ?? MAX_ANSWER_BYTES,
        maxBodyLength: MAX_REQUEST_BYTES,
        ...(request.once ? this.#unkeptConnection : this.#connection),
      });
      return responseOf(await firstValueFrom(answers.pipe(takeUntil(fromEvent(signal, 'abort')))));
    } catch (error) {
      throw transport.refusal ?? transportErrorOf(error, signal);
    }
  }
}

/** One try of a call. */
interface Attempt {
  readonly answer: Promise<KindeResponse>;
  /** Resolves when it is known: whether the call must be sent again, on another connection. */
  readonly needsFreshConnection: Promise<boolean>;
  readonly abort: () => void;
}

/** Returns the version of the axios that {@link unsharedHttpService} uses. */
export function axiosVersion(): string {
  return axios.VERSION;
}

const made = new WeakSet<object>();

/** Whether an `HttpService` is one of {@link unsharedHttpService}, and not what a test put in its stead. */
export function isUnreplaced(http: KindeHttpService): boolean {
  return made.has(http);
}

/** Returns an `HttpService` on an axios instance of its own, without the defaults and interceptors that the app gave to axios. */
export function unsharedHttpService(): HttpService {
  const instance = axios.create();
  for (const name of Object.keys(instance.defaults)) Reflect.deleteProperty(instance.defaults, name);
  // axios declares its types twice, for ESM and for CommonJS; the compiler does not see that they are the same.
  const http = new HttpService(instance as unknown as HttpService['axiosRef']);
  made.add(http);
  return http;
}
