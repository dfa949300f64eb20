# ActiveRecord's reset_pk_sequence! for every table, schema by schema; an error for one table does not stop the others.
require "active_record"

ActiveRecord::Base.establish_connection(ARGV[0])
connection = ActiveRecord::Base.connection
schemas = connection.select_values(
  "SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'"
)
schemas.each do |schema|
  connection.schema_search_path = schema
  connection.tables.each do |table|
    connection.reset_pk_sequence!(table)
  rescue ActiveRecord::StatementInvalid => error
    warn error.message
  end
end
