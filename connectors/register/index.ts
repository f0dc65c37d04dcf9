// Who is where: the register of measuring points as pipelines look it up.
export { RegisterError } from './check-register.ts'
export { type RegisterViewOptions, registerView } from './register-view.ts'
