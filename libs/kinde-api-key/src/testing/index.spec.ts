import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as testKit from './index.js';

const VALUES = [
  'KindeApiKeyTestingModule',
  'KindeEmulator',
  'TestClock',
  'describeSharedStore',
  'provideVerifiedKey',
  'withApiKey',
];

const TYPES = [
  'ApiKeyOfRequest',
  'KindeApiKeyOverridable',
  'KindeEmulatorApi',
  'KindeEmulatorApiOptions',
  'KindeEmulatorApiScope',
  'KindeEmulatorApplicationOptions',
  'KindeEmulatorCallLimit',
  'KindeEmulatorCounters',
  'KindeEmulatorCredentials',
  'KindeEmulatorEndpoint',
  'KindeEmulatorEnvironment',
  'KindeEmulatorFault',
  'KindeEmulatorFaultTarget',
  'KindeEmulatorInvalidKeyAnswer',
  'KindeEmulatorKey',
  'KindeEmulatorKeyOptions',
  'KindeEmulatorKeyRecord',
  'KindeEmulatorKeyStatus',
  'KindeEmulatorKeyType',
  'KindeEmulatorOptions',
  'KindeEmulatorTokenOptions',
  'SharedStoreFleet',
  'SharedStoreSuiteRunner',
];

describe('the public surface of ./testing', () => {
  const source = readFileSync(join(__dirname, 'index.ts'), 'utf8');

  it('exports these values and no others', () => {
    expect(Object.keys(testKit).toSorted()).toEqual(VALUES);
  });

  it('exports these types and no others', () => {
    const types = [...source.matchAll(/export (type )?\{([^}]*)\}/g)].flatMap(([, allTypes, list = '']) =>
      list
        .split(',')
        .map((entry) => entry.trim())
        .filter((entry) => entry !== '' && (allTypes !== undefined || entry.startsWith('type ')))
        .map((entry) => entry.replace(/^type /, '')),
    );
    expect(types.toSorted()).toEqual(TYPES);
  });
});
