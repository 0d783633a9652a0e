import { Controller, Get, UseGuards } from '@nestjs/common';
import {
  ApiKeyGuard,
  ApiKeyProblemDetailsFilter,
  OrgScoped,
  RequireAnyScope,
  RequireScopes,
  UserScoped,
} from 'nestjs-kinde-api-key';
import { ANSWERS } from '../libs/kinde-api-key/src/responses/answers.js';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

@Controller(':orgCode')
@UseGuards(ApiKeyGuard)
@RequireScopes('read:users')
class UsersController {
  @Get('write')
  @RequireScopes('write:users', 'delete:users')
  write(): string {
    return 'ok';
  }

  @Get('any')
  @RequireAnyScope('write:users', 'admin')
  @RequireAnyScope('export', 'admin')
  any(): string {
    return 'ok';
  }

  @Get('org')
  @OrgScoped()
  org(): string {
    return 'ok';
  }

  @Get('user')
  @UserScoped()
  user(): string {
    return 'ok';
  }
}

describeAdapters('403', (adapter) => {
  let scenario: Scenario;

  beforeAll(async () => {
    scenario = await startScenario({ adapter, controllers: [UsersController] });
  });
  afterAll(() => scenario.close());

  it('answers INSUFFICIENT_SCOPE with all scopes of the route in order, and without those of the key', async () => {
    const { key } = scenario.emulator.createKey({ scopes: ['read:users', 'secret:scope'] });
    const answer = await scenario.get('/org_a/write', key);
    expect(answer.status).toBe(403);
    expect(answer.body).toEqual({
      statusCode: 403,
      error: 'Forbidden',
      message: 'Insufficient scope',
      code: 'INSUFFICIENT_SCOPE',
      hint: 'The scopes of an API key cannot be changed. Create a new key with the scopes that this answer lists, and send that one.',
      required_scopes: ['read:users', 'write:users', 'delete:users'],
    });
    expect(answer.headers).toMatchObject({
      'www-authenticate': 'Bearer realm="api", error="insufficient_scope", scope="read:users write:users delete:users"',
      'cache-control': 'no-store',
    });
    expect(JSON.stringify(answer)).not.toContain('secret:scope');
  });

  it('answers INSUFFICIENT_SCOPE for @RequireAnyScope with the lists in the body and no scope in the challenge', async () => {
    const { key } = scenario.emulator.createKey({ scopes: ['read:users', 'write:users'] });
    const answer = await scenario.get('/org_a/any', key);
    expect(answer).toMatchObject({
      status: 403,
      body: {
        code: 'INSUFFICIENT_SCOPE',
        required_scopes: ['read:users'],
        required_any_of: [
          ['write:users', 'admin'],
          ['export', 'admin'],
        ],
      },
    });
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="api", error="insufficient_scope"');
  });

  it.each([
    ['ORG_REQUIRED', 'org', {}, 'Organization-scoped API key required'],
    ['ORG_MISMATCH', 'org', { orgCode: 'org_b' }, 'Access denied: organization mismatch'],
    ['USER_REQUIRED', 'user', { orgCode: 'org_a' }, 'User-scoped API key required'],
  ] as const)('answers %s with a fixed message and hint, and no challenge', async (code, path, owner, message) => {
    const { key } = scenario.emulator.createKey({ scopes: ['read:users'], ...owner });
    const answer = await scenario.get(`/org_a/${path}`, key);
    expect(answer.status).toBe(403);
    expect(answer.body).toEqual({ statusCode: 403, error: 'Forbidden', message, code, hint: ANSWERS[code].hint });
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store' });
    expect(answer.headers).not.toHaveProperty('www-authenticate');
  });
});

describeAdapters('403 as problem details', (adapter) => {
  it('carries code, hint and scopes as extension members', async () => {
    const scenario = await startScenario({
      adapter,
      controllers: [UsersController],
      prepare: (app) => app.useGlobalFilters(new ApiKeyProblemDetailsFilter()),
    });
    try {
      const { key } = scenario.emulator.createKey({ scopes: [] });
      const { status, headers, body } = await scenario.get('/org_a/org', key);
      expect([status, headers['content-type']]).toEqual([403, 'application/problem+json; charset=utf-8']);
      expect(body).toEqual({
        type: 'about:blank',
        title: 'Forbidden',
        status: 403,
        detail: 'Insufficient scope',
        code: 'INSUFFICIENT_SCOPE',
        hint: ANSWERS.INSUFFICIENT_SCOPE.hint,
        required_scopes: ['read:users'],
      });
    } finally {
      await scenario.close();
    }
  });
});
