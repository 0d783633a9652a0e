import { Controller, Get, UseGuards } from '@nestjs/common';
import { ApiKeyGuard } from 'nestjs-kinde-api-key';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

@Controller()
@UseGuards(ApiKeyGuard)
class AnyController {
  @Get()
  find(): string {
    return 'ok';
  }
}

const MALFORMED = {
  statusCode: 400,
  error: 'Bad Request',
  code: 'MALFORMED_REQUEST',
  message: expect.stringContaining('"Bearer "'),
  hint: expect.stringContaining('Send one API key in the header "Authorization: Bearer <API key>"'),
};

describeAdapters('400', (adapter) => {
  let scenario: Scenario;
  let key: string;

  beforeAll(async () => {
    scenario = await startScenario({ adapter, controllers: [AnyController] });
    ({ key } = scenario.emulator.createKey());
  });
  afterAll(() => scenario.close());

  const cases: [title: string, headers: (key: string) => string[]][] = [
    [
      'two Authorization headers, of which Node keeps one',
      (good) => ['Authorization', `Bearer ${good}`, 'authorization', `Bearer ${good}`],
    ],
    [
      'two Authorization headers of different schemes',
      (good) => ['Authorization', 'Basic dXNlcjpwYXNz', 'Authorization', `Bearer ${good}`],
    ],
    ['two keys in one header', (good) => ['Authorization', `Bearer ${good}, Bearer ${good}`]],
    ['a scheme without a key', () => ['Authorization', 'Bearer']],
    ['an empty header', () => ['Authorization', '']],
    ['a key without its scheme', (good) => ['Authorization', good]],
    ['a key of 15 characters', () => ['Authorization', `Bearer ${'k'.repeat(15)}`]],
    ['a key of 513 characters', () => ['Authorization', `Bearer ${'k'.repeat(513)}`]],
    ['a key with a character that keys cannot have', () => ['Authorization', `Bearer k_live_0123456789"abcdef`]],
    ['a key with a space inside', () => ['Authorization', 'Bearer k_live_01234567 89abcdef']],
  ];
  it.each(cases)('rejects %s without calling Kinde', async (_title, headers) => {
    const before = scenario.emulator.counters.requests;
    const answer = await scenario.send('/', { headers: ['Host', 'localhost', ...headers(key)] });
    expect(answer).toMatchObject({ status: 400, body: MALFORMED });
    expect(answer.headers).toMatchObject({
      'www-authenticate': 'Bearer realm="api", error="invalid_request"',
      'cache-control': 'no-store',
    });
    expect(scenario.emulator.counters.requests).toBe(before);
  });

  it('rejects two credentials in two configured headers, and accepts one in either', async () => {
    await scenario.close();
    scenario = await startScenario({
      adapter,
      controllers: [AnyController],
      options: { credentials: [{ header: 'authorization', scheme: 'Bearer' }, { header: 'X-Api-Key' }] },
    });
    ({ key } = scenario.emulator.createKey());
    expect(await scenario.get('/', key, { headers: { 'x-api-key': key } })).toMatchObject({
      status: 400,
      body: MALFORMED,
    });
    expect(
      await scenario.send('/', { headers: ['Host', 'localhost', 'X-API-Key', key, 'x-api-key', key] }),
    ).toMatchObject({ status: 400 });
    expect(await scenario.get('/', key)).toMatchObject({ status: 200 });
    expect(await scenario.send('/', { headers: { 'X-API-KEY': key } })).toMatchObject({ status: 200 });
    expect(
      await scenario.send('/', { headers: { 'x-api-key': key, authorization: 'Basic dXNlcjpwYXNz' } }),
    ).toMatchObject({ status: 200 });
  });
});
