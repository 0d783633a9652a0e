import { Controller, Get, Logger, Post, UseGuards, UseInterceptors } from '@nestjs/common';
import { FileInterceptor } from '@nestjs/platform-express';
import { ApiKeyGuard, OrgScoped } from 'nestjs-kinde-api-key';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

@Controller()
@UseGuards(ApiKeyGuard)
class ReportsController {
  @Post('upload')
  @UseInterceptors(FileInterceptor('file'))
  @OrgScoped({ body: 'orgCode' })
  upload(): string {
    return 'ok';
  }
  @Post('json')
  @OrgScoped({ body: 'orgCode' })
  json(): string {
    return 'ok';
  }
  @Get('header')
  @OrgScoped({ header: 'X-Org' })
  header(): string {
    return 'ok';
  }
  @Get('query')
  @OrgScoped({ query: 'org' })
  query(): string {
    return 'ok';
  }
}

describeAdapters('an organization that is absent from the request', (adapter) => {
  let scenario: Scenario;
  let key: string;
  const lines: string[] = [];

  beforeEach(async () => {
    lines.length = 0;
    const keep = (line: unknown): void => void lines.push(String(line));
    scenario = await startScenario({ adapter, controllers: [ReportsController] });
    scenario.app.useLogger({ log: () => undefined, warn: keep, error: keep });
    ({ key } = scenario.emulator.createKey({ orgCode: 'org_a' }));
  });
  afterEach(async () => {
    await scenario.close();
    Logger.overrideLogger(false);
  });

  const refused = { status: 403, body: { code: 'ORG_MISMATCH' } };
  const post = async (path: string, type: string, body: string) =>
    scenario.get(path, key, { method: 'POST', headers: { 'content-type': type }, body });

  it('is refused like another organization, and logged once per route with the usual reason', async () => {
    for (let times = 0; times < 3; times += 1) {
      expect(await scenario.get('/header', key)).toMatchObject(refused);
      expect(await scenario.get('/query?other=org_secret', key)).toMatchObject(refused);
      expect(await post('/json', 'application/json', '{"other":"org_secret"}')).toMatchObject(refused);
    }
    expect(lines).toEqual([
      expect.stringMatching(/ReportsController.header refused .* header "X-Org" is absent: .* a proxy drops it.* once/),
      expect.stringMatching(/ReportsController.query .* query parameter "org" is absent/),
      expect.stringMatching(/ReportsController.json .* body has no field "orgCode"/),
    ]);
    expect(lines.join()).not.toContain('org_secret');
  });

  it('is logged for a body that was not parsed before the guard', async () => {
    const multipart = '--x\r\nContent-Disposition: form-data; name="orgCode"\r\n\r\norg_a\r\n--x--\r\n';
    const answer = await post('/upload', 'multipart/form-data; boundary=x', multipart);
    if (adapter === 'fastify')
      expect(answer.status).toBe(415); // Fastify itself knows no multipart.
    else expect(answer).toMatchObject(refused);
    expect(await scenario.get('/upload', key, { method: 'POST' })).toMatchObject(refused);
    expect(lines).toEqual([expect.stringMatching(/ReportsController.upload .* not parsed yet.* FileInterceptor/)]);
  });

  it('is not logged where a value is there, whatever it is', async () => {
    expect(await scenario.get('/header', key, { headers: { 'x-org': 'org_a' } })).toMatchObject({ status: 200 });
    expect(await scenario.get('/header', key, { headers: { 'x-org': 'org_b' } })).toMatchObject(refused);
    expect(await post('/json', 'application/json', '{"orgCode":null}')).toMatchObject(refused);
    expect(lines).toEqual([]);
  });
});
