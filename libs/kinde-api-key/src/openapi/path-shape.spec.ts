import { shapeOfDocumentPath, shapeOfRoute } from './path-shape.js';

describe('the shape of a path', () => {
  it.each([
    ['/', '/'],
    ['/users', '/users'],
    ['/users/:id', '/users/{id}'],
    ['/users/:id(\\d+)', '/users/{id}'],
    ['/users/:id(^\\d+$)', '/users/{id}'],
    ['/users/:id([a-z]{2}(?:x|y))', '/users/{id}'],
    ['/users/:id?', '/users/{id}'],
    ['/users{/:id}', '/users/{id}'],
    ['/users/:id+', '/users/{id}'],
    ['/files/*', '/files/{path}'],
    ['/files/*', '/files/*'],
    ['/ab*cd', '/ab*cd'],
    ['/ab*cd', '/ab{cd}'],
    ['/files/*rest', '/files/{rest}'],
    ['/files/{*rest}', '/files/{rest}'],
    ['/files/(.*)', '/files/{path}'],
    ['/files/(.*)', '/files/(.*)'],
    ['/files/:name.:type', '/files/{name}.{type}'],
    ['/trips/:from-:to', '/trips/{from}-{to}'],
    ['/keys/:"the key"', '/keys/{the key}'],
    ['/users::deactivate', '/users:deactivate'],
    ['/users\\:deactivate', '/users:deactivate'],
    ['/users[:]deactivate', '/users:deactivate'],
    ['/users/:id::run', '/users/{id}:run'],
    ['/users/', '/users'],
  ])('is the same for %s and %s', (route, inDocument) => {
    expect(shapeOfRoute(route).shape).toBe(shapeOfDocumentPath(inDocument).shape);
  });

  it.each([
    ['/users/:id', '/users/me'],
    ['/users/:id', '/users/{id}/keys'],
    ['/users/:id', '/user/{id}'],
    ['/users/:id::run', '/users/{id}'],
    ['/users::deactivate', '/users{deactivate}'],
  ])('differs between %s and %s', (route, inDocument) => {
    expect(shapeOfRoute(route).shape).not.toBe(shapeOfDocumentPath(inDocument).shape);
  });

  it('lists the names of parameters', () => {
    expect(shapeOfRoute('/a/:b(\\d+)/*c/:"d e"/*').names).toEqual(['b', 'c', 'd e', '']);
    expect(shapeOfDocumentPath('/a/{b}/{c}/{d e}/*').names).toEqual(['b', 'c', 'd e', '']);
  });
});
