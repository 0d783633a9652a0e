import type { Provider } from '@nestjs/common';
import { KeyVerifier } from '../kinde/key-verifier.js';
import { KINDE_CONNECTION, type KindeConnection } from '../kinde/kinde-connection.js';
import { ApiKeyVerificationService } from '../verification/api-key-verification.service.js';
import { ApiKeysService } from './api-keys.service.js';

/** @internal The providers of this module. */
export const KEYS_PROVIDERS: Provider[] = [
  {
    provide: ApiKeysService,
    useFactory: ({ management }: KeyVerifier, verification: ApiKeyVerificationService, connection: KindeConnection) =>
      new ApiKeysService(management, verification, connection),
    inject: [KeyVerifier, ApiKeyVerificationService, KINDE_CONNECTION],
  },
];
