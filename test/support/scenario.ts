import type { DynamicModule, INestApplication, ModuleMetadata, Type } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import {
  KINDE_API_KEY_CLOCK,
  KindeApiKeyModule,
  type KindeApiKeyModuleExtras,
  type KindeApiKeyOptions,
} from 'nestjs-kinde-api-key';
import { KindeEmulator, TestClock, type KindeEmulatorOptions } from 'nestjs-kinde-api-key/testing';
import { send, type Answer, type Sending } from './http.js';

/** The HTTP adapters of Nest. Every answer is the same on both. */
export const ADAPTERS = ['express', 'fastify'] as const;
export type Adapter = (typeof ADAPTERS)[number];

/** The parts of an app under test. */
export interface ScenarioOptions {
  readonly adapter: Adapter;
  readonly controllers?: Type[];
  readonly providers?: ModuleMetadata['providers'];
  readonly imports?: ModuleMetadata['imports'];
  readonly options?: KindeApiKeyOptions & KindeApiKeyModuleExtras;
  readonly emulator?: KindeEmulatorOptions;
  /** Returns the registrations to import instead of the default one. */
  readonly register?: (emulator: KindeEmulator) => (DynamicModule | Type)[];
  /** Called before the app starts. */
  readonly prepare?: (app: INestApplication) => void;
}

/** A running app, its Kinde emulator and the clock of both. */
export interface Scenario {
  readonly app: INestApplication;
  readonly emulator: KindeEmulator;
  readonly clock: TestClock;
  readonly url: string;
  /** Sends a request with a key as `Authorization: Bearer`, or without a key. */
  get(path: string, key?: string, sending?: Sending): Promise<Answer>;
  send(path: string, sending?: Sending): Promise<Answer>;
  close(): Promise<void>;
}

/** Starts an emulator and an app that uses it, both on loopback sockets. */
export async function startScenario(scenario: ScenarioOptions): Promise<Scenario> {
  const clock = new TestClock();
  const emulator = await KindeEmulator.start({ clock, ...scenario.emulator });
  try {
    return await startOn(emulator, clock, scenario);
  } catch (error) {
    await emulator.stop();
    throw error;
  }
}

async function startOn(emulator: KindeEmulator, clock: TestClock, scenario: ScenarioOptions): Promise<Scenario> {
  const registrations = scenario.register?.(emulator) ?? [
    // Tests count calls: those of the boot are in `doctor-at-boot.e2e-spec.ts`.
    KindeApiKeyModule.forRoot({
      domain: emulator.domain,
      ...emulator.credentials,
      verifyAtBoot: false,
      ...scenario.options,
    }),
  ];
  const testing = await Test.createTestingModule({
    imports: [...registrations, ...(scenario.imports ?? [])],
    controllers: scenario.controllers ?? [],
    providers: scenario.providers ?? [],
  })
    .overrideProvider(KINDE_API_KEY_CLOCK)
    .useValue(clock)
    .compile();
  const app = testing.createNestApplication(
    scenario.adapter === 'fastify' ? new FastifyAdapter() : new ExpressAdapter(),
    { logger: false },
  );
  scenario.prepare?.(app);
  await app.listen(0, '127.0.0.1');
  const url = (await app.getUrl()).replace('[::1]', '127.0.0.1');
  return {
    app,
    emulator,
    clock,
    url,
    get: (path, key, { headers, ...sending } = {}) => {
      const given: Readonly<Record<string, string>> = Array.isArray(headers)
        ? {}
        : { ...(headers as Record<string, string>) };
      return send(url + path, {
        ...sending,
        headers: { ...given, ...(key ? { authorization: `Bearer ${key}` } : {}) },
      });
    },
    send: (path, sending) => send(url + path, sending),
    close: async () => {
      await app.close();
      await emulator.stop();
    },
  };
}

/** Runs the same suite on Express and on Fastify. */
export function describeAdapters(name: string, suite: (adapter: Adapter) => void): void {
  describe.each(ADAPTERS)(`${name} on %s`, suite);
}
