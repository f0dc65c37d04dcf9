// The published form of diffprivlib-ts in a real browser: no bundler, the import map of the README, randomness from crypto.getRandomValues.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import type { AddressInfo } from 'node:net'
import { extname, join, posix } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { discreteGaussianLaw, discreteLaplaceLaw } from '../../diffprivlib-ts/src/index.ts'
import { decimal, toNumber } from '../../diffprivlib-ts/src/rational.ts'
import { seededBits, seededGaussian, seededLaplace } from '../../diffprivlib-ts/src/testing/index.ts'
import { chiSquare, criticalValue } from '../../diffprivlib-ts/test/helpers/chi-square.ts'
import { skipWithoutChromium, startChromium } from '../helpers/chromium.ts'
import { buildPublished, entries, scratchFolder, sources } from './published-form.ts'

const readme = readFileSync(join(sources, 'README.md'), 'utf8')
const shown = /```html\n([\s\S]+?)```/.exec(readme)?.[1] ?? ''
const fiveMinutes = /```ts\n([\s\S]+?)```/.exec(readme)?.[1] ?? ''
const place = '/node_modules/diffprivlib-ts/'

const built = scratchFolder()
let browser: Browser
let address = ''

const served = (path: string): readonly [string, string] | undefined => {
  if (path === '/') return ['text/html', `<!doctype html><title>page</title><body>${shown}</body>`]
  if (path === '/program.html') {
    const map = /<script type="importmap">[\s\S]+?<\/script>/.exec(shown)?.[0] ?? ''
    return ['text/html', `<!doctype html><title>page</title>${map}<script type="module" src="/program.js"></script>`]
  }
  if (path === '/favicon.ico') return ['image/png', '']
  if (path === '/program.js') return ['text/javascript', stripTypeScriptTypes(fiveMinutes)]
  const file = join(built, path.slice(place.length))
  if (!path.startsWith(place) || extname(file) !== '.js' || !existsSync(file)) return undefined
  return ['text/javascript', readFileSync(file, 'utf8')]
}

const server = createServer(({ url = '' }, response) => {
  const found = served(posix.normalize(new URL(url, 'http://localhost').pathname))
  response.writeHead(found ? 200 : 404, { 'content-type': found?.[0] ?? 'text/plain' }).end(found?.[1])
})

/** What a page did: the files that it loaded, what it printed, and what went wrong in it. */
interface Seen {
  readonly page: Page
  readonly loaded: string[]
  readonly printed: string[]
  readonly wrong: string[]
}

const open = async (path: string, prepare: (page: Page) => Promise<unknown> = async () => {}): Promise<Seen> => {
  const page = await browser.newPage()
  const seen: Seen = { page, loaded: [], printed: [], wrong: [] }
  page.on('request', (request) => seen.loaded.push(new URL(request.url()).pathname))
  page.on('console', (message) => (message.type() === 'error' ? seen.wrong : seen.printed).push(message.text()))
  page.on('pageerror', ({ message }) => seen.wrong.push(message))
  await prepare(page)
  await page.goto(`${address}${path}`, { waitUntil: 'load' })
  return seen
}

/** What a reader of the page sees. */
const textOf = async (page: Page): Promise<string> => String(await page.evaluate('document.body.innerText')).trim()

