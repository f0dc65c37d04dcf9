export { fileKeyring } from './file-keyring.ts'
export { type MemoryKeys, memoryKeyring } from './memory-keyring.ts'
export { KeyringError, readSecretFile } from './secret-file.ts'
