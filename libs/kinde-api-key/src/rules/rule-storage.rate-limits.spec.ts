import 'reflect-metadata';
import { nearestClassRateLimits, nearestMethodRateLimits, ruleDecorator } from './rule-storage.js';

const limit = (value: number): ClassDecorator & MethodDecorator =>
  ruleDecorator('@RateLimit()', { kind: 'rate-limit', limit: value, windowMs: 1_000 });
const user = ruleDecorator('@UserScoped()', { kind: 'user' });

type Method = () => void;
type Owner = (abstract new (...args: never[]) => object) & { prototype: object };

function ofClass(owner: Owner): unknown[] {
  return nearestClassRateLimits(owner).map((part) => ('limit' in part ? part.limit : part.kind));
}

/** Of the function that Nest would call, unless it calls another one. */
function ofMethod(owner: Owner, handler = (owner.prototype as { find: Method }).find): unknown[] {
  return nearestMethodRateLimits(owner, 'find', handler).map((part) => ('limit' in part ? part.limit : part.kind));
}

describe('the rate limits of a class', () => {
  it('are those of the class itself, and nothing else that it carries', () => {
    @user
    @limit(1)
    class Controller {}
    expect(ofClass(Controller)).toEqual([1]);
  });

  it('are those of the nearest ancestor that has one', () => {
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

  it('are several where several contradict each other, and one where it stands there twice', () => {
    const twice = limit(2);
    @limit(1)
    @twice
    @twice
    class Controller {}
    expect(ofClass(Controller)).toEqual([1, 2]);
  });

  it('are none where no ancestor has one', () => {
    @user
    class Controller {}
    expect(ofClass(Controller)).toEqual([]);
  });
});

describe('the rate limits of a method', () => {
  it('are those of the method itself, and nothing else that it carries', () => {
    class Controller {
      @user
      @limit(1)
      find(): void {}
    }
    expect(ofMethod(Controller)).toEqual([1]);
  });

  it('are those of the nearest method that it overrides and that has one', () => {
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

  it('are still there when a wrapper takes the place of the method', () => {
    class Controller {
      @limit(1)
      find(): void {}
    }
    const wrapped = Controller.prototype.find;
    Controller.prototype.find = () => wrapped();
    expect(ofMethod(Controller)).toEqual([1]);
  });

  it('go with the nearest method where a function carries them that was put on the instance', () => {
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

  it('are those of a function that is nobody’s method, where no method has the name', () => {
    class Controller {}
    const field: Method = () => undefined;
    for (const decorate of [user, limit(2)]) decorate({ find: field }, 'find', { value: field });
    expect(ofMethod(Controller, field)).toEqual([2]);
  });

  it('are none where no method has one', () => {
    class Controller {
      @user
      find(): void {}
    }
    expect(ofMethod(Controller)).toEqual([]);
  });
});
