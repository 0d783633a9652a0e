/** Stands for a parameter. It is in no path. */
const PARAMETER = '\u0001';
/** Stands for a colon that does not start a parameter. */
const COLON = '\u0002';

/** A path as it is compared: without the names of its parameters, which are listed. */
export interface PathShape {
  readonly shape: string;
  readonly names: readonly string[];
}

/**
 * Returns the shape of a path of Nest. Every syntax of Express 4, Express 5 and Fastify is one: `:id`, `:id(\\d+)`, `:id?`, `{/:id}`, `*`, `*rest`,
 * `(.*)`. Documents have optional parts in their paths, too.
 */
export function shapeOfRoute(path: string): PathShape {
  const plain = path
    .replace(/::|\\:|\[:\]/g, COLON)
    .replace(/(:"[^"]*"|:\w+)\((?:[^()]|\([^()]*\))*\)/g, '$1')
    .replace(/(:"[^"]*"|:\w+)[?+*]/g, '$1')
    .replace(/[{}]/g, '');
  return shapeOf(plain, /:"([^"]*)"|:(\w+)|\*"([^"]*)"|\*(\w*)|\(\.\*\)/g);
}

/** Returns the shape of a path of a document, where each parameter is `{name}`. Older versions of `@nestjs/swagger` leave a `*` as it is. */
export function shapeOfDocumentPath(path: string): PathShape {
  return shapeOf(path, /\{([^{}]*)\}|\*(\w*)|\(\.\*\)/g);
}

function shapeOf(path: string, parameters: RegExp): PathShape {
  const names: string[] = [];
  const shape = path.replace(parameters, (_text, ...groups: unknown[]) => {
    names.push((groups.slice(0, -2).find((group) => typeof group === 'string') as string | undefined) ?? '');
    return PARAMETER;
  });
  return {
    shape: `/${shape
      .split('/')
      .filter((segment) => segment !== '')
      .join('/')}`.replaceAll(COLON, ':'),
    names,
  };
}
