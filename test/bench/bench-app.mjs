// One Nest app with one route per variant, asked without a socket.
import 'reflect-metadata';
import { Controller, Get, Logger, Module, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ask } from './node-request.mjs';

Logger.overrideLogger(['error', 'fatal']);

/**
 * What is measured.
 *
 * @typedef {object} Variant
 * @property {string} name its row in the table
 * @property {unknown[]} [guards] on its route
 * @property {MethodDecorator[]} [decorators] on its handler
 * @property {unknown[]} [imports] modules that its guards need, for its route alone
 * @property {unknown[]} [providers]
 * @property {(index: number) => string | undefined} keyOf the key that the request with this number sends
 * @property {number} [status] what is answered, 200 unless it says else
 * @property {number} [before] requests until it answers that
 * @property {number} [block] requests in a row, for variants that take long
 * @property {number} [atOnce] requests that are under way together, for variants that wait
 */

/** @returns a module with one route, `GET /<path>/:orgCode`, which is protected as the variant says */
function moduleOf({ guards = [], decorators = [], imports = [], providers = [] }, path) {
  class BenchController {
    find() {
      return { id: 'kp_1234567890', name: 'Ada Lovelace', email: 'ada@example.com' };
    }
  }
  const handler = [BenchController.prototype, 'find'];
  const descriptor = Object.getOwnPropertyDescriptor(...handler);
  for (const decorate of [...decorators, Get(':orgCode')]) decorate(...handler, descriptor);
  if (guards.length > 0) UseGuards(...guards)(...handler, descriptor);
  Controller(path)(BenchController);

  class BenchModule {}
  Module({ imports, providers, controllers: [BenchController] })(BenchModule);
  return BenchModule;
}

/**
 * @param {'fastify' | 'express'} adapter
 * @param {readonly Variant[]} variants
 * @param {readonly unknown[]} imports modules for all of them
 * @param {string} orgCode the organization in every path
 * @returns the app, and for every variant how to send the request with a number
 */
export async function createBenchApp(adapter, variants, imports, orgCode) {
  const paths = new Map(variants.map((variant, index) => [variant, `v${String(index).padStart(2, '0')}`]));
  class AppModule {}
  Module({ imports: [...imports, ...variants.map((variant) => moduleOf(variant, paths.get(variant)))] })(AppModule);
  const http = adapter === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
  const app = await NestFactory.create(AppModule, http, { logger: false });
  await app.init();
  const instance = http.getInstance();
  if (adapter === 'fastify') await instance.ready();
  const send = adapter === 'fastify' ? (request) => instance.inject(request) : (request) => ask(instance, request);
  const runnable = variants.map((variant) => {
    const url = `/${paths.get(variant)}/${orgCode}`;
    return {
      ...variant,
      url,
      prepare: () => adapter === 'express' && bringToFront(instance.router, url),
      request: (index) => send({ method: 'GET', url, headers: headersOf(variant.keyOf(index)) }),
    };
  });
  return { app, variants: runnable };
}

/** Moves a route to the front: Express tries its routes in order, and no variant must pay for those before it. */
function bringToFront({ stack }, url) {
  const first = stack.findIndex(({ route }) => route);
  const wanted = stack.findIndex((layer) => layer.route && layer.match(url));
  stack.splice(first, 0, ...stack.splice(wanted, 1));
}

const HEADERS = new Map();

/** The headers of a request, made once for each key: the harness must cost less than what it measures. */
function headersOf(key) {
  let headers = HEADERS.get(key);
  if (!headers) HEADERS.set(key, (headers = key === undefined ? {} : { authorization: `Bearer ${key}` }));
  return headers;
}

/** Asks every variant once, and throws for an unexpected answer: a variant that does nothing would be fast. */
export async function checkAnswers(variants) {
  for (const { name, request, status = 200, before = 0 } of variants) {
    for (let times = 0; times < before; times += 1) await request(0);
    const { statusCode, payload } = await request(0);
    if (statusCode !== status) throw new Error(`"${name}" answers ${statusCode} and not ${status}: ${payload}`);
  }
}
