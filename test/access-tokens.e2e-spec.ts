import { Controller, Get } from '@nestjs/common';
import {
  AnyValidKey,
  CurrentPrincipal,
  KindeApiKeyModule,
  RateLimit,
  type ApiKeyDecision,
  type Principal,
} from 'nestjs-kinde-api-key';
import { kindeAccessTokens, type KindeAccessTokenPrincipal } from 'nestjs-kinde-api-key/tokens';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

const AUDIENCE = 'https://api.example.com';

@Controller()
@AnyValidKey()
class MeController {
  @Get('me')
  me(@CurrentPrincipal() principal: Principal) {
    const { claims, ...rest } = principal as KindeAccessTokenPrincipal;
    return { ...rest, permissions: claims['permissions'] };
  }

  @Get('limited')
  @RateLimit({ limit: 1, windowMs: 60_000 })
  limited() {
    return 'ok';
  }
}

describeAdapters('Kinde access tokens', (adapter) => {
  let scenario: Scenario;
  const decisions: ApiKeyDecision[] = [];
  const token = (options: object = {}) =>
    scenario.emulator.issueToken({ userId: 'kp_1', audience: AUDIENCE, scopes: ['a'], orgCode: 'org_a', ...options });
  const codeOf = ({ body }: { body: unknown }) => (body as { code?: string }).code;

  beforeEach(async () => {
    decisions.length = 0;
    scenario = await startScenario({
      adapter,
      controllers: [MeController],
      register: ({ domain, credentials }) => [
        KindeApiKeyModule.forRoot({
          domain,
          ...credentials,
          verifyAtBoot: false,
          globalGuard: true,
          principals: [kindeAccessTokens({ audience: AUDIENCE })],
          onDecision: (decision) => decisions.push(decision),
        }),
      ],
    });
  });
  afterEach(() => scenario.close());

  it('hand the claims of Kinde to the handler, untouched', async () => {
    const { status, body } = await scenario.get('/me', token({ claims: { permissions: ['export'] } }));
    expect(status).toBe(200);
    expect(body).toEqual({
      kind: 'access_token',
      id: 'kp_1',
      scopes: ['a'],
      orgCode: 'org_a',
      userId: 'kp_1',
      clientId: scenario.emulator.credentials.clientId,
      permissions: ['export'],
    });
    expect(decisions).toMatchObject([{ outcome: 'accepted', principal: { kind: 'access_token', id: 'kp_1' } }]);
  });

  it('are never sent to verify', async () => {
    await scenario.get('/me', token());
    await scenario.get('/me', token({ audience: 'https://other.example.com' }));
    expect(scenario.emulator.counters).toMatchObject({ verifies: 0, tokenRequests: 0, jwksReads: 1 });
  });

  it('are limited by their user, apart from keys', async () => {
    const { key } = scenario.emulator.createKey({ userId: 'kp_1' });
    const statuses = [];
    for (const credential of [token(), token(), token({ userId: 'kp_2' }), key, key])
      statuses.push((await scenario.get('/limited', credential)).status);
    expect(statuses).toEqual([200, 429, 200, 200, 429]);
  });

  it('go on while the signing keys cannot be fetched, and get 503 and not 401 if their key is not known', async () => {
    scenario.emulator.failUntilCleared(503, 'jwks');
    const unknown = await scenario.get('/me', token());
    expect([unknown.status, codeOf(unknown)]).toEqual([503, 'VERIFICATION_UNAVAILABLE']);
    expect(unknown.headers['retry-after']).toBeDefined();
    scenario.emulator.clearFaults();
    scenario.clock.advance(30_000);
    expect((await scenario.get('/me', token())).status).toBe(200);
    scenario.emulator.failUntilCleared(503, 'jwks');
    scenario.clock.advance(3_600_000);
    expect((await scenario.get('/me', token())).status).toBe(200);
    await scenario.emulator.rotateSigningKey();
    const rotated = await scenario.get('/me', token());
    expect([rotated.status, codeOf(rotated)]).toEqual([503, 'VERIFICATION_UNAVAILABLE']);
  });

  it('are refused with two of them, and beside a key', async () => {
    const { key } = scenario.emulator.createKey({});
    const twice = ['Host', 'localhost', 'Authorization', `Bearer ${token()}`, 'Authorization', `Bearer ${token()}`];
    const both = ['Host', 'localhost', 'Authorization', `Bearer ${token()}`, 'Authorization', `Bearer ${key}`];
    for (const headers of [twice, both]) {
      const answer = await scenario.send('/me', { headers });
      expect([answer.status, codeOf(answer)]).toEqual([400, 'MALFORMED_REQUEST']);
    }
  });
});
