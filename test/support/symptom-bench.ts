import { Body, Controller, Get, Logger, Post, type Type, UseGuards } from '@nestjs/common';
import {
  AnyValidKey,
  ApiKeyDoctor,
  ApiKeyGuard,
  KindeApiKeyModule,
  OrgScoped,
  RequireScopes,
  UserScoped,
  type Finding,
  type KindeApiKeyOptions,
} from 'nestjs-kinde-api-key';
import type { KindeEmulatorOptions } from 'nestjs-kinde-api-key/testing';
import { ApiKeyTokenExchange, kindeAccessTokens } from 'nestjs-kinde-api-key/tokens';
import type { Answer, Sending } from './http.js';
import { startScenario, type Adapter, type Scenario } from './scenario.js';

/** Where a cause and a cure are printed. */
export type Source = 'answer' | 'doctor' | 'log' | 'error';

/** What was printed while a symptom was brought about. */
export type Evidence = Partial<Record<Source, string>>;

/** The audience of access tokens. */
export const AUDIENCE = 'https://api.example.com';
/** A key in the form of one, which no Kinde has issued. */
export const UNKNOWN_KEY = 'k_live_unknown_to_kinde_0';

@Controller()
@UseGuards(ApiKeyGuard)
class ReportsController {
  @Get('any')
  @AnyValidKey()
  any(): string {
    return 'ok';
  }

  @Get('orgs/:orgCode/users')
  @RequireScopes('read:users')
  @OrgScoped()
  users(): string {
    return 'ok';
  }

  @Get('mine')
  @UserScoped()
  mine(): string {
    return 'ok';
  }

  @Get('header')
  @OrgScoped({ header: 'X-Org' })
  header(): string {
    return 'ok';
  }

  @Post('reports')
  @OrgScoped({ body: 'orgCode' })
  create(@Body() body: unknown): unknown {
    return body;
  }
}

/** A controller whose one route requires a scope. */
export function controllerRequiring(scope: string): Type {
  @Controller('scoped')
  @UseGuards(ApiKeyGuard)
  class ExportsController {
    @Get()
    @RequireScopes(scope)
    find(): string {
      return 'ok';
    }
  }
  return ExportsController;
}

/** What differs from an app that works. */
export interface SymptomSetup {
  readonly options?: KindeApiKeyOptions;
  readonly emulator?: KindeEmulatorOptions;
  readonly controllers?: Type[];
}

/** An app and its emulator in which symptoms are brought about, and what they print. */
export class SymptomBench {
  readonly #lines: string[] = [];

  private constructor(readonly scenario: Scenario) {
    const keep = (line: unknown): void => void this.#lines.push(String(line));
    scenario.app.useLogger({ log: () => undefined, warn: keep, error: keep });
  }

  static async start(
    adapter: Adapter,
    { options, emulator, controllers = [] }: SymptomSetup = {},
  ): Promise<SymptomBench> {
    const scenario = await startScenario({
      adapter,
      controllers: [ReportsController, ...controllers],
      providers: [ApiKeyTokenExchange],
      emulator: { apis: [{ id: 'api_1', name: 'API', scopes: ['read:users', 'write:users'] }], ...emulator },
      register: ({ domain, credentials }) => [
        KindeApiKeyModule.forRoot({
          domain,
          ...credentials,
          verifyAtBoot: false,
          ...options,
        }),
      ],
    });
    return new SymptomBench(scenario);
  }

  get emulator(): Scenario['emulator'] {
    return this.scenario.emulator;
  }

  /** The lines of the log, as one text. */
  get log(): string {
    return this.#lines.join('\n');
  }

  /** Sends a request, and returns its answer. */
  get(path: string, key?: string, sending?: Sending): Promise<Answer> {
    return this.scenario.get(path, key, sending);
  }

  /** Returns what the doctor of the app prints, a line for each finding. */
  async doctor(rawKey?: string): Promise<string> {
    const findings = await this.scenario.app.get(ApiKeyDoctor).examine(rawKey === undefined ? {} : { rawKey });
    return findings.map(lineOf).join('\n');
  }

  /** Returns the message of the error that a call ends with. */
  async errorOf(call: (app: Scenario['app']) => Promise<unknown>): Promise<string> {
    const error = await call(this.scenario.app).then(
      () => undefined,
      (thrown: unknown) => thrown as Error & { code?: string },
    );
    return `${error?.code}: ${error?.message}`;
  }

  async close(): Promise<void> {
    await this.scenario.close();
    Logger.overrideLogger(false);
  }
}

/** The option with which the app accepts access tokens, too. */
export const ACCESS_TOKENS = { principals: [kindeAccessTokens({ audience: AUDIENCE })] };

/** @returns an answer in words: the code, the message and the hint */
export function textOf({ status, body }: Answer): string {
  const { code, message, hint } = body as Record<string, unknown>;
  return `${status} \`${String(code)}\` ${String(message)} ${String(hint)}`;
}

function lineOf({ code, status, seen, means, cure }: Finding): string {
  return `${status} ${code}: ${seen}. ${means}. ${cure}`;
}
