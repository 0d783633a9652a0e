import type { AppHandler } from '../handlers/app-handlers.js';
import { prototypesOf, type AnyFunction } from '../handlers/ancestors.js';
import type { ClassHost } from '../handlers/class-hosts.js';
import { describeRule, type RuleMetadata } from '../rules/rule-metadata.js';
import { classMetadata, methodMetadata } from '../rules/rule-storage.js';

/**
 * Returns the rules of a module that stand where Nest calls nothing, so that nothing enforces them. `@PublicRoute()` needs no guard.
 *
 * @param controllers every controller class of the app: as providers, too, their rules are those of their routes
 */
export function unusedRules(
  hosts: readonly ClassHost[],
  handlers: readonly AppHandler[],
  controllers: ReadonlySet<AnyFunction>,
): readonly string[] {
  return hosts
    .filter(
      ({ isController, registered, told }) => isController || !(controllers.has(registered) || controllers.has(told)),
    )
    .flatMap((host) => {
      const own = handlers.filter(({ told }) => told === host.told);
      const isCalled = new Set(own.map(({ name }) => name));
      return [...new Set([host.registered, host.told])].flatMap((owner) => [
        ...(own.length > 0 || host.isController ? [] : describeUnused(owner.name, classMetadata(owner))),
        ...methodNamesOf(owner)
          .filter((name) => !isCalled.has(name))
          .flatMap((name) => describeUnused(`${owner.name}.${name}`, methodMetadata(owner, name))),
      ]);
    });
}

function describeUnused(name: string, metadata: readonly RuleMetadata[]): string[] {
  const requirement = metadata.find(({ kind }) => kind !== 'public');
  if (!requirement) return [];
  return [
    `${name} carries ${describeRule(requirement)} but is no HTTP route, so nothing enforces it: remove the decorator, ` +
      'or call ApiKeyVerificationService where the key arrives',
  ];
}

function methodNamesOf(owner: AnyFunction): readonly string[] {
  const names = prototypesOf(owner)
    .filter((prototype) => prototype !== Object.prototype)
    .flatMap((prototype) => Object.getOwnPropertyNames(prototype));
  return [...new Set(names)].filter((name) => name !== 'constructor');
}
