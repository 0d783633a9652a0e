// Verifies a key repeatedly while Kinde answers with bodies that are too large, and reports the peak memory.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ApiKeyVerificationService, KindeApiKeyModule } from 'nestjs-kinde-api-key';

const { KINDE, CLIENT_ID, CLIENT_SECRET, GOOD_KEY } = process.env;

@Module({
  imports: [
    KindeApiKeyModule.forRoot({
      domain: KINDE ?? '',
      clientId: CLIENT_ID ?? '',
      clientSecret: CLIENT_SECRET ?? '',
      cache: false,
      kinde: { retries: 0, timeoutMs: 10_000 },
    }),
  ],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const service = app.get(ApiKeyVerificationService);
let residentMb = 0;
let externalMb = 0;
const sample = (): void => {
  const { rss, external } = process.memoryUsage();
  residentMb = Math.max(residentMb, rss / 1_048_576);
  externalMb = Math.max(externalMb, external / 1_048_576);
};
const sampler = setInterval(sample, 1);
/** Peak since the process started. Catches a peak between two samples, if it is the highest so far. */
const highWaterMb = (): number => process.resourceUsage().maxRSS / 1_024;

/** Verifies the key `times` times in sequence, and counts the outcomes. */
async function ask(times: number): Promise<Record<string, number>> {
  const outcomes: Record<string, number> = {};
  for (let time = 0; time < times; time += 1) {
    const outcome = await service.verify(GOOD_KEY ?? '').then(
      ({ accepted }) => (accepted ? 'accepted' : 'refused'),
      (error: { code?: string }) => error.code ?? 'unknown error',
    );
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  return outcomes;
}

/** Waits until the test has changed what Kinde answers. */
const nextMessage = (): Promise<unknown> => new Promise((resolve) => process.once('message', resolve));

const idle = await ask(200);
globalThis.gc?.();
[residentMb, externalMb] = [0, 0];
sample();
const [idleMb, idleExternalMb, earlierHighWaterMb] = [residentMb, externalMb, highWaterMb()];
process.send?.({ ready: true });
const results: unknown[] = [];
for (const fault of ['huge', 'declared', 'endless']) {
  await nextMessage();
  const outcomes = await ask(8);
  const peakMb = highWaterMb() > earlierHighWaterMb ? highWaterMb() : residentMb;
  results.push({ fault, outcomes, aboveIdleMb: peakMb - idleMb, externalMb: externalMb - idleExternalMb });
  process.send?.({ done: fault });
}
clearInterval(sampler);
await app.close();
process.send?.({ idle, idleMb, results });
process.disconnect();
