// Where the keys of meters, pseudonyms and dead letters come from.
export { fileKeyring } from './file-keyring.ts'
export { type MemoryKeys, memoryKeyring } from './memory-keyring.ts'
export { KeyringError } from './secret-file.ts'
