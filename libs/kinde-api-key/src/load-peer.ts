import { createRequire } from 'node:module';

/** The packages that the app brings, with the version to install where one is missing. Those of Nest follow the Nest of the app. */
export const PEER_VERSIONS: Readonly<Record<string, string>> = {
  '@nestjs/axios': '12',
  '@nestjs/common': '12',
  '@nestjs/core': '12',
  '@opentelemetry/api': '1',
  axios: '1',
  jose: '6',
  'reflect-metadata': '0.2',
  rxjs: '7',
};

/** Reads the major version of the app's Nest. Throws if it cannot be found, for example in a bundle. */
function nestOfApp(): number {
  const { version } = createRequire(__filename)('@nestjs/common/package.json') as { version: string };
  return Number.parseInt(version, 10);
}

/**
 * Loads a peer. The build puts every `require()` of a peer through this function, so that a missing or unsuitable one is named with its cure.
 *
 * @param specifier what is loaded, e.g. `rxjs/operators`
 * @param load requires it. A function, so that bundlers see the `require()` and still report a missing package
 * @throws {Error} with the command to run, and with the code of the original error, which is its `cause`
 */
export function loadPeer<Loaded>(specifier: string, load: () => Loaded, nestMajor = nestOfApp): Loaded {
  try {
    return load();
  } catch (error) {
    const message = messageFor(specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/'), error, nestMajor);
    if (message === undefined) throw error;
    throw Object.assign(new Error(message, { cause: error }), { code: (error as NodeJS.ErrnoException).code });
  }
}

function messageFor(peer: string, error: unknown, nestMajor: () => number): string | undefined {
  const { name, code, message = '' } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  const [, missing = ''] = /^Cannot find (?:module|package) '([^']+)'/.exec(message) ?? [];
  if (Object.hasOwn(PEER_VERSIONS, missing))
    return `nestjs-kinde-api-key needs ${missing}, which is not installed. Run: npm install ${installable(missing, nestMajor)}`;
  // jest in CommonJS mode reads an ES module as a script, which is a syntax error.
  if (code !== 'ERR_REQUIRE_ESM' && name !== 'SyntaxError') return undefined;
  return (
    `nestjs-kinde-api-key cannot load ${peer}: the installed version is an ES module, and require() cannot load ES modules in this process. ` +
    cureForEsModule(peer, nestMajor)
  );
}

function cureForEsModule(peer: string, nestMajor: () => number): string {
  if (peer === 'jose') return 'Run: npm install jose@5';
  const wanted = installable(peer, nestMajor);
  if (wanted === '@nestjs/axios@4') return `Run: npm install ${wanted}`;
  return 'In jest, let it transform ES modules (transformIgnorePatterns). In Node, use 20.19 or 22.12 or later without --no-experimental-require-module';
}

function installable(peer: string, nestMajor: () => number): string {
  if (!peer.startsWith('@nestjs/')) return `${peer}@${PEER_VERSIONS[peer]}`;
  try {
    const major = nestMajor();
    return `${peer}@${peer === '@nestjs/axios' && major < 12 ? 4 : major}`;
  } catch {
    return peer;
  }
}
