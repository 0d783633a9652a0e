// A request as Node's HTTP server makes it, without a socket. Express puts its own prototype under it, and that decides what every look at the
// request costs: one that is made otherwise (light-my-request's is a dictionary to V8) is measured wrong.
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

const socket = new Socket();

/**
 * Asks a handler of Node's HTTP server.
 *
 * @param {(request: IncomingMessage, response: ServerResponse) => void} handle
 * @param {{ method: string, url: string, headers: Record<string, string> }} request
 * @returns {Promise<{ statusCode: number, headers: Record<string, unknown>, payload: string }>}
 */
export function ask(handle, { method, url, headers }) {
  return new Promise((resolve) => {
    const request = requestOf({ method, url }, ['Host', 'localhost', ...Object.entries(headers).flat()]);
    const response = new ServerResponse(request);
    response.end = (payload) => {
      ServerResponse.prototype.end.call(response, payload);
      resolve({ statusCode: response.statusCode, headers: response.getHeaders(), payload });
    };
    handle(request, response);
  });
}

function requestOf(line, rawHeaders) {
  const request = Object.assign(new IncomingMessage(socket), line);
  Object.assign(request, { httpVersionMajor: 1, httpVersionMinor: 1, httpVersion: '1.1' });
  // What Node's parser calls.
  request._addHeaderLines(rawHeaders, rawHeaders.length);
  request.complete = true;
  request.push(null);
  return request;
}
