import type { Provider } from '@nestjs/common';
import { KINDE_API_KEY_CLOCK, type Clock } from '../clock.js';
import { KeyVerifier } from '../kinde/key-verifier.js';
import { ApiKeyVerificationService } from '../verification/api-key-verification.service.js';
import { ApiKeysService } from './api-keys.service.js';

/** @internal The providers of this module. */
export const KEYS_PROVIDERS: Provider[] = [
  {
    provide: ApiKeysService,
    useFactory: ({ management }: KeyVerifier, verification: ApiKeyVerificationService, clock: Clock) =>
      new ApiKeysService(management, verification, clock),
    inject: [KeyVerifier, ApiKeyVerificationService, KINDE_API_KEY_CLOCK],
  },
];
