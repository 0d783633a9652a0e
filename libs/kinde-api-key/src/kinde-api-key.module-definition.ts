import { ConfigurableModuleBuilder } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ApiKeyGuard } from './guard/api-key.guard.js';
import { KindeApiKeyConfigurationError } from './kinde-api-key.errors.js';
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
      global: checkedExtras(extras).isGlobal ?? true,
      providers: [
        ...(definition.providers ?? []),
        { provide: KINDE_API_KEY_EXTRAS, useValue: extras },
        ...(extras.globalGuard ? [{ provide: APP_GUARD, useExisting: ApiKeyGuard }] : []),
      ],
    }))
    .build();

/** Checked at the call, because Nest needs the extras before any provider exists. */
function checkedExtras(extras: KindeApiKeyModuleExtras): KindeApiKeyModuleExtras {
  const { isGlobal, globalGuard } = extras as Readonly<Record<keyof KindeApiKeyModuleExtras, unknown>>;
  const problems: string[] = [];
  if (isGlobal !== undefined && typeof isGlobal !== 'boolean') problems.push('isGlobal must be true or false');
  if (globalGuard !== undefined && typeof globalGuard !== 'boolean' && !isExemption(globalGuard)) {
    problems.push('globalGuard must be true, false or { publicControllers: [Class, ...] }');
  }
  if (problems.length > 0)
    throw new KindeApiKeyConfigurationError('KindeApiKeyModule cannot start with these options:', problems);
  return extras;
}

function isExemption(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { publicControllers, ...others } = value as Readonly<Record<string, unknown>>;
  return (
    Array.isArray(publicControllers) &&
    publicControllers.every((one) => typeof one === 'function') &&
    Object.keys(others).length === 0
  );
}
