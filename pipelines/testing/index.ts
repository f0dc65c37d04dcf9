export { days, hours, minutes, type VirtualClock, virtualClock } from '../../operators/contract/clock.ts'
export { type Driver, type DriverOptions, testDriver } from './driver.ts'
