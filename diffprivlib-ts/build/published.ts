/** What package.json of the sources says, as far as the published one is made from it. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly license: string
  readonly type: string
  readonly sideEffects: boolean
  readonly exports: Readonly<Record<string, string>>
  readonly imports: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** `./src/audit/index.ts` as the compiler writes it: `./audit/index.js`. */
const compiled = (path: string, extension: string): string => path.replace('./src/', './').replace(/\.ts$/, extension)

const mapped = <A, B>(record: Readonly<Record<string, A>>, to: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, to(value)]))

/**
 * The published package.json: the same entries over compiled files, each with its types. Scripts stay behind, and so does `private`, which
 * keeps the sources from being published in place of the build.
 */
export const publishedManifest = ({ exports, imports, ...source }: Manifest): Readonly<Record<string, unknown>> => ({
  name: source.name,
  version: source.version,
  description: source.description,
  license: source.license,
  keywords: ['differential-privacy', 'discrete-gaussian', 'discrete-laplace', 'privacy', 'zcdp'],
  type: source.type,
  sideEffects: source.sideEffects,
  engines: { node: '>=20' },
  exports: {
    ...mapped(exports, (path) => ({ types: compiled(path, '.d.ts'), default: compiled(path, '.js') })),
    './package.json': './package.json',
  },
  imports: mapped(imports, (conditions) => mapped(conditions, (path) => compiled(path, '.js'))),
})

/** Declarations keep the `.ts` of their imports when compiled; only recent compilers read that, so they get `.js` like the code. */
export const withCompiledImports = (declarations: string): string =>
  declarations.replaceAll(/\b(from |import\()(['"])(\.{1,2}\/[^'"]+)\.ts\2/g, '$1$2$3.js$2')
