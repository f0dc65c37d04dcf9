import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { reasons } from '../../../operators/contract/reasons.ts'
import { bin, meterveil, root } from './command.ts'

const usage: readonly { readonly says: string; readonly args: readonly string[]; readonly stderr: RegExp }[] = [
  { says: 'no command', args: [], stderr: /Usage: meterveil/ },
  { says: 'a misspelt command', args: ['explan'], stderr: /unknown command 'explan'\n\(Did you mean explain\?\)/ },
  { says: 'an unknown option', args: ['explain', '--all'], stderr: /unknown option '--all'/ },
  { says: 'a misspelt option', args: ['decode', '00', '--show-value'], stderr: /Did you mean --show-values\?/ },
  { says: 'a missing argument', args: ['decode'], stderr: /missing required argument/ },
  { says: 'too many arguments', args: ['explain', 'late', 'early'], stderr: /too many arguments/ },
  {
    says: 'an unknown format',
    args: ['describe', '--format', 'svg'],
    stderr: /Allowed choices are text, mermaid, json/,
  },
  {
    says: 'an unknown pipeline',
    args: ['describe', 'reading'],
    stderr: /Did you mean readings\? There are readings, /,
  },
  { says: 'an unknown reason', args: ['explain', 'fcs_mismach'], stderr: /Did you mean fcs_mismatch/ },
  {
    says: 'a misspelt reason of a release',
    args: ['explain', 'withheld_smal_group'],
    stderr: /mean withheld_small_group/,
  },
  { says: 'a misspelt reason of a record', args: ['ledger', 'explain', 'fcs_mismach'], stderr: /mean fcs_mismatch/ },
  { says: 'a reason like no other', args: ['explain', 'zzzzzz'], stderr: /meterveil explain lists all reasons/ },
  { says: 'a port that is no number', args: ['run', '--metrics-port', 'x'], stderr: /a whole number from 0 to 65,535/ },
  { says: 'a port out of range', args: ['run', '--metrics-port', '65536'], stderr: /a whole number from 0 to 65,535/ },
  { says: 'settings that are not there', args: ['run', '--settings', 'no.json'], stderr: /no\.json does not exist/ },
  { says: 'run without keys', args: ['run'], stderr: /Set METERVEIL_KEYRING_FOLDER and METERVEIL_REGISTER_FILE/ },
]

for (const { says, args, stderr } of usage) {
  test(`refuses ${says} with exit code 2 and a sentence`, () => {
    const finished = meterveil(args)
    assert.equal(finished.code, 2, finished.stderr)
    assert.match(finished.stderr, stderr)
    assert.equal(finished.stdout, '')
    assert.doesNotMatch(finished.stderr, /^ +at /m)
  })
}

test('tells every wrong setting at once', () => {
  const { code, stderr } = meterveil(['run'], { METERVEIL_PARTITION: '3', METERVEIL_ZONE: 'A b', METERVEIL_FSYNC: '' })
  assert.equal(code, 2)
  assert.match(stderr, /^3 settings are wrong:/)
  assert.match(stderr, /METERVEIL_PARTITION is no setting; did you mean METERVEIL_PARTITIONS\?/)
})

test('help lists commands and exit codes', () => {
  const { code, stdout } = meterveil(['--help'])
  assert.equal(code, 0)
  for (const word of ['run', 'decode', 'explain', 'describe', 'Exit codes:', '130'])
    assert.ok(stdout.includes(word), word)
})

test('every command has help', () => {
  for (const command of ['run', 'decode', 'explain', 'describe']) {
    const { code, stdout } = meterveil([command, '--help'])
    assert.equal(code, 0)
    assert.match(stdout, new RegExp(`^Usage: meterveil ${command}`))
  }
})

for (const [args, help] of [
  [['run', '--inputt', 'x'], 'meterveil run --help'],
  [['ledger', 'show', '--from', 'x'], 'meterveil ledger show --help'],
] as const) {
  test(`a wrong flag points to ${help}`, () => {
    const { code, stderr } = meterveil(args)
    assert.equal(code, 2)
    assert.match(stderr, new RegExp(`^See npx ${help}\\.$`, 'm'))
  })
}

test('shows the version of the package', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  assert.equal(meterveil(['--version']).stdout, `${version}\n`)
})

test('the bin of the package is the command', () => {
  const { bin: bins } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { bin: { meterveil: string } }
  assert.equal(join(root, bins.meterveil), bin)
})

for (const [args, first, command] of [
  [['explain', 'withheld_small_group'], /The register holds fewer homes/, 'meterveil ledger explain'],
  [['explain', 'below-k'], /Fewer homes contributed/, 'meterveil ledger explain'],
  [['ledger', 'explain', 'fcs_mismatch'], /frame check sequence/, 'meterveil explain'],
] as const) {
  test(`${args.join(' ')} tells what the other command lists, and names it`, () => {
    const { code, stdout } = meterveil(args)
    assert.equal(code, 0)
    assert.match(stdout, first)
    assert.match(stdout, new RegExp(`^${command} lists the reasons of this kind\\.$`, 'm'))
  })
}

test('explains a reason', () => {
  const { code, stdout } = meterveil(['explain', 'fcs_mismatch'])
  assert.equal(code, 0)
  assert.match(stdout, /^fcs_mismatch\n/)
  assert.ok(stdout.includes(reasons.fcs_mismatch.sentence))
  assert.ok(stdout.includes(reasons.fcs_mismatch.action))
})

test('lists every reason, as text and as JSON lines', () => {
  const text = meterveil(['explain']).stdout
  for (const reason of Object.keys(reasons)) assert.ok(text.includes(reason), reason)
  const lines = meterveil(['explain', '--json']).stdout.trim().split('\n')
  const listed = lines.map((line) => (JSON.parse(line) as { reason: string }).reason)
  assert.deepEqual(listed.sort(), Object.keys(reasons).sort())
})

test('describes the pipelines as text, JSON lines and a Mermaid chart', () => {
  const text = meterveil(['describe']).stdout
  assert.match(text, /^readings\n {2}reads meter\.frames \(identified\)/)
  assert.match(text, /pseudonymize {2}⇣ identified becomes pseudonymous/)
  const json = meterveil(['describe', '--format', 'json']).stdout.trim().split('\n')
  assert.ok(json.map((line) => (JSON.parse(line) as { name: string }).name).includes('publish'))
  assert.match(meterveil(['describe', '--format', 'mermaid', 'publish']).stdout, /^flowchart LR\n/)
})

test('prints no escape sequence without a terminal', () => {
  for (const args of [['explain'], ['describe'], ['--help']]) {
    assert.ok(!meterveil(args, { FORCE_COLOR: '' }).stdout.includes('\u001b'))
  }
})

test('a closed pipe is no failure', () => {
  const { stderr } = spawnSync('bash', ['-c', `"${process.execPath}" "${bin}" explain --json | head -n 1 >/dev/null`], {
    encoding: 'utf8',
  })
  assert.equal(stderr, '')
})

test('an older Node gets one sentence', () => {
  const old = `Object.defineProperty(process.versions, 'node', { value: '20.11.1' })`
  for (const entry of [bin, join(root, 'test/run.js')]) {
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--import', `data:text/javascript,${encodeURIComponent(old)}`, entry, 'explain'],
      { cwd: root, encoding: 'utf8' },
    )
    assert.equal(status, 2)
    assert.match(stderr, /^Meterveil needs Node 24, and this is Node 20\.11\.1: run it through npm [^\n]+\n$/)
  }
})
