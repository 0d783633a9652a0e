import type { INestApplication } from '@nestjs/common';
import { type AbstractHttpAdapter, NestFactory } from '@nestjs/core';
import { KindeApiKeyConfigurationError } from 'nestjs-kinde-api-key';
import { AppModule } from '../app.module.js';
import { DatabaseService } from '../database/database.service.js';
import { insertDemoData } from '../demo/demo-data.js';
import { serveApiDocs } from '../openapi.js';
import { RedisUrlError } from '../redis/redis.service.js';
import { checkThatDomainResolves } from './domain-check.js';
import { type Kinde, realKinde, startEmulatedKinde } from './kinde.js';
import { type Settings, StartUpError } from './settings.js';
import { StartUpLogger } from './start-up-logger.js';

/** The running API. */
export interface RunningSample {
  /** Where it listens, e.g. `http://127.0.0.1:3000`. */
  readonly url: string;
  readonly kinde: Kinde;
  /** Stops the API, and the emulator if it runs. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts the API as main.ts does, with the emulator and the demo data unless the settings have a Kinde domain. Listens on the loopback
 * address only, because the demo keys are public.
 *
 * @throws {StartUpError} if the user can fix the cause; nothing is left running
 */
export async function startSample({ port, httpAdapter, kindeDomain }: Settings): Promise<RunningSample> {
  const kinde = kindeDomain === undefined ? await startEmulatedKinde() : realKinde(kindeDomain);
  let app: INestApplication | undefined;
  const stop = async (): Promise<void> => {
    await app?.close();
    await kinde.stop();
  };
  try {
    app = await NestFactory.create(AppModule, await adapterOf(httpAdapter), {
      abortOnError: false, // errors are reported below
      forceCloseConnections: true, // a browser's open connection must not delay Ctrl-C
      logger: new StartUpLogger(),
    });
    serveApiDocs(app);
    if (kinde.isEmulated) insertDemoData(app.get(DatabaseService));
    else await checkThatDomainResolves(kinde.domain);
    await app.listen(port, '127.0.0.1');
    return { url: await app.getUrl(), kinde, stop };
  } catch (error) {
    await stop();
    throw explain(error, port);
  }
}

async function adapterOf(name: Settings['httpAdapter']): Promise<AbstractHttpAdapter> {
  if (name === 'fastify') return new (await import('@nestjs/platform-fastify')).FastifyAdapter();
  return new (await import('@nestjs/platform-express')).ExpressAdapter();
}

function explain(error: unknown, port: number): unknown {
  if (error instanceof KindeApiKeyConfigurationError || error instanceof RedisUrlError)
    return new StartUpError(error.message);
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new StartUpError(`Port ${port} is taken. Choose another one, e.g. PORT=3001`);
    case 'EACCES':
      return new StartUpError(`Port ${port} is not allowed here. Choose one above 1023, e.g. PORT=3001`);
    default:
      return error;
  }
}
