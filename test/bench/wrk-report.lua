-- Sends the requests of the file BENCH_REQUESTS in turn, each as it stands: its length in bytes, a line feed, the request.
-- Ends the report of wrk with one line of JSON. Latencies are in microseconds.
local prepared = {}
local file = io.open(os.getenv("BENCH_REQUESTS"), "rb")
while true do
  local length = file:read("*l")
  if length == nil then break end
  prepared[#prepared + 1] = file:read(tonumber(length))
end
file:close()

if #prepared > 1 then
  local turn = 0
  request = function()
    turn = turn % #prepared + 1
    return prepared[turn]
  end
else
  -- wrk asks once, and sends what it was given without asking again.
  wrk.format = function() return prepared[1] end
end

done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"microseconds":%d,"failed":%d,"p50":%d,"p99":%d}\n',
    summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99)
  ))
end
