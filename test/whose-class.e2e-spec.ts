import { UseGuards, type INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import {
  AnyValidKey,
  ApiKeyGuard,
  KindeApiKeyConfigurationError,
  KindeApiKeyModule,
  OrgScoped,
  PublicRoute,
  RateLimit,
  RequireAnyScope,
  RequireScopes,
  UserScoped,
} from 'nestjs-kinde-api-key';
import { WAYS, type Replaced, type Rule } from './support/replaced-classes.js';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

/** Each kind of rule, and a key that breaks it; the path is about `org_a`. */
const RULES: Readonly<
  Record<string, { readonly make: () => Rule; readonly key: object | null; readonly refused: number }>
> = {
  scopes: { make: () => RequireScopes('admin'), key: { scopes: ['read'] }, refused: 403 },
  'any scope': { make: () => RequireAnyScope('admin', 'owner'), key: { scopes: ['read'] }, refused: 403 },
  organization: { make: () => OrgScoped(), key: { orgCode: 'org_b' }, refused: 403 },
  user: { make: () => UserScoped(), key: { orgCode: 'org_a' }, refused: 403 },
  'any valid key': { make: () => AnyValidKey(), key: null, refused: 401 },
  'rate limit': { make: () => RateLimit({ limit: 1, windowMs: 60_000 }), key: { orgCode: 'org_a' }, refused: 429 },
  public: { make: () => PublicRoute(), key: null, refused: 200 },
};

const GUARDS = ['global', 'local'] as const;

interface Cell {
  readonly title: string;
  readonly kind: string;
  readonly path: string;
  readonly guard: (typeof GUARDS)[number];
  readonly replaced: Replaced;
}

const noRule: Rule = () => undefined;

/** Every way, with each kind of rule in each position; the class is new for each cell. A rate limit alone is no decision. */
function cellsWith(guard: (typeof GUARDS)[number]): Cell[] {
  return WAYS.flatMap(({ name, positions, build }, way) =>
    positions.flatMap((position, index) =>
      Object.entries(RULES).map(([kind, { make }]): Cell => {
        const path = `${way}-${index}-${Object.keys(RULES).indexOf(kind)}`;
        const at = (one: string): Rule => (one === position ? make() : noRule);
        const own =
          guard === 'local' ? (UseGuards(ApiKeyGuard) as Rule) : kind === 'rate limit' ? AnyValidKey() : noRule;
        return { title: `${name}: ${kind} on the ${position}`, kind, path, guard, replaced: build(at, own, path) };
      }),
    ),
  );
}

const OPTIONS = { domain: 'http://127.0.0.1:9', clientId: 'id', clientSecret: 'secret', verifyAtBoot: false as const };

/** Returns the problems for which a cell's app does not boot, or `null`. */
async function bootStop({ guard, replaced }: Cell): Promise<readonly string[] | null> {
  let app: INestApplication | undefined;
  try {
    const testing = Test.createTestingModule({
      controllers: replaced.controllers ?? [],
      providers: (replaced.providers ?? []) as never[],
      imports: [
        KindeApiKeyModule.forRoot({ ...OPTIONS, globalGuard: guard === 'global' }),
        ...(replaced.imports ?? []),
      ],
    }).setLogger({ log: () => undefined, error: () => undefined, warn: () => undefined });
    app = (await testing.compile()).createNestApplication(new ExpressAdapter(), { logger: false });
    await app.init();
    return null;
  } catch (error) {
    if (error instanceof KindeApiKeyConfigurationError) return error.problems;
    throw error;
  } finally {
    await app?.close();
  }
}

/**
 * The cells whose app does not boot. Every other cell keeps its rule. Nest looks for `@UseGuards()` on the class that the instance names, and
 * these functions, on which it stands, are not that class.
 */
const STOPS: Readonly<Record<(typeof GUARDS)[number], RegExp | null>> = {
  global: null,
  local:
    /^a decorator that returns a function (with a prototype of its own|for instances of the class): .*carries @.* but no ApiKeyGuard reaches it/,
};

describe.each(GUARDS)('a rule on a class or handler that was replaced, with a %s guard', (guard) => {
  const kept: Cell[] = [];
  const stopped: string[] = [];

  beforeAll(async () => {
    for (const cell of cellsWith(guard)) {
      const problems = await bootStop(cell);
      if (problems) stopped.push(`${cell.title} | ${problems.join(' | ')}`);
      else kept.push(cell);
    }
  });

  it('stops the boot in these cells only', () => {
    expect(stopped.filter((line) => STOPS[guard]?.test(line) !== true)).toEqual([]);
    expect({ kept: kept.length, stopped: stopped.length }).toEqual(
      guard === 'global' ? { kept: 441, stopped: 0 } : { kept: 405, stopped: 36 },
    );
  });

  describeAdapters('is kept in every cell that boots', (adapter) => {
    let scenario: Scenario | undefined;
    afterAll(() => scenario?.close());

    it('by an answer that refuses', async () => {
      scenario = await startScenario({
        adapter,
        controllers: kept.flatMap(({ replaced }) => replaced.controllers ?? []),
        imports: kept.flatMap(({ replaced }) => replaced.imports ?? []) as never[],
        providers: kept.flatMap(({ replaced }) => replaced.providers ?? []) as never[],
        options: { globalGuard: guard === 'global' },
      });
      const open: string[] = [];
      for (const { title, kind, path } of kept) {
        const rule = RULES[kind];
        if (!rule) continue;
        const key = rule.key ? scenario.emulator.createKey(rule.key).key : undefined;
        if (kind === 'rate limit') await scenario.get(`/org_a/${path}`, key);
        const { status } = await scenario.get(`/org_a/${path}`, key);
        if (status !== rule.refused) open.push(`${title}: ${status}`);
      }
      expect(open).toEqual([]);
    });
  });
});