/** What a compiled file imports and re-exports. */
const importsOf = (text: string): readonly string[] =>
  [...text.matchAll(/^(?:import|export)\s(?:[^'";=(]*?\bfrom\s)?\s*['"]([^'"]+)['"]/gm)].map((match) => match[1]!)

/** What an entry reaches where the condition `node` does not hold. */
const reachedFrom = (file: string, seen = new Set<string>()): ReadonlySet<string> => {
  if (seen.has(file)) return seen
  seen.add(file)
  if (file.startsWith('node:')) return seen
  for (const name of importsOf(readFileSync(join(built, file), 'utf8')))
    reachedFrom(
      name.startsWith('.')
        ? posix.join(posix.dirname(file), name)
        : name === '#entropy'
          ? 'random/entropy-web.js'
          : name,
      seen,
    )
  return seen
}

before(async () => {
  buildPublished(built)
  if (skipWithoutChromium) return
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  browser = await startChromium()
})
after(async () => {
  await browser?.close()
  server.close()
})

it('nothing but the file ledger reaches a module of Node', () => {
  for (const [entry, source] of Object.entries(entries())) {
    const reached = [...reachedFrom(source.replace('./src/', '').replace(/\.ts$/, '.js'))]
    const ofNode = reached.filter((name) => name.startsWith('node:'))
    assert.deepEqual(ofNode, entry === './ledger-file' ? ['node:fs'] : [], entry)
    assert.ok(reached.every((name) => name.startsWith('node:') || existsSync(join(built, name))))
    assert.ok(reached.length > 3)
  }
})

describe('a page in Chromium', { skip: skipWithoutChromium }, () => {
  it('shows noise with what the README says, and loads files of the package only', async () => {
    const { page, loaded, wrong } = await open('/')
    await page.waitForFunction('document.body.innerText.trim() !== ""')
    assert.match(await textOf(page), /^-?\d+$/)
    assert.deepEqual(wrong, [])
    const modules = loaded.filter((path) => path !== '/' && path !== '/favicon.ico')
    assert.ok(modules.length > 20)
    assert.ok(modules.every((path) => path.startsWith(place)))
    assert.ok(modules.includes(`${place}random/entropy-web.js`))
    assert.ok(!modules.some((path) => /entropy-node|ledger\/(?:file|lock)/.test(path)))
    await page.close()
  })

  it('runs the five-minute program, which prints what the README says', async () => {
    const expected = [...fiveMinutes.matchAll(/^ *console\.log\(.+\) \/\/ (.+)$/gm)].map((match) => match[1]!)
    assert.ok(expected.length >= 4)
    const { page, printed, wrong } = await open('/program.html', (fresh) =>
      // Playwright loses the text of a bigint.
      fresh.addInitScript(`
        const { log } = console
        console.log = (...said) => log(...said.map((one) => (typeof one === 'bigint' ? one + 'n' : one)))
      `),
    )
    assert.deepEqual(wrong, [])
    assert.deepEqual(printed, expected)
    await page.close()
  })

  it('draws by the law from bits of crypto.getRandomValues', async () => {
    const { page } = await open('/')
    const draws = 1_000_000
    const found = await page.evaluate(async (count) => {
      let words = 0
      const genuine = crypto.getRandomValues.bind(crypto)
      Object.defineProperty(crypto, 'getRandomValues', {
        value: (block: Uint32Array<ArrayBuffer>) => {
          words += block.length
          return genuine(block)
        },
      })
      const { discreteGaussian, discreteLaplace, rational } = await import('diffprivlib-ts')
      const countsOf = (draw: () => number) => {
        const counts = new Array<number>(121).fill(0)
        for (let i = 0; i < count; i++) {
          const cell = Math.floor(draw() / 50) + 60
          if (cell >= 0 && cell < counts.length) counts[cell]! += 1
        }
        return counts
      }
      const laplace = countsOf(discreteLaplace(rational.integer(500)).nextNumber)
      const gaussian = countsOf(discreteGaussian(rational.integer(1_000_000)).nextNumber)
      return { laplace, gaussian, words }
    }, draws)
    // Two 32-bit words a draw at least: the noise cannot have come from elsewhere.
    assert.ok(found.words >= 2 * 2 * draws, `${found.words} words`)
    for (const [counts, law] of [
      [found.laplace, discreteLaplaceLaw(decimal('500'))],
      [found.gaussian, discreteGaussianLaw(decimal('1e6'))],
    ] as const) {
      const below = (x: number): number => {
        const tail = toNumber(law.tail(BigInt(x < 0 ? -x - 1 : x)).upper, 'up') / 2
        return x < 0 ? tail : 1 - tail
      }
      const masses = counts.map((_, cell) => below((cell - 59) * 50 - 1) - below((cell - 60) * 50 - 1))
      const { statistic, degrees } = chiSquare(counts, masses, draws)
      assert.ok(statistic <= criticalValue(degrees), `chi-square ${statistic} on ${degrees} degrees`)
      const swapped = chiSquare(counts, [...masses.slice(1), masses[0]!], draws)
      assert.ok(swapped.statistic > criticalValue(swapped.degrees), 'a law moved by one cell is found')
    }
    await page.close()
  })

  it('draws from the same bits the same noise as Node', async () => {
    const { page } = await open('/')
    const there = await page.evaluate(async () => {
      const { rational } = await import('diffprivlib-ts')
      // The README's page names the main entry alone.
      const path = '/node_modules/diffprivlib-ts/testing/index.js'
      const { seededBits, seededGaussian, seededLaplace } = (await import(
        path
      )) as typeof import('diffprivlib-ts/testing')
      const gaussian = seededGaussian(rational.decimal('1e10'), seededBits(1))
      const laplace = seededLaplace(rational.decimal('12345.6'), seededBits(2))
      return Array.from({ length: 20_000 }, (_, i) => (i % 2 ? gaussian : laplace).nextNumber())
    })
    const gaussian = seededGaussian(decimal('1e10'), seededBits(1))
    const laplace = seededLaplace(decimal('12345.6'), seededBits(2))
    const here = Array.from({ length: 20_000 }, (_, i) => (i % 2 ? gaussian : laplace).nextNumber())
    assert.deepEqual(there, here)
    await page.close()
  })

  for (const [what, script] of [
    ['throws', "throw new Error('no randomness on this machine')"],
    ['gives zeros', 'block.fill(0); return block'],
  ] as const)
    it(`releases nothing where crypto.getRandomValues ${what}`, async () => {
      const { page, wrong } = await open('/', (fresh) =>
        fresh.addInitScript(`crypto.getRandomValues = (block) => { ${script} }`),
      )
      await page.waitForFunction('document.readyState === "complete"')
      assert.match(wrong.join('\n'), /stop the release and look at the operating system/)
      assert.equal(await textOf(page), '')
      await page.close()
    })

  it('cannot load the file ledger, nor a package that reached Node anywhere else', async () => {
    const { page } = await open('/')
    const said = await page.evaluate(() =>
      import(`${'/node_modules/diffprivlib-ts/'}ledger/file.js`).then(() => 'loaded', String),
    )
    assert.match(said, /node:fs|Failed to fetch/)
    await page.close()
    const planted = await open('/', (fresh) =>
      fresh.route('**/samplers/uniform.js', async (route) => {
        const response = await route.fetch()
        await route.fulfill({ response, body: `import 'node:fs'\n${await response.text()}` })
      }),
    )
    assert.notDeepEqual(planted.wrong, [])
    assert.equal(await textOf(planted.page), '')
    await planted.page.close()
  })
})
