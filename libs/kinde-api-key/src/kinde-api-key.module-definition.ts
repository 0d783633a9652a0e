import { ConfigurableModuleBuilder } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { resolveExtras } from './config/extra-options.js';
import { ApiKeyGuard } from './guard/api-key.guard.js';
import {
  KINDE_API_KEY_OPTIONS,
  type KindeApiKeyModuleExtras,
  type KindeApiKeyOptions,
} from './kinde-api-key.options.js';

/** @internal The extras, for the boot check. */
export const KINDE_API_KEY_EXTRAS = Symbol.for('nestjs-kinde-api-key:extras');

/** `forRoot`, `forRootAsync` and their types, as Nest's builder makes them. */
export const { ConfigurableModuleClass, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<KindeApiKeyOptions>({
    optionsInjectionToken: KINDE_API_KEY_OPTIONS,
    // Nest 10 takes two modules for one if they read alike: two functions of the same text, for example.
    alwaysTransient: true,
  })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createKindeApiKeyOptions')
    .setExtras<KindeApiKeyModuleExtras>(resolveExtras({}), (definition, given) => {
      // Checked at the call, because Nest needs the extras before any provider exists.
      const extras = resolveExtras(given);
      return {
        ...definition,
        global: extras.isGlobal,
        providers: [
          ...(definition.providers ?? []),
          { provide: KINDE_API_KEY_EXTRAS, useValue: extras },
          ...(extras.globalGuard === false ? [] : [{ provide: APP_GUARD, useExisting: ApiKeyGuard }]),
        ],
      };
    })
    .build();
