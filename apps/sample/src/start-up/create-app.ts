import { type INestApplication, type NestApplicationOptions, StandardSchemaValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../app.module.js';
import { serveApiDocs } from '../openapi.js';
import type { Settings } from './settings.js';
import { StartUpLogger } from './start-up-logger.js';

/** Creates the Nest application, on Express or on Fastify, ready to listen. */
export async function createApp(httpAdapter: Settings['httpAdapter']): Promise<INestApplication> {
  const options: NestApplicationOptions = {
    abortOnError: false, // the start-up reports errors instead of aborting the process
    forceCloseConnections: true, // a browser's open connection must not delay Ctrl-C
    logger: new StartUpLogger(),
  };
  const app = await (httpAdapter === 'fastify' ? createFastifyApp(options) : NestFactory.create(AppModule, options));
  app.useGlobalPipes(new StandardSchemaValidationPipe());
  serveApiDocs(app);
  return app;
}

async function createFastifyApp(options: NestApplicationOptions): Promise<INestApplication> {
  const { FastifyAdapter } = await import('@nestjs/platform-fastify');
  return NestFactory.create(AppModule, new FastifyAdapter(), options);
}
