import {
  SWC_JEST_FOR_ESM,
  swcJest,
  TS_JEST_FOR_ESM,
  tsJest,
  VITEST,
  type TestRunner,
} from '../install/test-runners.js';

/** A version of Nest, with what an app on it installs before the library. npm adds the other peers. */
export interface Nest {
  readonly title: string;
  readonly packages: readonly string[];
  /** Whether `require` needs no support of ES modules. */
  readonly isCommonJs: boolean;
  /** Arguments of the app's `start.ts` by title. */
  readonly platforms: Readonly<Record<string, string>>;
  /** By title. */
  readonly runners: Readonly<Record<string, TestRunner>>;
  readonly typescripts: readonly string[];
  /** Whether package managers and runtimes are combined with it. Exact old versions behave there as others of their major. */
  readonly isOnEveryAxis: boolean;
}

const TYPESCRIPTS = ['5.4', '5.9', '6', '7'];

const NEST = ['common', 'core', 'platform-express', 'platform-fastify', 'testing'];

/** As a new app of Nest has them, and as README says. */
const PEERS = { '@nestjs/axios': '4', axios: '1', rxjs: '7', 'reflect-metadata': '0.2' };

/** Returns the packages of a Nest app. */
function nest(version: string, peers: Readonly<Record<string, string>> = {}): string[] {
  const packages = Object.entries({ ...PEERS, ...peers }).map(([name, of]) => `${name}@${of}`);
  const ofNest = NEST.map((name) => `@nestjs/${name}@${version}`);
  return [...ofNest, ...packages, 'express4@npm:express@4', '@types/node@20'];
}

export const NESTS: readonly Nest[] = [
  {
    title: 'Nest 12',
    isCommonJs: false,
    packages: nest('12', { '@nestjs/axios': '12' }),
    platforms: { 'Express 5': 'express', 'Express 4': 'express4', 'Fastify 5': 'fastify' },
    runners: { 'ts-jest': TS_JEST_FOR_ESM, '@swc/jest': SWC_JEST_FOR_ESM, vitest: VITEST },
    typescripts: TYPESCRIPTS,
    isOnEveryAxis: true,
  },
  {
    title: 'Nest 11',
    isCommonJs: true,
    packages: nest('11'),
    platforms: { 'Express 5': 'express', 'Express 4': 'express4', 'Fastify 5': 'fastify' },
    runners: { 'ts-jest': tsJest('jest@30'), '@swc/jest': swcJest('jest@30'), vitest: VITEST },
    typescripts: TYPESCRIPTS,
    isOnEveryAxis: true,
  },
  {
    title: 'Nest 10',
    isCommonJs: true,
    packages: nest('10'),
    platforms: { 'Express 4': 'express', 'Fastify 4': 'fastify' },
    runners: { 'ts-jest': tsJest('jest@29'), '@swc/jest': swcJest('jest@29'), vitest: VITEST },
    typescripts: TYPESCRIPTS,
    isOnEveryAxis: true,
  },
  {
    title: 'Nest 10.0, oldest peers',
    isCommonJs: true,
    packages: nest('10.0.0', {
      '@nestjs/axios': '3.1.0',
      axios: '1.3.1',
      rxjs: '7.1.0',
      'reflect-metadata': '0.1.13',
    }),
    platforms: { 'Express 4': 'express', 'Fastify 4': 'fastify' },
    runners: { '@swc/jest': swcJest('jest@29') },
    typescripts: ['5.4'],
    isOnEveryAxis: false,
  },
];
