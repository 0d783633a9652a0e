// Closes an app while verifications are under way, and then does nothing: the process ends if nothing keeps it alive.
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
      // Longer than the test waits: what is not cleared keeps the process alive.
      kinde: { timeoutMs: 60_000 },
    }),
  ],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0, '127.0.0.1');
const service = app.get(ApiKeyVerificationService);
const word = new Promise((resolve) => process.once('message', resolve));
process.send?.({ ready: true });
await word;
const keys = [GOOD_KEY ?? '', ...Array.from({ length: 99 }, (_value, index) => `k_live_in_flight_${1_000 + index}`)];
const asked = keys.map((key) =>
  service.verify(key).then(
    (verdict) => (verdict.accepted ? 'accepted' : verdict.reason),
    (error: Error) => error.name,
  ),
);
// Nobody waits for these; what becomes of them is nobody's to handle.
for (const key of keys) service.verifyCached(key);
// With a Kinde that is well they have their answers first; with one that hangs they never would.
await Promise.race([Promise.all(asked), new Promise((resolve) => setTimeout(resolve, 1_000).unref())]);
await app.close();
const outcomes: Record<string, number> = {};
for (const outcome of await Promise.all(asked)) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
process.send?.({ outcomes }, () => process.disconnect());
