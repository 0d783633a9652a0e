// The floor: the shortest check of a cached key that one could write by hand.
import { hash } from 'node:crypto';
import { HttpException } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { SCOPES } from '../upstream.mjs';

const PREFIX = 'Bearer ';
const AN_HOUR_MS = 3_600_000;

/** @returns the cache of the floors: digest of the key to its id, scopes and expiry */
export function knownKeys({ keys, narrowKey }) {
  const entryOf = (keyId, scopes) => ({ keyId, scopes, expiresAtMs: Date.now() + AN_HOUR_MS });
  const all = new Set(SCOPES);
  const known = new Map(keys.map(({ key, keyId }) => [digestOf(key), entryOf(keyId, all)]));
  return known.set(digestOf(narrowKey), entryOf('narrow', new Set(['read:users'])));
}

export function digestOf(key) {
  return hash('sha256', key, 'binary');
}

/** A guard that does nothing: the cost of Nest's call. */
export function freeGuard() {
  return class FreeGuard {
    canActivate() {
      return true;
    }
  };
}

/** Slice, hash, look up, expiry, scopes; in one function, for two fixed scopes. */
export function floorGuard(known) {
  return class FloorGuard {
    canActivate(context) {
      const request = context.switchToHttp().getRequest();
      const header = request.headers.authorization;
      if (header === undefined || !header.startsWith(PREFIX)) throw refusal(MISSING);
      const entry = known.get(digestOf(header.slice(PREFIX.length)));
      if (entry === undefined || entry.expiresAtMs <= Date.now()) throw refusal(INVALID);
      if (!entry.scopes.has('read:users') || !entry.scopes.has('write:users')) throw refusal(INSUFFICIENT);
      request.apiKey = entry;
      return true;
    }
  };
}

/** The same in the shape of a library: a bounded cache, the rule looked up for the handler, a promise only for a key that is not cached. */
export function librarySketchGuard(known) {
  const cache = new LRUCache({ max: 50_000 });
  for (const [digest, entry] of known) cache.set(digest, entry);
  const rules = new WeakMap();
  const ruleOf = (handler) => {
    let rule = rules.get(handler);
    if (!rule) rules.set(handler, (rule = { scopes: SCOPES }));
    return rule;
  };
  return class LibrarySketchGuard {
    canActivate(context) {
      const rule = ruleOf(context.getHandler());
      const request = context.switchToHttp().getRequest();
      const header = request.headers.authorization;
      if (header === undefined || !header.startsWith(PREFIX)) throw refusal(MISSING);
      const entry = cache.get(digestOf(header.slice(PREFIX.length)));
      return entry === undefined || entry.expiresAtMs <= Date.now() ? this.ask() : this.decide(request, rule, entry);
    }

    decide(request, rule, entry) {
      for (const scope of rule.scopes) if (!entry.scopes.has(scope)) throw refusal(INSUFFICIENT);
      request.apiKey = entry;
      return true;
    }

    async ask() {
      throw refusal(INVALID);
    }
  };
}

/**
 * Refuses like {@link floorGuard}, but answers as the library does: the same body, the same two headers, an exception without a stack.
 *
 * @param known the good keys @param refused digests of bad ones
 */
export function refusingFloorGuard(known, refused) {
  return class RefusingFloorGuard {
    canActivate(context) {
      const request = context.switchToHttp().getRequest();
      const header = request.headers.authorization;
      if (header === undefined || !header.startsWith(PREFIX)) throw answered(context, MISSING);
      const digest = digestOf(header.slice(PREFIX.length));
      const entry = known.get(digest);
      if (entry === undefined || entry.expiresAtMs <= Date.now()) {
        if (refused.get(digest) > Date.now()) throw answered(context, INVALID);
        throw new Error('every key of the benchmark is cached');
      }
      if (!entry.scopes.has('read:users') || !entry.scopes.has('write:users')) throw answered(context, INSUFFICIENT);
      request.apiKey = entry;
      return true;
    }
  };
}

/** Counts one request of a key in a day and refuses the others, with the answer of the library. */
export function limitingFloorGuard(known) {
  const DAY_MS = 86_400_000;
  const acceptedAtMs = new Map();
  return class LimitingFloorGuard {
    canActivate(context) {
      const request = context.switchToHttp().getRequest();
      const header = request.headers.authorization;
      if (header === undefined || !header.startsWith(PREFIX)) throw refusal(MISSING);
      const entry = known.get(digestOf(header.slice(PREFIX.length)));
      const nowMs = Date.now();
      if (entry === undefined || entry.expiresAtMs <= nowMs) throw refusal(INVALID);
      const lastMs = acceptedAtMs.get(entry.keyId);
      if (lastMs !== undefined && lastMs + DAY_MS > nowMs) {
        const seconds = Math.ceil((lastMs + DAY_MS - nowMs) / 1_000);
        const response = context.switchToHttp().getResponse();
        response.header('RateLimit', `"BenchController.find";r=0;t=${seconds}`);
        response.header('RateLimit-Policy', '"BenchController.find";q=1;w=86400');
        response.header('Retry-After', String(seconds));
        response.header('Cache-Control', 'no-store');
        throw refusal(LIMITED);
      }
      acceptedAtMs.set(entry.keyId, nowMs);
      request.apiKey = entry;
      return true;
    }
  };
}

const KEY_HEADER = 'the header "Authorization: Bearer <API key>"';
const MISSING = refusalOf(
  [401, 'Unauthorized', `API key required: send it in ${KEY_HEADER}`, 'MISSING_KEY'],
  `Send your API key in ${KEY_HEADER}, with every request. Keys in the query string or the body are not read.`,
  'Bearer realm="api"',
);
const INVALID = refusalOf(
  [401, 'Unauthorized', 'Invalid API key', 'INVALID_KEY'],
  'Check that the key is complete and belongs to this API and environment. A key that was rotated or deleted has to be replaced by a new one.',
  'Bearer realm="api", error="invalid_token"',
);
const INSUFFICIENT = refusalOf(
  [403, 'Forbidden', 'Insufficient scope', 'INSUFFICIENT_SCOPE'],
  'The scopes of an API key cannot be changed. Create a new key with the scopes that this answer lists, and send that one.',
  'Bearer realm="api", error="insufficient_scope", scope="read:users write:users"',
  { required_scopes: SCOPES },
);
const LIMITED = refusalOf(
  [429, 'Too Many Requests', 'Rate limit exceeded. Please try again later.', 'RATE_LIMITED'],
  'Send the request again after as many seconds as the header "Retry-After" says. Until then, every request is refused.',
);

function refusalOf([statusCode, error, message, code], hint, challenge, more = {}) {
  return { statusCode, challenge, body: { statusCode, error, message, code, hint, ...more } };
}

function answered(context, { statusCode, body, challenge }) {
  const response = context.switchToHttp().getResponse();
  response.header('Cache-Control', 'no-store');
  response.header('WWW-Authenticate', challenge);
  return refusal({ statusCode, body });
}

/** An exception of its own for each request, without a stack: walking the stack is the most expensive part of a refusal. */
function refusal({ statusCode, body }) {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  const exception = new HttpException(body, statusCode);
  Error.stackTraceLimit = limit;
  return exception;
}
