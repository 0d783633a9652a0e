import { Logger, UseFilters, type Type } from '@nestjs/common';
import { DOCS } from './support/markdown.js';
import { codeOf, runExample } from './support/recipes.js';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

const PATH = '/organizations/org_a/api-keys';
const SCOPES = ['manage:keys', 'read:users'];

/** The two examples of the page "keys" in one app. */
function controllerOfPage(): Type {
  const { ApiKeysController, ManagementErrorFilter } = Object.assign(
    {},
    ...['recipe-keys', 'recipe-errors'].map((name) => runExample(codeOf(`${DOCS}/keys.md`, name), `${name}.ts`)),
  ) as Record<'ApiKeysController' | 'ManagementErrorFilter', Type>;
  UseFilters(ManagementErrorFilter)(ApiKeysController);
  return ApiKeysController;
}

describeAdapters('the recipe of the page on keys', (adapter) => {
  let scenario: Scenario;
  let caller: string;
  beforeEach(async () => {
    const emulator = { apis: [{ name: 'API', scopes: [...SCOPES, 'write:users'] }] };
    const controllers = [controllerOfPage()];
    scenario = await startScenario({ adapter, controllers, emulator, options: { globalGuard: true } });
    caller = scenario.emulator.createKey({ orgCode: 'org_a', scopes: SCOPES }).key;
    jest.spyOn(Logger.prototype, 'error').mockImplementation();
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await scenario.close();
  });

  const call = (method: string, path = '', body?: object) =>
    scenario.get(PATH + path, caller, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });

  it('creates, lists, rotates and revokes keys of the organization', async () => {
    const created = await call('POST', '', { name: 'CI', scopes: ['read:users'] });
    expect(created).toMatchObject({ status: 201, headers: { 'cache-control': 'no-store' } });
    const { keyId, key } = created.body as { keyId: string; key: string };
    expect((await scenario.get(PATH, key)).body).toMatchObject({ code: 'INSUFFICIENT_SCOPE' });
    const rotated = await call('POST', `/${keyId}/rotation`);
    expect(rotated).toMatchObject({ status: 201, headers: { 'cache-control': 'no-store' }, body: { keyId } });
    expect((await scenario.get(PATH, key)).body).toMatchObject({ code: 'INVALID_KEY' });
    expect(await call('DELETE', `/${keyId}`)).toMatchObject({ status: 204 });
    expect((await call('GET')).body).toMatchObject([{}, { keyId, name: 'CI', status: 'revoked' }]);
  });

  it.each([{ orgCode: 'org_b' }, { orgCode: 'org_a', userId: 'kp_1' }, { type: 'environment' as const }])(
    'answers for a key of %j as for an unknown one',
    async (owner) => {
      const { keyId } = scenario.emulator.createKey({ ...owner, scopes: ['read:users'] });
      for (const [method, path] of [
        ['DELETE', ''],
        ['POST', '/rotation'],
      ] as const)
        expect(await call(method, `/${keyId}${path}`)).toMatchObject({
          status: 404,
          body: (await call(method, `/api_key_unknown${path}`)).body,
        });
      expect(scenario.emulator.counters.changes).toBe(0);
    },
  );

  it('does not pass on a scope that the caller lacks', async () => {
    const { keyId } = scenario.emulator.createKey({ orgCode: 'org_a', scopes: ['write:users'] });
    expect(await call('POST', '', { name: 'CI', scopes: ['write:users'] })).toMatchObject({ status: 403 });
    expect(await call('POST', `/${keyId}/rotation`)).toMatchObject({ status: 403 });
    expect(scenario.emulator.counters.changes).toBe(0);
  });

  it('answers each error with a status that tells the client what to do', async () => {
    const key = { name: 'CI', scopes: [] };
    expect(await call('POST', '', { ...key, name: '' })).toMatchObject({ status: 400 });
    scenario.emulator.failNext(503, 'keys');
    expect(await call('POST', '', key)).toMatchObject({ status: 409 });
    scenario.emulator.failUntilCleared({ status: 429, headers: { 'retry-after': '7' } }, 'keys');
    expect(await call('POST', '', key)).toMatchObject({ status: 503, headers: { 'retry-after': '7' } });
    expect(scenario.emulator.counters.changes).toBe(2);
  });
});
