import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ServicesError } from './errors.ts'
import type { FetchContext } from './fetch.ts'
import { run, tail, which } from './program.ts'
import { requireProgram } from './system-packages.ts'

/** The broker's own principal, and one that may do everything; both are super users. */
export const superUsers = ['broker', 'admin'] as const

/** Where a secured Kafka's keys, certificates and passwords lie, below its own folder. */
export const pkiOf = (kafkaFolder: string): string => join(kafkaFolder, 'pki')

/** The same, below the folder of a set of services. */
export const pkiFolder = (folder: string): string => pkiOf(join(folder, 'kafka'))

const openssl = { name: 'openssl', title: 'OpenSSL', find: () => which('openssl'), debian: ['openssl'] }
const days = '30'

/**
 * Makes an authority and one certificate for each name, anew: `ca.crt`, and of each name `.key`, `.crt` and `.pem` (key,
 * certificate and authority, as a broker reads it). For development: keys are not encrypted, and are good for 30 days.
 *
 * @throws ServicesError `missing_program` or `start_failed`
 */
export async function makeCertificates(folder: string, names: readonly string[], context: FetchContext): Promise<void> {
  const command = await requireProgram(openssl, context)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const call = async (args: readonly string[]) => {
    const { code, stderr } = await run(command, args, { timeoutMs: 30_000, cwd: folder })
    if (code === 0) return
    throw new ServicesError(
      'start_failed',
      `openssl ${args[0]} failed:\n${tail(stderr)}`,
      'Check that it is OpenSSL 3.',
    )
  }
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout']
  const authority = ['basicConstraints=critical,CA:true', 'keyUsage=critical,keyCertSign,cRLSign']
  const extensions = authority.flatMap((one) => ['-addext', one])
  await call(['req', '-x509', ...key, 'ca.key', '-out', 'ca.crt', '-days', days, '-subj', '/CN=dev-ca', ...extensions])
  await Promise.all(
    names.map(async (name, at) => {
      const isBroker = name === 'broker'
      const usage = `extendedKeyUsage=${isBroker ? 'serverAuth,' : ''}clientAuth`
      const alternatives = isBroker ? ['subjectAltName=IP:127.0.0.1,DNS:localhost'] : []
      writeFileSync(
        join(folder, `${name}.ext`),
        ['basicConstraints=CA:false', 'keyUsage=digitalSignature', usage, ...alternatives, ''].join('\n'),
      )
      await call(['req', ...key, `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`])
      const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-set_serial', String(at + 2), '-days', days]
      await call(['x509', '-req', '-in', `${name}.csr`, ...signed, '-extfile', `${name}.ext`, '-out', `${name}.crt`])
      const parts = [`${name}.key`, `${name}.crt`, 'ca.crt'].map((part) => readFileSync(join(folder, part), 'utf8'))
      writeFileSync(join(folder, `${name}.pem`), parts.join(''), { mode: 0o600 })
    }),
  )
}

/** What a client needs to show who it is: PEM texts, and a password for SCRAM. */
export interface Credentials {
  readonly ca: string
  readonly cert: string
  readonly key: string
  readonly password: string
}

/** What was made for a principal in the folder of a secured Kafka. */
export function readCredentials(pki: string, name: string): Credentials {
  const text = (file: string) => readFileSync(join(pki, file), 'utf8')
  return { ca: text('ca.crt'), cert: text(`${name}.crt`), key: text(`${name}.key`), password: password(pki, name) }
}

/** The password of a principal, made up once: the broker's data holds what checks it. */
export function password(pki: string, name: string): string {
  const file = join(pki, `${name}.password`)
  if (!existsSync(file)) writeFileSync(file, randomBytes(18).toString('base64url'), { mode: 0o600 })
  return readFileSync(file, 'utf8')
}
