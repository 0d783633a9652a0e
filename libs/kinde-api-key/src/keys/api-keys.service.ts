import type { ApiKeyDetails, ApiKeySummary, NewApiKey } from '../api-key/api-key-summary.js';
import type { Clock } from '../clock.js';
import { KindeApiKeyManagementError } from '../kinde-api-key.errors.js';
import {
  readApiKeyDetails,
  readApiKeyPage,
  readNewApiKey,
  readRevocation,
  type ApiKeyPage,
} from '../kinde/answers/api-keys-answer.js';
import { parseTimestamp } from '../kinde/answers/timestamp.js';
import type { ManagementCalls } from '../kinde/management-calls.js';
import type { Log } from '../log.js';
import type { ApiKeyVerificationService } from '../verification/api-key-verification.service.js';
import { ApiScopes } from './api-scopes.js';
import { changeKey, NOT_INVALIDATED } from './change-key.js';
import {
  checkDays,
  checkFilter,
  checkInput,
  checkKeyId,
  isId,
  type ApiKeyFilter,
  type NewApiKeyInput,
} from './key-input.js';

/** Keys per page. Kinde allows 500; a page of 100 arrives well within the deadline. */
const PAGE_SIZE = 100;
const MAX_PAGE_BYTES = 1_048_576;
/** Maximum number of pages of a list: a million keys. */
const MAX_PAGES = 10_000;
const DAY_MS = 86_400_000;

/**
 * Lists, creates, rotates and revokes API keys, with the M2M application of the module. It needs more scopes than verifications do: see the
 * page "keys". Inject it where your app lets customers manage their keys.
 *
 * It does not know who asks: check that the caller may manage keys of this organization or user before you call it.
 *
 * Every method fails with a {@link KindeApiKeyManagementError}, and with nothing else. Its `code` says why.
 */
export class ApiKeysService {
  // Private to the language: the app gets this object, and a log of it must not walk what is behind.
  readonly #calls: Pick<ManagementCalls, 'apiId' | 'send'>;
  readonly #verification: Pick<ApiKeyVerificationService, 'invalidate'>;
  readonly #clock: Clock;
  readonly #scopes: ApiScopes;
  readonly #log: Pick<Log, 'error'>;

  /** @internal */
  constructor(
    calls: Pick<ManagementCalls, 'apiId' | 'send'>,
    verification: Pick<ApiKeyVerificationService, 'invalidate'>,
    { clock, log }: { readonly clock: Clock; readonly log: Pick<Log, 'error'> },
  ) {
    this.#calls = calls;
    this.#verification = verification;
    this.#clock = clock;
    this.#log = log;
    this.#scopes = new ApiScopes(calls, clock);
  }

  /**
   * Returns the keys that match a filter, as `for await` needs them. Asks Kinde for a hundred at a time, the next hundred when they are
   * needed. Needs the scope `read:api_keys`.
   *
   * @param filter `orgCode`, `userId`, `status` and `type`; all that are given must match. Default: every key of the Kinde environment
   * @throws {KindeApiKeyManagementError} INVALID_INPUT, PERMISSION_MISSING, THROTTLED or UNAVAILABLE, from the iteration
   */
  async *list(filter: ApiKeyFilter = {}): AsyncGenerator<ApiKeySummary, void, undefined> {
    const query = checkFilter(filter);
    const seen = new Set<string>();
    let after: string | undefined;
    do {
      const { keys, hasMore } = await this.#page(query, after);
      yield* keys;
      after = hasMore ? keys.at(-1)?.keyId : undefined;
      if (hasMore && (!isId(after) || seen.has(after) || seen.size >= MAX_PAGES))
        throw new KindeApiKeyManagementError(
          'UNAVAILABLE',
          'The list of keys does not end: Kinde sent a page that does not lead on',
        );
      if (after !== undefined) seen.add(after);
    } while (after !== undefined);
  }

  /**
   * Returns active keys that Kinde did not verify for `days` days. A key that was never verified counts from its creation. Requests that
   * are answered from the cache do not reach Kinde, so a time below a day is not exact. Needs the scope `read:api_keys`.
   *
   * @param days a number above 0
   * @throws {KindeApiKeyManagementError} as {@link list}
   */
  async *idleSince(days: number): AsyncGenerator<ApiKeySummary, void, undefined> {
    const untilMs = this.#clock.now() - checkDays(days) * DAY_MS;
    for await (const key of this.list({ status: 'active' })) {
      const usedAtMs = parseTimestamp(key.lastVerifiedOn ?? key.createdOn ?? '');
      // A time that cannot be read does not make a key idle: it may be in use.
      if (key.status === 'active' && usedAtMs !== undefined && usedAtMs <= untilMs) yield key;
    }
  }

