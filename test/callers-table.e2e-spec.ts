import { Controller, Get, Injectable, type ExecutionContext, type Type } from '@nestjs/common';
import {
  AnyValidKey,
  KeysOnly,
  OrgScoped,
  PublicRoute,
  RequireScopes,
  UserScoped,
  type ApiKeyRuleDecorator,
  type Principal,
  type PrincipalSource,
} from 'nestjs-kinde-api-key';
import { kindeAccessTokens } from 'nestjs-kinde-api-key/tokens';
import { KindeEmulator } from 'nestjs-kinde-api-key/testing';
import { createHmac, createPublicKey } from 'node:crypto';
import { CALLERS_TABLE, RULES } from './support/callers-table.js';
import { send } from './support/http.js';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

const AUDIENCE = 'https://api.example.com';
const SCOPES = ['read:users'];

const DECORATORS: Readonly<Record<(typeof RULES)[number], () => ApiKeyRuleDecorator>> = {
  '@PublicRoute()': () => PublicRoute(),
  '@AnyValidKey()': () => AnyValidKey(),
  "@RequireScopes('read:users')": () => RequireScopes('read:users'),
  '@OrgScoped()': () => OrgScoped(),
  '@UserScoped()': () => UserScoped(),
  '@KeysOnly()': () => KeysOnly(),
};

const controllers = RULES.map((rule, index): Type => {
  @Controller(`orgs/:orgCode/${index}`)
  class RuleController {
    @Get()
    @(DECORATORS[rule]())
    find() {
      return 'ok';
    }
  }
  return RuleController;
});

@Injectable()
class UserSource implements PrincipalSource {
  authenticate(context: ExecutionContext): Principal | null {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string | undefined> }>();
    const orgCode = headers['x-user-of'];
    return orgCode === undefined ? null : { kind: 'user', scopes: SCOPES, orgCode, userId: 'u1' };
  }
}

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

describeAdapters('the table of callers', (adapter) => {
  let scenario: Scenario;
  let other: KindeEmulator;
  let headers: Readonly<Record<string, Record<string, string>>>;

  beforeAll(async () => {
    scenario = await startScenario({
      adapter,
      controllers,
      providers: [UserSource],
      options: { globalGuard: true, principals: [UserSource, kindeAccessTokens({ audience: AUDIENCE })] },
    });
    other = await KindeEmulator.start({ clock: scenario.clock });
    headers = await credentials();
  });
  afterAll(async () => {
    await scenario.close();
    await other.stop();
  });

  async function credentials(): Promise<Record<string, Record<string, string>>> {
    const { emulator } = scenario;
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
    const key = (options: object) => bearer(emulator.createKey({ scopes: SCOPES, ...options }).key);
    const user = { userId: 'kp_1', audience: AUDIENCE, scopes: SCOPES, orgCode: 'org_a' };
    const token = (options: object = {}) => bearer(emulator.issueToken({ ...user, ...options }));
    const [head = '', payload = ''] = emulator.issueToken(user).split('.');
    const { kid } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { kid: string };
    const { body } = await send(`${emulator.domain}/.well-known/jwks`, {});
    const [jwk] = (body as { keys: Record<string, string>[] }).keys;
    const publicKey = createPublicKey({ key: jwk ?? {}, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    const hs256 = `${base64url({ alg: 'HS256', typ: 'JWT', kid })}.${payload}`;
    const unknownKid = other.issueToken({ ...user, claims: { iss: emulator.domain } });
    return {
      'no credential': {},
      'unknown key': bearer('k_live_unknown_to_kinde_0'),
      'key of the environment': key({}),
      'key of `org_a`': key({ orgCode: 'org_a' }),
      'key of `org_b`': key({ orgCode: 'org_b' }),
      'key of a user': key({ userId: 'kp_1' }),
      'key of `org_a` without the scope': key({ orgCode: 'org_a', scopes: [] }),
      'access token of a user in `org_a`': token(),
      'access token of a user in `org_b`': token({ orgCode: 'org_b' }),
      'access token of a user without an organization': token({ orgCode: null }),
      'access token of a user in `org_a` without the scope': token({ scopes: [] }),
      'access token of an M2M application in `org_a`': token({ userId: null }),
      'expired access token': token({ lifetimeSeconds: -60 }),
      'access token for another audience': token({ audience: 'https://other.example.com' }),
      'access token of another issuer': token({ claims: { iss: 'https://other.kinde.com' } }),
      'access token with `alg: none`': bearer(`${base64url({ alg: 'none', typ: 'JWT', kid })}.${payload}.`),
      'access token signed by HS256 with the public key': bearer(
        `${hs256}.${createHmac('sha256', publicKey).update(hs256).digest('base64url')}`,
      ),
      'access token of an unknown `kid`': bearer(unknownKid),
      "the app's own user in `org_a`": { 'x-user-of': 'org_a' },
      "the app's own user in `org_b`": { 'x-user-of': 'org_b' },
    };
  }

  it.each(CALLERS_TABLE)('$caller', async ({ caller, outcomes }) => {
    const answers = await Promise.all(
      RULES.map(async (_rule, index) => {
        const answer = await scenario.send(`/orgs/org_a/${index}`, { headers: headers[caller] ?? {} });
        return answer.status === 200 ? '200' : (answer.body as { code: string }).code;
      }),
    );
    expect(answers).toEqual(outcomes);
  });
});
