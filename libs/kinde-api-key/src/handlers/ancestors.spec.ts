import { ancestorsOf, prototypesOf } from './ancestors.js';

class Grandparent {}
class Parent extends Grandparent {}
class Child extends Parent {}

describe('ancestorsOf()', () => {
  it('lists a class and the classes that it extends, nearest first', () => {
    expect(ancestorsOf(Child)).toEqual([Child, Parent, Grandparent, Function.prototype]);
  });
});

describe('prototypesOf()', () => {
  it('lists the prototype of a class and those that it inherits from, nearest first', () => {
    expect(prototypesOf(Child)).toEqual(
      [Child, Parent, Grandparent, Object].map(({ prototype }) => prototype as object),
    );
    expect(prototypesOf(Child)[0]).toBe(Child.prototype);
  });

  it('is empty for a function that is not a constructor', () => {
    expect(prototypesOf(() => undefined)).toEqual([]);
  });
});
