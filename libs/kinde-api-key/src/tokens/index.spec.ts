import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as subpath from './index.js';

describe('the subpath ./tokens', () => {
  it('exports these values and types and no others, by name', () => {
    const source = readFileSync(join(__dirname, 'index.ts'), 'utf8');
    const names = [...source.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, list = '']) =>
      list.split(',').map((entry) => entry.trim().replace(/^type /, '')),
    );
    expect(Object.keys(subpath).toSorted()).toEqual([
      'ApiKeyTokenExchange',
      'KindeTokenExchangeError',
      'kindeAccessTokens',
    ]);
    expect(names.toSorted()).toEqual([
      'ApiKeyTokenExchange',
      'ApiKeyTokenOptions',
      'KindeAccessTokenPrincipal',
      'KindeAccessTokensOptions',
      'KindeTokenExchangeError',
      'KindeTokenExchangeErrorCode',
      'kindeAccessTokens',
    ]);
    expect(source).not.toMatch(/export \*|export default/);
  });
});
