-- By its name, as no function tells it before 18; nothing else that has the name by now has this OID.
      {qualified_name} AS s WHERE {name}::regclass = {oid} AND s.tableoid = {oid}
