// What else one would take: each does the least that its documentation asks for, and the same checks as the floor.
import { HttpException, Inject, Injectable, UnauthorizedException } from '@nestjs/common';
import { CACHE_MANAGER, CacheModule } from '@nestjs/cache-manager';
import { AuthGuard, PassportModule, PassportStrategy } from '@nestjs/passport';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import passportHeaderApiKey from 'passport-headerapikey';
import { SCOPES } from '../upstream.mjs';
import { digestOf, floorGuard } from './floor.mjs';

/** @returns the variants of all peers that answer from memory */
export async function peerVariants(known, keys, keyOf) {
  return [
    passportVariant(keys, keyOf),
    cacheManagerVariant(known, keyOf),
    await bentocacheVariant(known, keyOf),
    throttlerVariant(known, keyOf),
  ];
}

/** It compares with the keys themselves, which then lie in memory: it does not hash. */
function passportVariant(keys, keyOf) {
  const entries = new Map(
    keys.map(({ key }) => [key, { scopes: new Set(SCOPES), expiresAtMs: Date.now() + 3_600_000 }]),
  );
  class KeyStrategy extends PassportStrategy(passportHeaderApiKey.HeaderAPIKeyStrategy) {
    constructor() {
      super({ header: 'Authorization', prefix: 'Bearer ' }, false);
    }

    validate(key, done) {
      const entry = entries.get(key);
      return done(null, entry && isAllowed(entry) ? entry : false);
    }
  }
  Injectable()(KeyStrategy);
  return {
    name: 'passport-headerapikey (keys not hashed)',
    guards: [AuthGuard('headerapikey')],
    imports: [PassportModule],
    providers: [KeyStrategy],
    keyOf,
  };
}

function cacheManagerVariant(known, keyOf) {
  class CacheManagerGuard {
    constructor(cache) {
      this.cache = cache;
    }

    async onModuleInit() {
      for (const [digest, entry] of known) await this.cache.set(digest, { ...entry, scopes: [...entry.scopes] });
    }

    async canActivate(context) {
      return accept(context, await this.cache.get(digestOf(keyIn(context))));
    }
  }
  Injectable()(CacheManagerGuard);
  Inject(CACHE_MANAGER)(CacheManagerGuard, undefined, 0);
  return {
    name: 'a guard on @nestjs/cache-manager',
    guards: [CacheManagerGuard],
    imports: [CacheModule.register({ ttl: 3_600_000 })],
    providers: [CacheManagerGuard],
    keyOf,
  };
}

async function bentocacheVariant(known, keyOf) {
  const memory = bentostore().useL1Layer(memoryDriver({ maxItems: 50_000, serialize: false }));
  const cache = new BentoCache({ default: 'memory', stores: { memory }, ttl: '1h' });
  for (const [digest, entry] of known) await cache.set({ key: digest, value: { ...entry, scopes: [...entry.scopes] } });
  class BentocacheGuard {
    async canActivate(context) {
      return accept(context, await cache.get({ key: digestOf(keyIn(context)) }));
    }
  }
  return { name: 'a guard on bentocache', guards: [BentocacheGuard], keyOf };
}

function throttlerVariant(known, keyOf) {
  class KeyThrottlerGuard extends ThrottlerGuard {
    async getTracker(request) {
      return request.apiKey.keyId;
    }
  }
  return {
    name: '@nestjs/throttler and the floor',
    guards: [floorGuard(known), KeyThrottlerGuard],
    imports: [ThrottlerModule.forRoot({ throttlers: [{ ttl: 1_000, limit: 10_000 }], setHeaders: false })],
    keyOf,
  };
}

/** Kinde's quick start as it is printed, with an M2M token that is there already. */
export async function quickStartVariant({ domain, credentials }, keyOf) {
  const m2mAccessToken = await fetchToken(domain, credentials);
  async function verifyApiKey(apiKey) {
    const response = await fetch(`${domain}/api/v1/api_keys/verify`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${m2mAccessToken}` },
      body: JSON.stringify({ api_key: apiKey }),
    });
    return response.json();
  }
  return askingVariant("Kinde's quick start: fetch for each request", verifyApiKey, keyOf);
}

/** @returns {Promise<import('../bench-app.mjs').Variant>} Kinde's SDK for its management interface, which caches the M2M token and nothing else */
export async function kindeSdkVariant({ domain, credentials }, keyOf) {
  const { ApiKeys, init } = await import('@kinde/management-api-js');
  // Without its audience it would take a token for each request where the domain is not https.
  init({ kindeDomain: domain, ...credentials, audience: `${domain}/api` });
  const verifyApiKey = (apiKey) => ApiKeys.verifyApiKey({ requestBody: { api_key: apiKey } });
  return askingVariant("Kinde's SDK (@kinde/management-api-js) for each request", verifyApiKey, keyOf);
}

function askingVariant(name, verifyApiKey, keyOf) {
  class AskingGuard {
    async canActivate(context) {
      const result = await verifyApiKey(keyIn(context));
      if (!result.is_valid) throw new UnauthorizedException('Invalid API key');
      if (!SCOPES.every((scope) => result.scopes.includes(scope))) throw new HttpException('Insufficient scope', 403);
      return true;
    }
  }
  return { name, guards: [AskingGuard], keyOf };
}

export async function fetchToken(domain, { clientId, clientSecret }) {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    audience: `${domain}/api`,
  });
  const response = await fetch(`${domain}/oauth2/token`, { method: 'POST', body });
  return (await response.json()).access_token;
}

function keyIn(context) {
  return context.switchToHttp().getRequest().headers.authorization?.slice('Bearer '.length) ?? '';
}

function accept(context, entry) {
  if (!entry || !isAllowed(entry)) throw new UnauthorizedException('Invalid API key');
  context.switchToHttp().getRequest().apiKey = entry;
  return true;
}

function isAllowed({ scopes, expiresAtMs }) {
  const has = Array.isArray(scopes) ? (scope) => scopes.includes(scope) : (scope) => scopes.has(scope);
  return expiresAtMs > Date.now() && SCOPES.every(has);
}
