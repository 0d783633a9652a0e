import { ConfigurableModuleBuilder } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ApiKeyGuard } from './guard/api-key.guard.js';
import type { KindeApiKeyModuleExtras, KindeApiKeyOptions } from './kinde-api-key.options.js';

/** @internal The extras, for the boot check. */
export const KINDE_API_KEY_EXTRAS = Symbol.for('nestjs-kinde-api-key:extras');

const DEFAULT_EXTRAS: KindeApiKeyModuleExtras = { isGlobal: true, globalGuard: false };

/** @internal `forRoot`, `forRootAsync` and their types, as Nest's builder makes them. */
export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<KindeApiKeyOptions>({ moduleName: 'KindeApiKey' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createKindeApiKeyOptions')
    .setExtras<KindeApiKeyModuleExtras>(DEFAULT_EXTRAS, (definition, extras) => ({
      ...definition,
      global: extras.isGlobal ?? true,
      providers: [
        ...(definition.providers ?? []),
        { provide: KINDE_API_KEY_EXTRAS, useValue: extras },
        ...(extras.globalGuard ? [{ provide: APP_GUARD, useExisting: ApiKeyGuard }] : []),
      ],
    }))
    .build();
