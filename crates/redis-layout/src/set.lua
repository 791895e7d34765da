local expected, value, first, ttl = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local version = redis.pcall('HGET', KEYS[1], 'version')
if type(version) == 'table' then
    redis.call('DEL', KEYS[1])
    version = false
end
if version and version ~= '' and version ~= expected then
    if expected ~= '0' or redis.call('HEXISTS', KEYS[1], 'first-write') == 1 then
        return error('failed to set key ' .. KEYS[1])
    end
end
redis.call('HSET', KEYS[1], 'data', value)
if first == '1' then
    redis.call('HSET', KEYS[1], 'first-write', 0)
end
if ttl == '0' then
    redis.call('PERSIST', KEYS[1])
elseif ttl ~= '' then
    redis.call('EXPIRE', KEYS[1], ttl)
end
return redis.call('HINCRBY', KEYS[1], 'version', 1)
