-- One visit of a replica: it says that it lives, publishes a pause, and takes or gives back leases.
--
-- KEYS: 1 the pace (a hash), 2 its replicas (a sorted set by when they count as gone)
-- ARGV: 1 the replica, 2 for how long it counts from now on (0: it leaves), 3 a pause from now on (-1: there is none),
--       then for requests and for cost, zeros where there is no rate:
--       depth of the bucket, worth of one, what was sent without asking, how long it is not full yet, what is taken
-- All times are microseconds of the server's clock, and rates are counted in the time that they take to refill.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local lives = tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now))
if lives > 0 then
  redis.call('ZADD', KEYS[2], string.format('%.0f', now + lives), ARGV[1])
  redis.call('PEXPIRE', KEYS[2], math.ceil(lives / 1000))
else
  redis.call('ZREM', KEYS[2], ARGV[1])
end

local known = redis.call('HMGET', KEYS[1], 'paused', 'requests', 'cost')
local paused = tonumber(known[1]) or 0
local pause = tonumber(ARGV[3])
if pause > 0 then
  paused = math.max(paused, now + pause)
elseif pause < 0 then
  paused = 0
end

local fields, until_full, wait, spare = {}, now, 0, { 0, 0 }
for rate, name in ipairs({ 'requests', 'cost' }) do
  local depth, one, sent, floor, take =
    tonumber(ARGV[5 * rate - 1]), tonumber(ARGV[5 * rate]), tonumber(ARGV[5 * rate + 1]),
    tonumber(ARGV[5 * rate + 2]), tonumber(ARGV[5 * rate + 3])
  if depth > 0 then
    -- Of one that nothing is known of, no burst is granted: others may have used it.
    local full = tonumber(known[rate + 1]) or now + math.max(depth - one, 0)
    -- What was sent alone is owed, but no more than a quarter of a second: others may have been away as long, and say so later.
    full = math.max(full, math.min(full + sent, now + depth + 250000))
    full = math.max(full, now + floor, now) + take
    if take > 0 then
      -- More than there ever is may be taken from a full bucket, which is in debt then.
      wait = math.max(wait, full - math.max(depth, take) - now)
    end
    spare[rate] = math.max(now + depth - full, 0)
    until_full = math.max(until_full, full)
    fields[#fields + 1] = name
    fields[#fields + 1] = string.format('%.0f', full)
  end
end

if pause ~= 0 or paused > now then
  fields[#fields + 1] = 'paused'
  fields[#fields + 1] = string.format('%.0f', paused)
end
if #fields > 0 then
  redis.call('HSET', KEYS[1], unpack(fields))
  redis.call('PEXPIRE', KEYS[1], math.ceil((math.max(until_full, paused) - now) / 1000) + 60000)
end
return { redis.call('ZCARD', KEYS[2]), math.max(paused - now, 0), wait, spare[1], spare[2] }
