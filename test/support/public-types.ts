import { join } from 'node:path';
import ts from 'typescript';
import { REPOSITORY } from './markdown.js';

/** Entry points of the library, by what an app imports. */
const ENTRIES = ['', '/testing', '/tokens', '/redis'].map((path) => `nestjs-kinde-api-key${path}`);

/** Reads what the types that the library exports consist of, as the compiler sees them. */
export class PublicTypes {
  readonly #checker: ts.TypeChecker;
  readonly #exported = new Map<string, ts.Symbol>();

  constructor() {
    const { config } = ts.readConfigFile(join(REPOSITORY, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
      config: { compilerOptions: { paths: Record<string, string[]> } };
    };
    const files = ENTRIES.map((entry) => join(REPOSITORY, config.compilerOptions.paths[entry]?.[0] ?? ''));
    const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, REPOSITORY);
    const program = ts.createProgram(files, options);
    this.#checker = program.getTypeChecker();
    for (const file of files) {
      const source = program.getSourceFile(file);
      const module = source && this.#checker.getSymbolAtLocation(source);
      for (const symbol of module ? this.#checker.getExportsOfModule(module) : [])
        this.#exported.set(symbol.name, symbol);
    }
  }

  /** @returns names of the public members of a class, static ones included, or of an interface */
  membersOf(name: string): string[] {
    const declared = this.#declared(name);
    const { exports: statics } = declared;
    const members = [...this.#checker.getDeclaredTypeOfSymbol(declared).getProperties(), ...(statics?.values() ?? [])];
    return members.filter(isPublic).map((member) => member.name);
  }

  /** @returns the texts of a union of texts */
  textsOf(name: string): string[] {
    const type = this.#checker.getDeclaredTypeOfSymbol(this.#declared(name));
    return (type.isUnion() ? type.types : [type]).filter((part) => part.isStringLiteral()).map(({ value }) => value);
  }

  /** @returns names of all properties that an object of a union may have */
  fieldsOf(name: string): string[] {
    const type = this.#checker.getDeclaredTypeOfSymbol(this.#declared(name));
    const objects = (type.isUnion() ? type.types : [type]).filter(({ flags }) => flags & ts.TypeFlags.Object);
    return [...new Set(objects.flatMap((object) => object.getProperties().map((property) => property.name)))];
  }

  #declared(name: string): ts.Symbol {
    const symbol = this.#exported.get(name);
    if (!symbol) throw new Error(`the library does not export ${name}`);
    return symbol.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol;
  }
}

function isPublic({ name, declarations = [] }: ts.Symbol): boolean {
  const flags = declarations.map((declaration) => ts.getCombinedModifierFlags(declaration));
  const isHidden = flags.some((flag) => flag & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected));
  const isInternal = declarations.some((declaration) =>
    ts.getJSDocTags(declaration).some((tag) => tag.tagName.text === 'internal'),
  );
  // `#private`, `[Symbol.asyncDispose]` and `prototype` have names of the compiler's own.
  return !isHidden && !isInternal && /^[a-zA-Z]\w*$/.test(name) && name !== 'prototype';
}