  /**
   * Returns one key, without its secret. Needs the scope `read:api_keys`.
   *
   * @throws {KindeApiKeyManagementError} NOT_FOUND if there is no key with this id; or INVALID_INPUT, PERMISSION_MISSING, THROTTLED, UNAVAILABLE
   */
  async get(keyId: string): Promise<ApiKeyDetails> {
    const path = `/api_keys/${checkKeyId(keyId)}`;
    return this.#calls.send({ method: 'GET', path, scope: 'read:api_keys', read: readApiKeyDetails(keyId) });
  }

  /**
   * Creates a key, and returns its secret for the only time. The call is never sent twice. Needs the scope `create:api_keys`; with `scopes` also
   * `read:api_scopes`, and without an `apiId` instead of that `read:apis`.
   *
   * @throws {KindeApiKeyManagementError} INVALID_INPUT if Kinde does not know the API, a scope or the owner. UNAVAILABLE with
   *   `isOutcomeUnknown` if the answer was lost: then the key may exist. Or PERMISSION_MISSING, THROTTLED
   */
  async create(input: NewApiKeyInput): Promise<NewApiKey> {
    const { name, apiId: given, scopes, owner } = checkInput(input);
    const { apiId, scopeIds } = await this.#scopes.resolve(given ?? this.#calls.apiId ?? undefined, scopes);
    return this.#calls.send({
      method: 'POST',
      path: '/api_keys',
      body: { name, api_id: apiId, ...owner, scope_ids: scopeIds },
      scope: 'create:api_keys',
      read: readNewApiKey(),
      ifInvalid: 'Check apiId and owner: the API, and the organization or user, must exist in Kinde',
      ifLost: 'The key may have been created. Look for its name with list(), and revoke it: its secret is lost',
    });
  }

  /**
   * Gives a key a new secret under the same id, and returns it for the only time. The old secret is refused from then on, by every
   * instance. The call is never sent twice. Needs the scope `update:api_keys`.
   *
   * @throws {KindeApiKeyManagementError} NOT_FOUND; INVALID_INPUT, for example for a revoked key; UNAVAILABLE with `isOutcomeUnknown` if the
   *   answer was lost: then the old secret may no longer work. Or PERMISSION_MISSING, THROTTLED
   */
  async rotate(keyId: string): Promise<NewApiKey> {
    const path = `/api_keys/${checkKeyId(keyId)}`;
    const ifInvalid = 'A revoked key cannot be rotated';
    const ifLost =
      'The key may have been rotated, so that its old secret no longer works. Rotate it again for a secret that you know';
    const call = {
      method: 'PUT',
      path,
      scope: 'update:api_keys',
      read: readNewApiKey(keyId),
      ifInvalid,
      ifLost,
    } as const;
    const { result, isInvalidated } = await changeKey(this.#verification, keyId, () => this.#calls.send(call));
    // The new secret is shown once: it must reach the caller.
    if (!isInvalidated)
      this.#log.error(`The key ${keyId} was rotated, but ${NOT_INVALIDATED}. Call invalidate({ keyId })`);
    return result;
  }

  /**
   * Revokes a key for good. It is refused from then on, by every instance. Revoking it again changes nothing. Needs the scope `delete:api_keys`.
   *
   * @throws {KindeApiKeyManagementError} NOT_FOUND; UNAVAILABLE with `isOutcomeUnknown` if the answer was lost: then call it again. Or
   *   INVALID_INPUT, PERMISSION_MISSING, THROTTLED
   */
  async revoke(keyId: string): Promise<void> {
    const path = `/api_keys/${checkKeyId(keyId)}`;
    const ifLost = 'The key may have been revoked. Revoke it again';
    const call = { method: 'DELETE', path, scope: 'delete:api_keys', read: readRevocation, ifLost } as const;
    const { isInvalidated } = await changeKey(this.#verification, keyId, () => this.#calls.send(call));
    if (!isInvalidated)
      throw new KindeApiKeyManagementError(
        'UNAVAILABLE',
        `Kinde revoked the key, but ${NOT_INVALIDATED}. Revoke it again`,
      );
  }

  #page(query: Readonly<Record<string, string>>, after: string | undefined): Promise<ApiKeyPage> {
    const page = { page_size: String(PAGE_SIZE), ...query, ...(after !== undefined && { starting_after: after }) };
    const path = `/api_keys?${new URLSearchParams(page).toString()}`;
    return this.#calls.send({
      method: 'GET',
      path,
      scope: 'read:api_keys',
      read: readApiKeyPage,
      maxAnswerBytes: MAX_PAGE_BYTES,
    });
  }
}
