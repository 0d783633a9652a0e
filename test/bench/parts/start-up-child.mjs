// node start-up-child.mjs <import | boot> <with | without>: prints milliseconds. A process of its own for each measurement: the second
// import of a module costs nothing.
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';

const [, , what, which] = process.argv;
const ROUTES = 20;

const start = performance.now();
if (what === 'import') {
  if (which === 'with') await import('nestjs-kinde-api-key');
  else if (which === 'axios') await import('@nestjs/axios');
  console.log(performance.now() - start);
} else {
  console.log(await bootTime(which === 'with' ? await import('nestjs-kinde-api-key') : undefined));
}
process.exit();

async function bootTime(library) {
  const controllers = Array.from({ length: ROUTES }, (_, index) => controllerOf(index, library));
  const imports = library
    ? [library.KindeApiKeyModule.forRoot({ domain: 'acme', clientId: 'id', clientSecret: 'secret', globalGuard: true })]
    : [];
  class AppModule {}
  Module({ imports, controllers })(AppModule);
  const started = performance.now();
  const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: false });
  await app.init();
  return performance.now() - started;
}

function controllerOf(index, library) {
  class RouteController {
    find() {
      return index;
    }
  }
  const handler = [RouteController.prototype, 'find'];
  const descriptor = Object.getOwnPropertyDescriptor(...handler);
  library?.RequireScopes('read:users')(...handler, descriptor);
  Get()(...handler, descriptor);
  Controller(`route-${index}`)(RouteController);
  return RouteController;
}
