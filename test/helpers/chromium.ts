import { type Browser, chromium } from 'playwright-core'
import { cacheFolder } from '../../deploy/local/paths.ts'
import { isExecutable, which } from '../../deploy/local/program.ts'
import { canInstall, requireProgram } from '../../deploy/local/system-packages.ts'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const mac = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'

/** The browser that METERVEIL_CHROMIUM names, or one on the PATH. */
const find = (): string | undefined => {
  const named = process.env['METERVEIL_CHROMIUM']
  if (named) return named
  return names.map((name) => which(name)).find((path) => path !== undefined) ?? (isExecutable(mac) ? mac : undefined)
}

/** False, or the reason why this machine can have no browser: the `skip` of tests that need one. */
export const skipWithoutChromium: string | false =
  find() !== undefined || canInstall()
    ? false
    : 'no Chromium: install it (Debian: apt-get install chromium), or name one in METERVEIL_CHROMIUM'

/** Starts a Chromium without a window; root on Debian installs it first where it is missing. The caller closes it. */
export async function startChromium(): Promise<Browser> {
  const report = (piece: string, says: string) => process.stderr.write(`${piece}: ${says}\n`)
  const program = { name: 'chromium', title: 'Chromium', debian: ['chromium'], find }
  const executablePath = await requireProgram(program, { cache: cacheFolder, report })
  return chromium.launch({ executablePath })
}
