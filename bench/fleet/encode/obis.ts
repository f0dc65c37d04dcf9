/** Logical names (IEC 62056-6-1) of the objects a meter of the fleet reports, as six bytes A-B:C.D.E.F. */
export const obis = {
  /** 0-0:1.0.0.255 clock. */
  clock: Uint8Array.of(0, 0, 1, 0, 0, 255),
  /** 0-0:96.10.1.255 profile status of the load profile. */
  profileStatus: Uint8Array.of(0, 0, 96, 10, 1, 255),
  /** 1-0:1.29.0.255 active import energy of the last interval. */
  importInterval: Uint8Array.of(1, 0, 1, 29, 0, 255),
  /** 1-0:2.29.0.255 active export energy of the last interval. */
  exportInterval: Uint8Array.of(1, 0, 2, 29, 0, 255),
  /** 1-0:1.8.0.255 active import energy, total. */
  importTotal: Uint8Array.of(1, 0, 1, 8, 0, 255),
  /** 1-0:99.1.0.255 load profile. */
  loadProfile: Uint8Array.of(1, 0, 99, 1, 0, 255),
  /** 0-0:25.9.0.255 push setup. */
  pushSetup: Uint8Array.of(0, 0, 25, 9, 0, 255),
} as const

/** Interface classes (IEC 62056-6-2) of those objects. */
export const classIds = { data: 1, register: 3, profileGeneric: 7, clock: 8, pushSetup: 40 } as const

/** Unit code 30: watt-hour. */
export const unitWh = 30
