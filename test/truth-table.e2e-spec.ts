import { Controller, Get, UseGuards, type Type } from '@nestjs/common';
import {
  AnyValidKey,
  ApiKeyGuard,
  KeysOnly,
  OrgScoped,
  PublicRoute,
  RequireAnyScope,
  RequireScopes,
  UserScoped,
  type ApiKeyRuleDecorator,
} from 'nestjs-kinde-api-key';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';
import { KEYS, TRUTH_TABLE, type KeyKind, type Outcome, type TruthRow } from './support/truth-table.js';

/** The decorators by their text in the table. */
const DECORATORS: Readonly<Record<string, () => ApiKeyRuleDecorator>> = {
  "@RequireScopes('read:users')": () => RequireScopes('read:users'),
  "@RequireScopes('write:users')": () => RequireScopes('write:users'),
  "@RequireAnyScope('write:users', 'admin')": () => RequireAnyScope('write:users', 'admin'),
  "@RequireAnyScope('read:users', 'admin')": () => RequireAnyScope('read:users', 'admin'),
  '@OrgScoped()': () => OrgScoped(),
  "@OrgScoped({ from: 'key' })": () => OrgScoped({ from: 'key' }),
  '@UserScoped()': () => UserScoped(),
  '@KeysOnly()': () => KeysOnly(),
  '@AnyValidKey()': () => AnyValidKey(),
  '@PublicRoute()': () => PublicRoute(),
};

function decorator(text: string): ApiKeyRuleDecorator {
  const make = DECORATORS[text];
  if (text !== '' && !make) throw new Error(`unknown decorator in the truth table: ${text}`);
  return make?.() ?? (() => undefined);
}

/** Builds a controller with the row's decorators. Its route is `/:orgCode/<index>`. */
function controllerOf({ onClass, onMethod, inherited }: TruthRow, index: number): Type {
  const [position, text] = inherited.split(': ') as [string, string | undefined];
  @(position === 'class' ? decorator(text ?? '') : decorator(''))
  abstract class Ancestor {
    @(position === 'method' ? decorator(text ?? '') : decorator(''))
    find(): string {
      return 'never called';
    }
  }

  @Controller(':orgCode')
  @UseGuards(ApiKeyGuard)
  @decorator(onClass)
  class RowController extends Ancestor {
    @Get(String(index))
    @decorator(onMethod)
    override find(): string {
      return 'ok';
    }
  }
  return RowController;
}

describeAdapters('the truth table', (adapter) => {
  let scenario: Scenario;
  const keys = new Map<KeyKind, string | undefined>([['bad', 'k_live_unknown_to_kinde_0']]);

  beforeAll(async () => {
    scenario = await startScenario({ adapter, controllers: TRUTH_TABLE.map(controllerOf) });
    for (const [kind, key] of Object.entries(KEYS) as [KeyKind, (typeof KEYS)[KeyKind]][]) {
      if (key && !('known' in key))
        keys.set(kind, scenario.emulator.createKey({ ...key, scopes: [...key.scopes] }).key);
    }
  });
  afterAll(() => scenario.close());

  it.each(
    TRUTH_TABLE.map((row, index) => ({
      row,
      index,
      title: `class ${row.onClass || '-'}, method ${row.onMethod || '-'}, inherited ${row.inherited || '-'}`,
    })),
  )('$title', async ({ row, index }) => {
    const outcomes: Partial<Record<KeyKind, Outcome>> = {};
    for (const kind of Object.keys(row.outcomes) as KeyKind[]) {
      const { status, body } = await scenario.get(`/org_a/${index}`, keys.get(kind));
      outcomes[kind] = status === 200 ? '200' : (body as { code: Outcome }).code;
    }
    expect(outcomes).toEqual(row.outcomes);
  });
});
