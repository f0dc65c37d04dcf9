// Everything a scope has lies in one hash slot, and every key that a script touches is passed in KEYS.

/** What an access control list must grant, in Redis' notation, on the keys that begin with the view's key prefix. */
export const redisViewCommands = [
  ...['+info', '+hello', '+client|setinfo', '+client|setname', '+cluster|slots', '+cluster|info', '+eval', '+evalsha'],
  ...['+get', '+set', '+strlen', '+getrange', '+setrange', '+hget', '+hmget', '+hset'],
  ...['+zadd', '+zrem', '+zcount', '+zrange', '+zrangebyscore', '+smembers', '+sadd', '+srem', '+sismember'],
  ...['+exists', '+expire', '+persist', '+unlink'],
] as const

/**
 * Compare-and-set on generation, sequence and hash; then applies, drops and looks up.
 *
 * KEYS: head, bases, registry of keys by day, then the keys to drop, the buckets, and the hashes of long values.
 * ARGV: 1-3 expected generation, sequence, hash; 4-5 sequence and hash after the apply (empty: none); 6 floor day;
 * 7-8 token of the bases before and after; 9 text of the new bases (empty: unchanged); 10-11 number of keys to drop that
 * are all below the floor day, and of others; 12 number of buckets; 13 slots per bucket; 14 length of the generation's key
 * prefix; 15 per bucket as u16 which long hash it has, from 1 (empty: none has); 16 long values to put (u16 hash, u16 slot,
 * u32 day, u32 length, bytes); from 17 per bucket: what to put (u32 day, u8 width, then runs of u16 slot, u16 count,
 * count * width bytes), and the slots to look up as u16.
 * Answers [0, gen, seq, hash] or [0] for a mismatch, [1, token, per bucket with a look-up its slots and then its long
 * values] for success, [2, text] if the bases are others, [3] if other keys lie below the floor. Writes nothing but for 1.
 */
export const exchangeScript = `
local call, unpack, sub, rep, gsub = redis.call, struct.unpack, string.sub, string.rep, string.gsub
local head = call('HMGET', KEYS[1], 'gen', 'seq', 'hash', 'bases')
local function stands(seq, hash) return head[1] == ARGV[1] and head[2] == seq and head[3] == hash end
local applied = ARGV[4] ~= '' and stands(ARGV[4], ARGV[5])
if not applied and not stands(ARGV[2], ARGV[3]) then
  if head[1] then return {0, head[1], head[2], head[3]} end
  return {0}
end
local token = head[4]
if token ~= ARGV[7] and not (applied and token == ARGV[8]) then return {2, call('GET', KEYS[2]) or ''} end
local below, buckets, slots, prefix = tonumber(ARGV[10]), tonumber(ARGV[12]), tonumber(ARGV[13]), tonumber(ARGV[14])
local drops = below + tonumber(ARGV[11])
local longs = 3 + drops + buckets
local write = ARGV[4] ~= '' and not applied
if write then
  if call('ZCOUNT', KEYS[3], '1', '(' .. ARGV[6]) ~= below then return {3} end
  for i = 4, 3 + drops do
    call('UNLINK', KEYS[i])
    call('ZREM', KEYS[3], sub(KEYS[i], prefix + 1))
  end
  if ARGV[9] ~= '' then call('SET', KEYS[2], ARGV[9]) end
  token = ARGV[8]
  call('HSET', KEYS[1], 'seq', ARGV[4], 'hash', ARGV[5], 'bases', token)
  local at = 1
  while at <= #ARGV[16] do
    local hash, slot, day, length = unpack('>I2I2I4I4', ARGV[16], at)
    at = at + 12
    call('HSET', KEYS[longs + hash], slot, sub(ARGV[16], at, at + length - 1))
    call('ZADD', KEYS[3], day, sub(KEYS[longs + hash], prefix + 1))
    at = at + length
  end
end
local out = {1, token}
for b = 1, buckets do
  local key, puts, gets = KEYS[3 + drops + b], ARGV[15 + 2 * b], ARGV[16 + 2 * b]
  if write and puts ~= '' then
    local day, width = unpack('>I4B', puts)
    local wide = call('STRLEN', key) / slots
    if wide == 0 then
      wide = width
      call('SET', key, rep('\\0', wide * slots))
      call('ZADD', KEYS[3], day, sub(key, prefix + 1))
    elseif wide < width then
      local wider = gsub(call('GET', key), rep('.', wide), '%0' .. rep('\\0', width - wide))
      call('SET', key, wider)
      wide = width
    end
    local at, last = 6, #puts
    while at <= last do
      local slot, count = unpack('>I2I2', puts, at)
      local run = sub(puts, at + 4, at + 3 + count * width)
      if wide > width then run = gsub(run, rep('.', width), '%0' .. rep('\\0', wide - width)) end
      call('SETRANGE', key, slot * wide, run)
      at = at + 4 + count * width
    end
  end
  if gets ~= '' then
    local length, found = call('STRLEN', key), {}
    if length > 0 then
      local wide, count = length / slots, #gets / 2
      if length <= count * 1024 then
        local all = call('GET', key)
        for i = 1, count do
          local from = unpack('>I2', gets, 2 * i - 1) * wide
          found[i] = sub(all, from + 1, from + wide)
        end
      else
        for i = 1, count do
          local from = unpack('>I2', gets, 2 * i - 1) * wide
          found[i] = call('GETRANGE', key, from, from + wide - 1)
        end
      end
    end
    out[#out + 1] = table.concat(found)
    local hash = ARGV[15] == '' and 0 or unpack('>I2', ARGV[15], 2 * b - 1)
    if hash > 0 then
      for i = 1, #found do
        if string.byte(found[i]) == 255 then
          out[#out + 1] = call('HGET', KEYS[longs + hash], (unpack('>I2', gets, 2 * i - 1))) or ''
        end
      end
    end
  end
end
return out
`

