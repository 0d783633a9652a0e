// Asks everything on one of the platforms, and prints the answers.
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import express4 from 'express4';
import { askEverything } from './consumer.js';

const adapters: Record<string, () => ExpressAdapter | FastifyAdapter> = {
  express: () => new ExpressAdapter(),
  express4: () => new ExpressAdapter(express4()),
  fastify: () => new FastifyAdapter(),
};

const adapter = adapters[process.argv[2] ?? 'express'];
if (!adapter) throw new Error(`Unknown platform: ${process.argv[2]}`);
void askEverything(adapter()).then((answers) => console.log(JSON.stringify(answers)));
