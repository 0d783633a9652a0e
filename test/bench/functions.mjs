// npm run bench:functions     how many functions, in how many files, one request on a cache hit runs through
//
// Counted by V8's precise coverage over one canActivate(), on the sources, because the build puts modules together. Functions of Node, of Nest's context and of this file do
// not count; those of the library's dependencies do. Fails if a bound is exceeded.
import { Session } from 'node:inspector/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { table } from './report.mjs';

const BOUNDS = {
  'two scopes': { functions: 26, files: 10 },
  'two scopes and a rate limit': { functions: 36, files: 13 },
};

const { Test } = await import('@nestjs/testing');
const { ApiKeyGuard, ApiKeyVerificationService, KindeApiKeyModule, RateLimit, RequireScopes } =
  await import('nestjs-kinde-api-key');
const { KindeEmulator } = await import('nestjs-kinde-api-key/testing');

class Users {
  scopes() {}
  limited() {}
}
decorate('scopes', RequireScopes('read:users', 'write:users'));
decorate('limited', RequireScopes('read:users', 'write:users'), RateLimit({ limit: 100, windowMs: 60_000 }));

const kinde = await KindeEmulator.start();
const testing = await Test.createTestingModule({
  imports: [KindeApiKeyModule.forRoot({ domain: kinde.domain, ...kinde.credentials })],
}).compile();
const guard = testing.get(ApiKeyGuard);
const { key } = kinde.createKey({ scopes: ['read:users', 'write:users'], orgCode: 'org_a' });
await testing.get(ApiKeyVerificationService).verify(key);

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
const counted = {
  'two scopes': await functionsOf('scopes'),
  'two scopes and a rate limit': await functionsOf('limited'),
};
await session.post('Profiler.stopPreciseCoverage');
await testing.close();
await kinde.stop();

for (const [name, functions] of Object.entries(counted)) {
  console.log(`\n${name}\n`);
  for (const { file, functionName } of functions) console.log(`  ${file}: ${functionName || '(anonymous)'}`);
}
const rows = Object.entries(counted).map(([name, functions]) => {
  const files = new Set(functions.map(({ file }) => file)).size;
  const bound = BOUNDS[name];
  return [name, functions.length, bound.functions, files, bound.files];
});
console.log(`\n${table(['a cached hit with', 'functions', 'bound', 'files', 'bound'], rows)}`);
process.exit(rows.every(([, functions, most, files, mostFiles]) => functions <= most && files <= mostFiles) ? 0 : 1);

function decorate(name, ...decorators) {
  const descriptor = Object.getOwnPropertyDescriptor(Users.prototype, name);
  for (const one of decorators) one(Users.prototype, name, descriptor);
}

/** @returns every function that one request to a method runs through, after a first one that compiles the rule */
async function functionsOf(name) {
  run(name);
  await session.post('Profiler.takePreciseCoverage');
  run(name);
  const { result } = await session.post('Profiler.takePreciseCoverage');
  const root = fileURLToPath(new URL('../../', import.meta.url));
  return result
    .filter(({ url }) => url.startsWith('file:') && url !== import.meta.url)
    .flatMap(({ url, functions }) =>
      functions
        .filter(({ ranges: [{ count }] }) => count > 0)
        .map(({ functionName }) => ({ file: relative(root, fileURLToPath(url)), functionName })),
    );
}

function run(name) {
  const request = { headers: {}, rawHeaders: ['Authorization', `Bearer ${key}`], params: {} };
  const context = {
    getType: () => 'http',
    getClass: () => Users,
    getHandler: () => Users.prototype[name],
    switchToHttp: () => ({ getRequest: () => request, getResponse: () => ({ header() {} }) }),
  };
  if (guard.canActivate(context) !== true) throw new Error('The key is not cached');
}
