import { join } from 'node:path';
import ts from 'typescript';
import { REPOSITORY, type Example } from './markdown.js';

/**
 * Compiles examples of pages, each as a module of its own in a folder of its page.
 *
 * @param nameOf the name of an example's file, for others of its page that import it; without one, it is its line
 * @returns what the compiler finds, with page and line
 */
export function compileExamples(
  examples: readonly Example[],
  nameOf: (example: Example) => string | undefined = () => undefined,
): string[] {
  const files = new Map(examples.map((example) => [virtualPath(example, nameOf(example)), example]));
  const options = compilerOptions();
  const program = ts.createProgram([...files.keys()], options, hostWith(files, options));
  return [...files].flatMap(([name, example]) => {
    const source = program.getSourceFile(name);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText, start = 0 }) => {
        const line = example.line + example.code.slice(0, start).split('\n').length - 1;
        return `${example.file}:${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
      },
    );
  });
}

/** Inside `test`, whose packages the examples see. */
function virtualPath({ file, line }: Example, name = `line-${line}`): string {
  return join(REPOSITORY, 'test', 'examples', file.replaceAll(/\W/g, '-'), `${name}.ts`);
}

function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(REPOSITORY, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: object };
  };
  return ts.convertCompilerOptionsFromJson({ ...config.compilerOptions, noEmit: true, rootDir: REPOSITORY }, REPOSITORY)
    .options;
}

function hostWith(files: ReadonlyMap<string, Example>, options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile, directoryExists } = host;
  const folders = [...files.keys()].map((name) => join(name, '..'));
  host.directoryExists = (name) => folders.includes(name) || (directoryExists?.call(host, name) ?? false);
  host.fileExists = (name) => files.has(name) || fileExists.call(host, name);
  host.readFile = (name) => files.get(name)?.code ?? readFile.call(host, name);
  host.getSourceFile = (name, languageVersion, ...rest) => {
    const example = files.get(name);
    return example === undefined
      ? getSourceFile.call(host, name, languageVersion, ...rest)
      : ts.createSourceFile(name, example.code, languageVersion, true);
  };
  return host;
}
