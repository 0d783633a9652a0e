export { KindeApiKeyTestingModule, type KindeApiKeyOverridable } from './kit/kinde-api-key-testing.module.js';
export { KindeEmulator } from './kinde-emulator.js';
export { TestClock } from './test-clock.js';
export { provideVerifiedKey, withApiKey, type ApiKeyOfRequest } from './kit/verified-key.js';
export type { KindeEmulatorApi, KindeEmulatorApiOptions, KindeEmulatorApiScope } from './emulator/api-catalogue.js';
export type {
  KindeEmulatorApplicationOptions,
  KindeEmulatorCredentials,
  KindeEmulatorEnvironment,
} from './emulator/applications.js';
export type { KindeEmulatorCallLimit } from './emulator/call-limit.js';
export type { KindeEmulatorCounters } from './emulator/counters.js';
export type { KindeEmulatorEndpoint, KindeEmulatorFault, KindeEmulatorFaultTarget } from './emulator/faults.js';
export type {
  KindeEmulatorKey,
  KindeEmulatorKeyOptions,
  KindeEmulatorKeyRecord,
  KindeEmulatorKeyStatus,
  KindeEmulatorKeyType,
} from './emulator/key-store.js';
export type { KindeEmulatorInvalidKeyAnswer, KindeEmulatorOptions } from './emulator/options.js';
export type { KindeEmulatorTokenOptions } from './emulator/issued-token.js';
export { describeSharedStore, type SharedStoreFleet, type SharedStoreSuiteRunner } from './shared-store-suite.js';
