export { RegisterError } from './check-register.ts'
export { registerView } from './register-view.ts'
