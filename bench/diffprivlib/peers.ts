import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fetched, fetchWith } from '../../deploy/local/fetch.ts'
import { cacheFolder } from '../../deploy/local/paths.ts'
import { run, which } from '../../deploy/local/program.ts'

/** diffprivlib 0.6.6 does not import with a scikit-learn after 1.5. */
const packages = ['diffprivlib==0.6.6', 'scikit-learn==1.5.2', 'opendp==0.16.0', 'python-dp==1.1.5']

/** Libraries that are measured beside ours. */
export const libraries = ['OpenDP', 'diffprivlib', 'PyDP'] as const

/** What a peer is asked to draw. */
export interface Question {
  readonly library: (typeof libraries)[number]
  readonly law: 'Laplace' | 'Gaussian'
  readonly scale: number
  readonly seconds: number
  /** Whether to draw once before the clock starts. */
  readonly warm: boolean
}

/** A Python process that draws what it is asked to, one question after the other. */
export interface Peers {
  readonly versions: Readonly<Record<string, string>>
  /** Draws per second of processor time. */
  readonly ask: (question: Question) => Promise<number>
  readonly end: () => void
}

async function python(): Promise<string | undefined> {
  const command = which('python3')
  if (command === undefined) return undefined
  const { code } = await run(command, ['-m', 'pip', '--version'], { timeoutMs: 30_000 })
  return code === 0 ? command : undefined
}

/** Starts the peers; they are installed into the cache folder the first time. Undefined where there is no Python with pip. */
export async function startPeers(): Promise<Peers | undefined> {
  const command = await python()
  if (command === undefined) return undefined
  const context = {
    cache: join(dirname(cacheFolder), 'bench'),
    report: (piece: string, says: string) => process.stderr.write(`${piece}: ${says}\n`),
  }
  const name = `dp-peers-${packages.map((one) => one.split('==')[1]).join('-')}`
  const options = ['--quiet', '--disable-pip-version-check', '--only-binary', ':all:']
  const folder = await fetched(context, name, packages.join(', '), (into) =>
    fetchWith(command, ['-m', 'pip', 'install', ...options, '--target', into, ...packages], 'the peers', into),
  )
  return talk(
    spawn(command, ['-W', 'ignore', join(import.meta.dirname, 'dp_peers.py')], {
      env: { ...process.env, PYTHONPATH: folder },
      stdio: 'pipe',
    }),
  )
}

async function talk(child: ChildProcessWithoutNullStreams): Promise<Peers> {
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`the peers ended:\n${said}`)
    return JSON.parse(value)
  }
  const versions = (await next()) as Record<string, string>
  return {
    versions,
    ask: async (question) => {
      child.stdin.write(`${JSON.stringify(question)}\n`)
      const { draws, seconds } = (await next()) as { readonly draws: number; readonly seconds: number }
      return draws / seconds
    },
    end: () => child.stdin.end(),
  }
}
