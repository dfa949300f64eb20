# ActiveRecord's reset_pk_sequence! for every table. Prints what benchmarks/competitors.py prints.
require "active_record"
require "json"

def most_memory
  File.read("/proc/self/status")[/VmHWM:\s+(\d+) kB/, 1].to_i
end

before = most_memory
begun = Process.clock_gettime(Process::CLOCK_MONOTONIC)
ActiveRecord::Base.establish_connection(
  adapter: "postgresql", host: ARGV[0], port: ARGV[1], username: ARGV[2], database: ARGV[3]
)
connection = ActiveRecord::Base.connection
connection.tables.each { |table| connection.reset_pk_sequence!(table) }
seconds = Process.clock_gettime(Process::CLOCK_MONOTONIC) - begun
puts({ seconds: seconds, memory: most_memory, memory_before: before }.to_json)
