import assert from 'node:assert/strict'
import { RegistryError } from '../../../connectors/contract.ts'

/** Asserts that a call ends with `unreachable` and a message that fits. */
export const rejectsUnreachable = (call: Promise<unknown>, says = /schema registry at http/) =>
  assert.rejects(call, (error) => {
    assert.ok(error instanceof RegistryError, String(error))
    assert.equal(error.code, 'unreachable')
    assert.match(error.message, says)
    return true
  })
