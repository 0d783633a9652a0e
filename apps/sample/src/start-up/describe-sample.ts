import { curlOf, DEMO_CALLS } from '../demo/demo-calls.js';
import { DEMO_KEYS } from '../demo/demo-keys.js';
import type { RunningSample } from './start-sample.js';

/** Returns the start-up output: the URL of the API, the demo keys and the demo calls. */
export function describeSample({ url, kinde }: Pick<RunningSample, 'url' | 'kinde'>): string {
  return [
    '',
    `The API is up: ${url}`,
    `Swagger UI:    ${url}/docs ("Authorize" takes a key)`,
    `API keys:      ${url}/api-keys (a screen for keys with manage:keys)`,
    `Kinde:         ${kinde.domain}${kinde.isEmulated ? ' (an emulator)' : ''}`,
    '',
    ...(kinde.isEmulated ? demoKeysAndCalls(url) : firstCall(url)),
    '',
    'Ctrl-C stops everything.',
    '',
  ].join('\n');
}

function demoKeysAndCalls(url: string): string[] {
  return [
    'Demo keys',
    ...Object.values(DEMO_KEYS).map(({ key, name }) => `  ${key.padEnd(26)} ${name}`),
    '',
    'Try, and expect',
    ...DEMO_CALLS.flatMap((call) => [
      '',
      `  # ${call.shows}: ${call.answer.status} … ${call.answer.contains}`,
      `  ${curlOf(call, url)}`,
    ]),
  ];
}

function firstCall(url: string): string[] {
  return ['Try one of your own keys', `  curl -i ${url}/key -H "Authorization: Bearer YOUR_KEY"`];
}