/**
 * Switches to a generation that has been written, if the view still stands where expected and every key of it is still
 * there; only now the keys lose their time to live. The generation left is noted for the sweep.
 *
 * KEYS: head, set of dead generations, then all keys of the new one. ARGV: 1 whether something is expected; 2-4 expected
 * generation, sequence, hash; 5-8 new generation, sequence, hash, token of its bases. Answers 1, 0 for a mismatch, 2 if
 * keys are missing.
 */
export const switchScript = `
local call = redis.call
local head = call('HMGET', KEYS[1], 'gen', 'seq', 'hash')
if ARGV[1] == '1' then
  if not (head[1] == ARGV[2] and head[2] == ARGV[3] and head[3] == ARGV[4]) then return 0 end
elseif head[1] then
  return 0
end
for i = 3, #KEYS do
  if call('EXISTS', KEYS[i]) == 0 then return 2 end
end
for i = 3, #KEYS do call('PERSIST', KEYS[i]) end
if head[1] then call('SADD', KEYS[2], head[1]) end
call('SREM', KEYS[2], ARGV[5])
call('HSET', KEYS[1], 'gen', ARGV[5], 'seq', ARGV[6], 'hash', ARGV[7], 'bases', ARGV[8])
return 1
`

/**
 * Deletes keys of a generation that is dead: a server that was rolled back meanwhile may live on it again.
 *
 * KEYS: head, set of dead generations, registry of the generation, bases of the generation, then keys to delete.
 * ARGV: 1 the generation; 2 length of its key prefix; 3 whether these are the last. Answers 1, or 0 if it is not dead.
 */
export const sweepScript = `
local call = redis.call
if call('HGET', KEYS[1], 'gen') == ARGV[1] or call('SISMEMBER', KEYS[2], ARGV[1]) == 0 then return 0 end
for i = 5, #KEYS do
  call('UNLINK', KEYS[i])
  call('ZREM', KEYS[3], string.sub(KEYS[i], tonumber(ARGV[2]) + 1))
end
if ARGV[3] == '1' then
  call('UNLINK', KEYS[3], KEYS[4])
  call('SREM', KEYS[2], ARGV[1])
end
return 1
`
