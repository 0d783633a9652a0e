import { SWC_JEST_FOR_ESM, swcJest, tsJest, VITEST, type TestRunner } from '../install/test-runners.js';

/** A version of Nest, with what an app on it installs before the library. npm adds the other peers. */
export interface Nest {
  readonly title: string;
  readonly packages: readonly string[];
  /** Arguments of the app's `start.ts` by title. */
  readonly platforms: Readonly<Record<string, string>>;
  readonly runners: readonly TestRunner[];
  readonly typescripts: readonly string[];
}

export const TYPESCRIPTS = ['5.4', '5.9', '6', '7'];

const names = ['common', 'core', 'platform-express', 'platform-fastify', 'testing'];

/** Returns the packages of a Nest app. */
function nest(version: string, ...others: readonly string[]): string[] {
  return [...names.map((name) => `@nestjs/${name}@${version}`), 'express4@npm:express@4', '@types/node@20', ...others];
}

export const NESTS: readonly Nest[] = [
  {
    title: 'Nest 12',
    packages: nest('12'),
    platforms: { 'Express 5': 'express', 'Express 4': 'express4', 'Fastify 5': 'fastify' },
    runners: [tsJest('jest@30'), SWC_JEST_FOR_ESM, VITEST],
    typescripts: TYPESCRIPTS,
  },
  {
    title: 'Nest 11',
    packages: nest('11', '@nestjs/axios@4'),
    platforms: { 'Express 5': 'express', 'Express 4': 'express4', 'Fastify 5': 'fastify' },
    runners: [tsJest('jest@30'), swcJest('jest@30'), VITEST],
    typescripts: TYPESCRIPTS,
  },
  {
    title: 'Nest 10',
    packages: nest('10', '@nestjs/axios@4'),
    platforms: { 'Express 4': 'express', 'Fastify 4': 'fastify' },
    runners: [tsJest('jest@29'), swcJest('jest@29'), VITEST],
    typescripts: TYPESCRIPTS,
  },
  {
    title: 'Nest 10.0, oldest peers',
    packages: nest('10.0.0', '@nestjs/axios@3.1.0', 'axios@1.3.1', 'rxjs@7.1.0', 'reflect-metadata@0.1.13'),
    platforms: { 'Express 4': 'express', 'Fastify 4': 'fastify' },
    runners: [tsJest('jest@29'), swcJest('jest@29')],
    typescripts: ['5.4'],
  },
];
