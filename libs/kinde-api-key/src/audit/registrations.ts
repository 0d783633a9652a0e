import type { ModulesContainer } from '@nestjs/core';
import { KINDE_API_KEY_REGISTRATION, type Registration } from '../guard/registration.js';
import {
  findAllProviders,
  findVisibleProvider,
  type FoundProvider,
  type NestModule,
} from '../handlers/provider-lookup.js';
import { KindeApiKeyConfigurationError } from '../kinde-api-key.errors.js';

/** Returns every registration of an app. */
export function registrationsIn(modules: ModulesContainer): readonly FoundProvider[] {
  return findAllProviders(modules.values(), KINDE_API_KEY_REGISTRATION);
}

/** Whether a registration protects a module: the one that Nest injects there, else the first. */
export function isOwner({ id }: Registration, module: NestModule | undefined, modules: ModulesContainer): boolean {
  const visible = module && findVisibleProvider(module, KINDE_API_KEY_REGISTRATION);
  const owner = visible ?? registrationsIn(modules)[0];
  return owner !== undefined && registrationOf(owner).id === id;
}

/** @throws {KindeApiKeyConfigurationError} INVALID_CONFIGURATION for a second global registration */
export function checkGlobalRegistrations(found: readonly FoundProvider[]): void {
  if (found.filter(({ host }) => host.isGlobal).length <= 1) return;
  throw new KindeApiKeyConfigurationError('KindeApiKeyModule is registered more than once:', [
    'two global registrations: the order of imports would decide which one protects a route. Import KindeApiKeyModule.forRoot() once, ' +
      'in the root module; for a second Kinde domain pass isGlobal: false and import it in the feature modules that use it',
  ]);
}

/** Returns a warning from the later of two registrations that ask the same Kinde application about the same API. */
export function duplicateWarnings(registration: Registration, found: readonly FoundProvider[]): string[] {
  const first = found.map(registrationOf).find(({ kinde }) => kinde === registration.kinde);
  if (first === registration) return [];
  return [
    `a second registration asks ${registration.kinde}: it has a cache and an M2M token of its own, and invalidate() reaches only one of ` +
      'them. Import one KindeApiKeyModule.forRoot() in the root module instead',
  ];
}

function registrationOf({ wrapper }: FoundProvider): Registration {
  return wrapper.instance as Registration;
}
