export { RegisterError } from './check-register.ts'
export { compareRegister, type RegisterChanges, type RegisterTopic, readRegisterRows } from './register-log.ts'
export { registerView } from './register-view.ts'
