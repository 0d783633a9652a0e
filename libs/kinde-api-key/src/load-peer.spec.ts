import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadPeer, PEER_VERSIONS } from './load-peer.js';

const missing = (name: string) =>
  Object.assign(new Error(`Cannot find module '${name}'`), { code: 'MODULE_NOT_FOUND' });
const missingForImport = (name: string) =>
  Object.assign(
    new Error(`Cannot find package '${name}' imported from /app/node_modules/@nestjs/axios/dist/index.js`),
    {
      code: 'ERR_MODULE_NOT_FOUND',
    },
  );
const isEsModule = Object.assign(new Error('require() of ES Module /x not supported'), { code: 'ERR_REQUIRE_ESM' });
const inJest = new SyntaxError('Cannot use import statement outside a module');

/** Loads a package that throws, in an app with this Nest. */
function errorOf(specifier: string, thrown: unknown, nestMajor: () => number = () => 12): unknown {
  try {
    loadPeer(
      specifier,
      () => {
        throw thrown;
      },
      nestMajor,
    );
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('a peer', () => {
  it('is returned as it is loaded', () => {
    const loaded = {};
    expect(loadPeer('jose', () => loaded)).toBe(loaded);
  });

  it.each([
    ['@nestjs/axios', 12, missing('@nestjs/axios'), '@nestjs/axios@12'],
    ['@nestjs/axios', 11, missing('@nestjs/axios'), '@nestjs/axios@4'],
    ['@nestjs/axios', 10, missing('@nestjs/axios'), '@nestjs/axios@4'],
    ['@nestjs/core', 11, missing('@nestjs/core'), '@nestjs/core@11'],
    ['@nestjs/axios', 12, missingForImport('axios'), 'axios@1'],
    ['rxjs/operators', 12, missing('rxjs'), 'rxjs@7'],
    ['jose', 12, missing('jose'), 'jose@6'],
    ['@opentelemetry/api', 12, missingForImport('@opentelemetry/api'), '@opentelemetry/api@1'],
  ])(
    'that is not installed is named with the command that installs it: %s, Nest %d',
    (name, major, thrown, command) => {
      const [, absent] = /'(.+?)'/.exec(thrown.message) ?? [];
      expect(errorOf(name, thrown, () => major)).toMatchObject({
        message: `nestjs-kinde-api-key needs ${absent}, which is not installed. Run: npm install ${command}`,
        code: thrown.code,
        cause: thrown,
      });
    },
  );

  it.each([
    ['@nestjs/axios', 11, isEsModule, /cannot load @nestjs\/axios: .* ES module.* Run: npm install @nestjs\/axios@4$/],
    ['@nestjs/axios', 10, inJest, /cannot load @nestjs\/axios: .* ES module.* Run: npm install @nestjs\/axios@4$/],
    ['jose', 12, inJest, /cannot load jose: .* ES module.* Run: npm install jose@5$/],
    ['@nestjs/common', 12, isEsModule, /cannot load @nestjs\/common: .* In Node, use 20\.19 or 22\.12 or later/],
    ['@nestjs/axios', 12, inJest, /cannot load @nestjs\/axios: .* In jest, let it transform ES modules/],
  ])(
    'that cannot be loaded, because it is an ES module, is named with its cure: %s, Nest %d',
    (name, major, thrown, text) => {
      expect(errorOf(name, thrown, () => major)).toMatchObject({
        message: expect.stringMatching(text) as string,
        cause: thrown,
      });
    },
  );

  it('of Nest is named without a version where the version of Nest cannot be read', () => {
    const unread = () => {
      throw new Error('bundled');
    };
    expect(errorOf('@nestjs/axios', missing('@nestjs/axios'), unread)).toMatchObject({
      message: expect.stringMatching(/Run: npm install @nestjs\/axios$/) as string,
    });
  });

  it.each([new Error('The package is broken'), missing('tslib'), missing('./x.js'), null, 'text'])(
    'that fails for another reason throws what it threw: %s',
    (thrown) => {
      expect(errorOf('@nestjs/common', thrown)).toBe(thrown);
    },
  );

  it('has a version to install that the package allows', () => {
    const manifest = readFileSync(join(__dirname, '../package.json'), 'utf8');
    const { peerDependencies } = JSON.parse(manifest) as { peerDependencies: Record<string, string> };
    const lazy = ['@nestjs/microservices', '@nestjs/websockets'];
    const newest = Object.entries(peerDependencies)
      .filter(([name]) => !lazy.includes(name))
      .map(([name, range]) => [name, range.replace(/^.*\^/, '').replace(/^([1-9]\d*|0\.\d+)\..*$/, '$1')]);
    expect(PEER_VERSIONS).toEqual(Object.fromEntries(newest));
  });
});
