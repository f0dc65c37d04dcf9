const pageSize = 1024
/** Values longer than this are kept one by one, so that one of them cannot blow up its page. */
const longest = 256

interface Page {
  /** Bytes per cell; grows with the longest value seen. */
  stride: number
  bytes: Uint8Array
  /** Length of each value plus one; 0 means that there is none. */
  readonly lengths: Uint16Array
}

/**
 * Small byte values by dense index, packed: a million 16-byte cells take about 18 MB, where a Map of arrays takes 300.
 * What `get` answers is a copy.
 */
export interface CellPages {
  readonly get: (index: number) => Uint8Array | undefined
  readonly set: (index: number, value: Uint8Array) => void
  readonly copy: () => CellPages
}

export function cellPages(): CellPages {
  return over(new Map(), new Map())
}

function over(pages: Map<number, Page>, long: Map<number, Uint8Array>): CellPages {
  return {
    get: (index) => {
      const page = pages.get(Math.floor(index / pageSize))
      const slot = index % pageSize
      const length = page?.lengths[slot] ?? 0
      if (page === undefined || length === 0) {
        const value = long.get(index)
        return value === undefined ? undefined : new Uint8Array(value)
      }
      const start = slot * page.stride
      return page.bytes.slice(start, start + length - 1)
    },
    set: (index, value) => {
      const number = Math.floor(index / pageSize)
      const slot = index % pageSize
      let page = pages.get(number)
      if (value.length > longest) {
        if (page !== undefined) page.lengths[slot] = 0
        long.set(index, new Uint8Array(value))
        return
      }
      if (long.size > 0) long.delete(index)
      if (page === undefined) {
        page = { stride: 0, bytes: new Uint8Array(0), lengths: new Uint16Array(pageSize) }
        pages.set(number, page)
      }
      if (value.length > page.stride) widen(page, value.length)
      page.bytes.set(value, slot * page.stride)
      page.lengths[slot] = value.length + 1
    },
    copy: () =>
      over(
        new Map(
          [...pages].map(([number, page]) => [
            number,
            { stride: page.stride, bytes: page.bytes.slice(), lengths: page.lengths.slice() },
          ]),
        ),
        new Map(long),
      ),
  }
}

function widen(page: Page, length: number): void {
  const stride = Math.ceil(length / 4) * 4
  const bytes = new Uint8Array(pageSize * stride)
  for (let slot = 0; slot < pageSize; slot++) {
    if (page.lengths[slot] === 0) continue
    const start = slot * page.stride
    bytes.set(page.bytes.subarray(start, start + page.stride), slot * stride)
  }
  page.stride = stride
  page.bytes = bytes
}
