// Closes an app while verifications are in flight, then does nothing. The process ends unless something keeps it alive.
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
      // The verifications ask for the M2M token.
      verifyAtBoot: false,
      // Longer than the test waits: a timer that is not cleared keeps the process alive.
      kinde: { timeoutMs: 60_000 },
    }),
  ],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0, '127.0.0.1');
const service = app.get(ApiKeyVerificationService);
const started = new Promise((resolve) => process.once('message', resolve));
process.send?.({ ready: true });
await started;
const keys = [GOOD_KEY ?? '', ...Array.from({ length: 99 }, (_value, index) => `k_live_in_flight_${1_000 + index}`)];
const asked = keys.map((key) =>
  service.verify(key).then(
    (verdict) => (verdict.accepted ? 'accepted' : verdict.reason),
    (error: Error) => error.name,
  ),
);
// Starts background work whose result is never read.
for (const key of keys) service.verifyCached(key);
// If Kinde answers, closes after the answers; if it hangs, closes in the meantime.
await Promise.race([Promise.all(asked), new Promise((resolve) => setTimeout(resolve, 1_000).unref())]);
await app.close();
const outcomes: Record<string, number> = {};
for (const outcome of await Promise.all(asked)) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
process.send?.({ outcomes }, () => process.disconnect());
