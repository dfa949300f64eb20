# ActiveRecord's reset_pk_sequence! for every table. Prints how many seconds it took from its connection on.
require "active_record"

begun = Process.clock_gettime(Process::CLOCK_MONOTONIC)
ActiveRecord::Base.establish_connection(ARGV[0])
connection = ActiveRecord::Base.connection
connection.tables.each { |table| connection.reset_pk_sequence!(table) }
puts Process.clock_gettime(Process::CLOCK_MONOTONIC) - begun
