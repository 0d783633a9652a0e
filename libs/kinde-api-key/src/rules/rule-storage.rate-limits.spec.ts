import 'reflect-metadata';
import type { EffectiveMetadata } from './rule-metadata.js';
import { handlerMetadata, ruleDecorator } from './rule-storage.js';

const limit = (value: number): ClassDecorator & MethodDecorator =>
  ruleDecorator({ kind: 'rate-limit', limit: value, windowMs: 1_000 });
const user = ruleDecorator({ kind: 'user' });

type Method = () => void;
type Owner = (abstract new (...args: never[]) => object) & { prototype: object };

/** Each limit, or what stands instead of one. */
function limitsOf({ rateLimits }: EffectiveMetadata): unknown[] {
  return rateLimits.map((metadata) => ('limit' in metadata ? metadata.limit : metadata.kind));
}

function ofClass(owner: Owner): unknown[] {
  return limitsOf(handlerMetadata(owner, [], () => undefined).ofClass);
}

/** @param handler the function that Nest calls */
function ofMethod(owner: Owner, handler = (owner.prototype as { find: Method }).find): unknown[] {
  return limitsOf(handlerMetadata(owner, ['find'], handler).ofMethod);
}

describe('the rate limits of a class', () => {
  it('are those of the class itself, without its other metadata', () => {
    @user
    @limit(1)
    class Controller {}
    expect(ofClass(Controller)).toEqual([1]);
  });

  it('are those of the nearest ancestor with a limit', () => {
    @limit(1)
    class Grandparent {}
    @limit(2)
    class Parent extends Grandparent {}
    @user
    class Child extends Parent {}
    @limit(3)
    class Other extends Parent {}
    expect([ofClass(Child), ofClass(Other)]).toEqual([[2], [3]]);
  });

  it('are several if they contradict each other, but one if it is applied twice', () => {
    const twice = limit(2);
    @limit(1)
    @twice
    @twice
    class Controller {}
    expect(ofClass(Controller)).toEqual([1, 2]);
  });

  it('are empty if neither the class nor an ancestor has a limit', () => {
    @user
    class Controller {}
    expect(ofClass(Controller)).toEqual([]);
  });
});

describe('the rate limits of a method', () => {
  it('are those of the method itself, without its other metadata', () => {
    class Controller {
      @user
      @limit(1)
      find(): void {}
    }
    expect(ofMethod(Controller)).toEqual([1]);
  });

  it('are those of the nearest overridden method with a limit', () => {
    class Grandparent {
      @limit(1)
      find(): void {}
    }
    class Parent extends Grandparent {
      @limit(2)
      override find(): void {}
    }
    class Between extends Parent {}
    class Child extends Between {
      @user
      override find(): void {}
    }
    expect([ofMethod(Between), ofMethod(Child)]).toEqual([[2], [2]]);
  });

  it('survive a wrapper that replaces the method', () => {
    class Controller {
      @limit(1)
      find(): void {}
    }
    const wrapped = Controller.prototype.find;
    Controller.prototype.find = () => wrapped();
    expect(ofMethod(Controller)).toEqual([1]);
  });

  it('include those of a function on the instance, as if of the nearest method', () => {
    class Parent {
      @limit(1)
      find(): void {}
    }
    class Child extends Parent {
      override find(): void {}
    }
    const onInstance: Method = () => undefined;
    limit(2)({ find: onInstance }, 'find', { value: onInstance });
    expect(ofMethod(Child, onInstance)).toEqual([2]);
  });

  it('are those of both a function on the instance and the inherited method, which contradict each other', () => {
    class Parent {
      @limit(1)
      find(): void {}
    }
    class Child extends Parent {}
    const onInstance: Method = () => undefined;
    limit(2)({ find: onInstance }, 'find', { value: onInstance });
    expect(ofMethod(Child, onInstance)).toEqual([1, 2]);
  });

  it('are those of a function on the instance, if the class does not have the method', () => {
    class Controller {}
    const field: Method = () => undefined;
    for (const decorate of [user, limit(2)]) decorate({ find: field }, 'find', { value: field });
    expect(ofMethod(Controller, field)).toEqual([2]);
  });

  it('are empty if the method does not have a limit', () => {
    class Controller {
      @user
      find(): void {}
    }
    expect(ofMethod(Controller)).toEqual([]);
  });
});
