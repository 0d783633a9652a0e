import type { ExecutionContext, Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { CONNECT, type Principal } from '../api-key/principal.js';
import type { PrincipalSourceOption } from '../config/principal-options.js';
import type { InstanceOf, ProviderInstances } from '../handlers/provider-instances.js';
import { findAllProviders } from '../handlers/provider-lookup.js';
import type { KindeConnection } from '../kinde/kinde-connection.js';
import type { HttpRequest } from '../rules/http-request.js';
import type { ConnectedPrincipalSource, PrincipalSource } from './principal-source.js';

/** A source of the library's own reads the request as the guard does: outside HTTP the context does not give it. */
interface AskedSource {
  authenticate(context: ExecutionContext, request: HttpRequest): ReturnType<PrincipalSource['authenticate']>;
}

interface BoundSource {
  readonly name: string;
  readonly instanceFor: InstanceOf<AskedSource>;
}

/** The sources of the option `principals`, asked in their order. */
export class PrincipalSources {
  #bound: readonly (BoundSource | string)[] | undefined;

  constructor(
    private readonly sources: readonly PrincipalSourceOption[],
    private readonly modules: ModulesContainer,
    private readonly instances: ProviderInstances,
    private readonly connection: KindeConnection,
  ) {}

  /** What is wrong with the sources, once all providers of the app exist. */
  get problems(): readonly string[] {
    return this.#bind().filter((bound) => typeof bound === 'string');
  }

  /**
   * Asks one source after the other, until one does not decline.
   *
   * @returns the caller, or `null` if every source declined. What a source throws is not caught
   */
  async authenticate(context: ExecutionContext, request: HttpRequest): Promise<Principal | null> {
    for (const bound of this.#bind()) {
      if (typeof bound === 'string') throw new Error(bound);
      const source = await bound.instanceFor(request);
      const answer: unknown = await source.authenticate(context, request);
      if (answer !== null && answer !== undefined) return checkedPrincipal(answer, bound.name);
    }
    return null;
  }

  #bind(): readonly (BoundSource | string)[] {
    return (this.#bound ??= this.sources.map((source) => {
      if (CONNECT in source) {
        const connected = (source as ConnectedPrincipalSource)[CONNECT](this.connection);
        return { name: 'the source', instanceFor: () => connected };
      }
      return this.#find(source as Type<PrincipalSource>);
    }));
  }

  #find(source: Type<PrincipalSource>): BoundSource | string {
    const [found, ...others] = findAllProviders(this.modules.values(), source);
    if (!found) return `principals names ${source.name}, which no module provides: add it to the providers of a module`;
    if (others.length === 0) return { name: source.name, instanceFor: this.instances.of(found, source) };
    const hosts = [found, ...others].map(({ host }) => host.name).join(', ');
    return `principals names ${source.name}, which several modules provide (${hosts}): provide it in one, and export it from there`;
  }
}

/** An id names a bucket of rate limits, whose memory is bounded by their number. */
const MAX_ID_CHARACTERS = 512;

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/**
 * Returns what a source of the app answered as a frozen principal, with every field of its own. Ignores inherited fields, so that a polluted
 * `Object.prototype` grants nothing.
 *
 * @param source name of the source, for messages
 * @throws {TypeError} for an answer of another shape: `scopes: 'admin'` must not be searched like a list
 */
export function checkedPrincipal(answer: unknown, source: string): Principal {
  if (typeof answer !== 'object' || answer === null) throw wrong(source, 'an object or null');
  const own = Object.assign(Object.create(null) as Record<string, unknown>, answer);
  const { kind, orgCode = null, userId = null } = own;
  // A copy is checked: a list of the app may answer otherwise when it is read again, and `every` skips holes.
  const scopes: readonly unknown[] | null = Array.isArray(own.scopes) ? Array.from(own.scopes as unknown[]) : null;
  if (!isText(kind) || kind === 'api_key') throw wrong(source, "a kind, a text other than 'api_key'");
  if (!scopes?.every(isText)) throw wrong(source, 'scopes, an array of texts');
  if (orgCode !== null && !isText(orgCode)) throw wrong(source, 'an orgCode, a text that is not empty, or null');
  if (userId !== null && !isText(userId)) throw wrong(source, 'a userId, a text that is not empty, or null');
  const { id = userId ?? orgCode ?? '' } = own;
  if (typeof id !== 'string' || id.length > MAX_ID_CHARACTERS)
    throw wrong(source, `an id, a text of at most ${MAX_ID_CHARACTERS} characters`);
  return Object.freeze({ ...own, kind, id, scopes: Object.freeze(scopes), orgCode, userId });
}

function wrong(source: string, wanted: string): TypeError {
  return new TypeError(
    `${source}.authenticate() must return a principal { kind, scopes, orgCode, userId } or null; this one lacks ${wanted}`,
  );
}
