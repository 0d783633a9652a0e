import { Wait, type Clock } from '../clock.js';
import { KindeApiKeyManagementError } from '../kinde-api-key.errors.js';
import { readApis, readApiScopes, type ScopeIds } from '../kinde/answers/apis-answer.js';
import type { ManagementCalls } from '../kinde/management-calls.js';
import { invalidInput, isId } from './key-input.js';
import { nearestName } from '../nearest-name.js';

/** How long scopes are used without asking Kinde again, in milliseconds. An unknown name always asks again. */
const KEPT_MS = 60_000;
/** Maximum number of APIs whose scopes are kept. When full, the oldest is evicted. */
const MAX_APIS = 20;
/** A list of all APIs has the scopes of Kinde's own, too: about 15 KB for these alone. */
const MAX_ANSWER_BYTES = 1_048_576;

/** An API, and its scopes if they are known. */
interface KnownApi {
  readonly apiId: string;
  readonly scopeIds: ScopeIds;
}

interface KeptApi {
  readonly api: KnownApi;
  readonly age: Wait;
}

/** Finds the API of a new key, and the ids of its scopes. */
export class ApiScopes {
  /** By the API's id; the environment's only API by the empty text. */
  readonly #kept = new Map<string, KeptApi>();

  constructor(
    private readonly calls: Pick<ManagementCalls, 'send'>,
    private readonly clock: Clock,
  ) {}

  /**
   * Asks Kinde only for what is not given: nothing, for a given API and no scopes.
   *
   * @param givenApiId unset: the only API of the environment besides Kinde's own
   * @throws {KindeApiKeyManagementError} INVALID_INPUT if the API or a scope does not exist, or if several APIs are possible; else like a call
   */
  async resolve(
    givenApiId: string | undefined,
    names: readonly string[],
  ): Promise<{ readonly apiId: string; readonly scopeIds: readonly string[] }> {
    if (givenApiId !== undefined && names.length === 0) return { apiId: givenApiId, scopeIds: [] };
    const kept = this.#kept.get(givenApiId ?? '');
    const isUsable = kept && kept.age.remainingMs > 0 && names.every((name) => kept.api.scopeIds.has(name));
    const { apiId, scopeIds } = isUsable ? kept.api : await this.#ask(givenApiId);
    return { apiId, scopeIds: names.map((name, index) => idOf(name, index, scopeIds)) };
  }

  async #ask(givenApiId: string | undefined): Promise<KnownApi> {
    const api = givenApiId === undefined ? await this.#onlyApi() : await this.#apiOf(givenApiId);
    const age = new Wait(this.clock);
    age.start(KEPT_MS);
    const name = givenApiId ?? '';
    this.#kept.delete(name);
    if (this.#kept.size >= MAX_APIS) this.#kept.delete(this.#kept.keys().next().value as string);
    this.#kept.set(name, { api, age });
    return api;
  }

  async #apiOf(apiId: string): Promise<KnownApi> {
    if (!isId(apiId)) throw noSuchApi();
    const path = `/apis/${apiId}/scopes`;
    try {
      const call = { method: 'GET', path, scope: 'read:api_scopes', read: readApiScopes } as const;
      return { apiId, scopeIds: await this.calls.send({ ...call, maxAnswerBytes: MAX_ANSWER_BYTES }) };
    } catch (error) {
      throw error instanceof KindeApiKeyManagementError && error.code === 'NOT_FOUND' ? noSuchApi() : error;
    }
  }

  async #onlyApi(): Promise<KnownApi> {
    const path = '/apis?expand=scopes';
    const call = { method: 'GET', path, scope: 'read:apis', read: readApis, maxAnswerBytes: MAX_ANSWER_BYTES } as const;
    const { apis, hasMore } = await this.calls.send(call);
    const [api, ...others] = apis.filter(({ isManagementApi }) => !isManagementApi);
    if (others.length > 0 || hasMore)
      throw invalidInput('The Kinde environment has several APIs: name one as apiId, or set the option apiId');
    if (!api) throw invalidInput('The Kinde environment has no API of yours: register it in Kinde > Settings > APIs');
    return api;
  }
}

/** @throws {KindeApiKeyManagementError} INVALID_INPUT. It does not repeat the name, which could be a raw key that was passed by mistake */
function idOf(name: string, index: number, scopeIds: ScopeIds): string {
  const id = scopeIds.get(name);
  if (id !== undefined) return id;
  const nearest = nearestName(name, scopeIds.keys());
  const hint =
    nearest === undefined ? 'See Kinde > Settings > APIs > (the API) > Scopes' : `Did you mean '${nearest}'?`;
  throw invalidInput(`scopes[${index}] is not a scope of the API. ${hint}`);
}

function noSuchApi(): KindeApiKeyManagementError {
  return invalidInput('apiId is not the id of a registered API: see Kinde > Settings > APIs');
}
