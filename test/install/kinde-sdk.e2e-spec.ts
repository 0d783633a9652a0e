import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, npm, removeFolder, runNode } from '../consumer/packed-library.js';
import { allOf, startKeysService, type StartedKeysService } from '../support/keys-service.js';

/** Calls one method of the SDK about API keys, and prints the answer. */
const PROGRAM = `
import { ApiKeys, init } from '@kinde/management-api-js';
const [kindeDomain, clientId, clientSecret, method, options] = process.argv.slice(2);
init({ kindeDomain, clientId, clientSecret, audience: kindeDomain + '/api' });
console.log(JSON.stringify(await ApiKeys[method](JSON.parse(options))));
`;

interface SdkKey {
  readonly id: string;
  readonly key: string;
  readonly status: string;
  readonly key_suffix: string;
  readonly scopes: readonly string[];
  readonly organization_id: string;
}

jest.setTimeout(120_000);

describe("Kinde's own SDK for the Management API, and ApiKeysService, on the same emulator", () => {
  let folder: string;
  let started: StartedKeysService;
  beforeAll(async () => {
    folder = await makeFolder();
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true }));
    await npm(['install', '--no-audit', '--no-fund', '@kinde/management-api-js@0.18.0'], folder);
    await writeFile(join(folder, 'call.mjs'), PROGRAM);
    started = await startKeysService();
  });
  afterAll(async () => {
    await started?.stop();
    await removeFolder(folder);
  });

  async function sdk(method: string, options: object): Promise<{ api_key: SdkKey; api_keys: SdkKey[] }> {
    const { domain, credentials } = started.kinde;
    const args = [domain, credentials.clientId, credentials.clientSecret, method, JSON.stringify(options)];
    const { code, stdout, stderr } = await runNode(['call.mjs', ...args], folder);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout) as { api_key: SdkKey; api_keys: SdkKey[] };
  }

  it('see the same keys, whichever of the two created them', async () => {
    const { kinde, keys } = started;
    await keys.create({ name: 'not listed', owner: { orgCode: 'org_b' } });
    const ours = await keys.create({ name: 'ours', scopes: ['read:users'], owner: { orgCode: 'org_a' } });
    const requestBody = { name: 'theirs', api_id: kinde.apiId, type: 'organization', org_code: 'org_a' };
    const theirs = (await sdk('createApiKey', { requestBody })).api_key;
    const { api_keys } = await sdk('getApiKeys', { orgCode: 'org_a' });
    expect(api_keys.map(({ id }) => id)).toEqual([ours.keyId, theirs.id]);
    expect((await allOf(keys.list({ orgCode: 'org_a' }))).map(({ keyId }) => keyId)).toEqual([ours.keyId, theirs.id]);
    expect((await sdk('getApiKey', { keyId: ours.keyId })).api_key).toMatchObject({
      organization_id: 'org_a',
      scopes: ['read:users'],
    });
    expect(await keys.get(theirs.id)).toMatchObject({ name: 'theirs', orgCode: 'org_a', ownerType: 'organization' });
  });

  it('see what the other one rotates and revokes', async () => {
    const { keys, verify } = started;
    const { keyId, key } = await keys.create({ name: 'n', owner: 'environment' });
    const rotated = (await sdk('rotateApiKey', { keyId })).api_key;
    await expect(verify(key)).resolves.toMatchObject({ verdict: { accepted: false } });
    await expect(verify(rotated.key)).resolves.toMatchObject({ verdict: { accepted: true } });
    const again = await keys.rotate(keyId);
    expect((await sdk('getApiKey', { keyId })).api_key.key_suffix).toBe(again.key.slice(-4));
    await keys.revoke(keyId);
    expect((await sdk('getApiKey', { keyId })).api_key.status).toBe('revoked');
    const other = await keys.create({ name: 'other', owner: { userId: 'kp_1' } });
    await sdk('deleteApiKey', { keyId: other.keyId });
    expect(await keys.get(other.keyId)).toMatchObject({ status: 'revoked' });
  });
});
