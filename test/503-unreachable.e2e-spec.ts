import { Agent, createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Logger, UseGuards } from '@nestjs/common';
import {
  ApiKeyGuard,
  ApiKeyVerificationService,
  KindeApiKeyModule,
  KindeApiKeyUnavailableError,
  type KindeApiKeyOptions,
} from 'nestjs-kinde-api-key';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';
import { SELF_SIGNED } from './support/self-signed.js';

@Controller()
@UseGuards(ApiKeyGuard)
class AnyController {
  @Get()
  find(): string {
    return 'ok';
  }
}

const KEY = 'k_live_unreachable_0000000001';

describeAdapters('503 for a Kinde that cannot be reached', (adapter) => {
  let scenario: Scenario;
  const lines: string[] = [];

  async function start(connection: Pick<KindeApiKeyOptions, 'domain' | 'kinde'>): Promise<void> {
    lines.length = 0;
    const keep = (line: unknown): void => void lines.push(String(line));
    const options = { clientId: 'id', clientSecret: 'a-client-secret', ...connection };
    scenario = await startScenario({
      adapter,
      controllers: [AnyController],
      register: () => [KindeApiKeyModule.forRoot(options)],
      prepare: (app) => app.useLogger({ log: () => undefined, warn: keep, error: keep }),
    });
  }
  afterEach(async () => {
    await scenario.close();
    Logger.overrideLogger(false);
  });

  /** Returns what the log says, and what the error of the service says with its causes. */
  async function told(): Promise<{ log: string; error: string }> {
    expect(await scenario.get('/', KEY)).toMatchObject({ status: 503, body: { code: 'VERIFICATION_UNAVAILABLE' } });
    const error: unknown = await scenario.app
      .get(ApiKeyVerificationService)
      .verify(KEY)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KindeApiKeyUnavailableError);
    const messages: string[] = [];
    for (let one: unknown = error; one instanceof Error; one = one.cause) messages.push(one.message);
    const told = { log: lines.join('\n'), error: messages.join('\n') };
    for (const secret of [KEY, 'a-client-secret']) expect(JSON.stringify(told)).not.toContain(secret);
    return told;
  }

  it('names the code and the cure of a certificate that is not trusted', async () => {
    const server = createServer(SELF_SIGNED).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      await start({ domain: `https://127.0.0.1:${(server.address() as AddressInfo).port}` });
      const { log, error } = await told();
      expect(log).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
      expect(error).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
      for (const text of [log, error]) expect(text).toMatch(/NODE_EXTRA_CA_CERTS.*kinde\.http\.httpsAgent/s);
    } finally {
      server.close();
    }
  });

  it('names the code and the cure of a domain that does not exist', async () => {
    const httpsAgent = new Agent({
      lookup: (hostname, _options, done) => {
        const error = new Error(`getaddrinfo ENOTFOUND ${hostname}`);
        done(Object.assign(error, { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname }), '', 4);
      },
    });
    await start({ domain: 'no-such-domain', kinde: { http: { httpsAgent } } });
    const { log, error } = await told();
    for (const text of [log, error]) expect(text).toMatch(/ENOTFOUND.*domain/s);
  });
});
