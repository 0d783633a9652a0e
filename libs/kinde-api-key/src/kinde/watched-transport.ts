import http, { type Agent, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { Socket } from 'node:net';
import { KindeTransportError } from './http.js';

type OnResponse = (response: IncomingMessage) => void;

/**
 * Sends one request for axios, which takes it as `transport`. Every byte to Kinde leaves through here, whatever the version of axios, so that
 * this is where a call that would reach a proxy in clear is stopped, and where the connection of a call can be seen.
 */
export class WatchedTransport {
  #request: ClientRequest | undefined;
  #isAnswered = false;
  #refusal: KindeTransportError | undefined;

  /** @param url of the request, as the library wants it */
  constructor(private readonly url: URL) {}

  /**
   * Whether the connection may have died unnoticed: it was kept from an earlier call, and no part of an answer has arrived. A server that
   * closes an idle connection does not wait for us, and a firewall that forgets one does not tell.
   */
  get isSuspect(): boolean {
    return this.#request?.reusedSocket === true && !this.#isAnswered;
  }

  /** Why the call was not sent, if it was not. */
  get refusal(): KindeTransportError | undefined {
    return this.#refusal;
  }

  /**
   * As `http.request` and `https.request`. Fails, without a connection, if a call to an https origin would go anywhere but through TLS to
   * this origin. axios before 1.17 sends such a call to an http proxy in clear, with the key and the client secret.
   */
  readonly request = (options: RequestOptions, onResponse: OnResponse): ClientRequest => {
    const isTls = options.protocol === 'https:';
    if (this.url.protocol === 'https:' && !(isTls && isSameHost(options, this.url))) return this.#refuse();
    const { request } = isTls ? https : http;
    this.#request = request(options, (response) => {
      this.#isAnswered = true;
      onResponse(response);
    });
    return this.#request;
  };

  /** Returns a request that fails. Old versions of axios do not handle what a transport throws. */
  #refuse(): ClientRequest {
    this.#refusal = new KindeTransportError('proxy_in_clear');
    return http.request({ createConnection: () => new Socket() }).destroy(this.#refusal);
  }
}

function isSameHost({ hostname, host, port }: RequestOptions, url: URL): boolean {
  const name = (hostname ?? host ?? '').replace(/^\[|\]$/g, '');
  return name === url.hostname.replace(/^\[|\]$/g, '') && Number(port || 443) === Number(url.port || 443);
}

/** Closes the idle connections of an agent. Those in use are not affected. */
export function closeIdleConnections(agent: Pick<Agent, 'freeSockets'>): void {
  // An agent that the app gives may be of another kind, and keep no connections.
  for (const sockets of Object.values(agent.freeSockets ?? {})) for (const socket of sockets ?? []) socket.destroy();
}
