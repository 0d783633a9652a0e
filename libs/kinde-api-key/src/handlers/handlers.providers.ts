import type { Provider } from '@nestjs/common';
import { ApplicationConfig, ExternalContextCreator, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { AppHandlers } from './app-handlers.js';
import { ExternalHandlers } from './external-handlers.js';
import { GuardLookup } from './guard-lookup.js';
import { ProviderInstances } from './provider-instances.js';

/** @internal What knows the handlers of the app. */
export const HANDLERS_PROVIDERS: Provider[] = [
  { provide: ProviderInstances, useClass: ProviderInstances },
  {
    provide: ExternalHandlers,
    useFactory: (creator: ExternalContextCreator) => new ExternalHandlers(creator),
    inject: [ExternalContextCreator],
  },
  {
    provide: AppHandlers,
    useFactory: (
      modules: ModulesContainer,
      config: ApplicationConfig,
      http: HttpAdapterHost,
      creator: ExternalContextCreator,
    ) => new AppHandlers(modules, config, new GuardLookup(config, http, creator)),
    inject: [ModulesContainer, ApplicationConfig, HttpAdapterHost, ExternalContextCreator],
  },
];
