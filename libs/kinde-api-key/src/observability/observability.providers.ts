import type { Provider } from '@nestjs/common';
import { ApiKeyVerificationService } from '../verification/api-key-verification.service.js';
import { ApiKeyHealthIndicator } from './health-indicator.js';

/** @internal What a registration provides to be watched. */
export const OBSERVABILITY_PROVIDERS: Provider[] = [
  {
    provide: ApiKeyHealthIndicator,
    useFactory: (verification: ApiKeyVerificationService) => new ApiKeyHealthIndicator(verification),
    inject: [ApiKeyVerificationService],
  },
];
